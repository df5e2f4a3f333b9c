"""The processes of `voltrail run`."""
