"""`voltrail check`: one module a thing that is looked at."""
