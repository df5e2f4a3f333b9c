"""`voltrail certify`: write a battery certificate, and verify one."""
