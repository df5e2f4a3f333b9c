"""The demo: a simulated fleet against a real `voltrail run`, held against the truth."""
