"""The demo: a simulated fleet against a real `voltrail run`, and the results compared with the truth."""
