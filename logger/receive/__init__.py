"""HTTP in: pushes into the spool, and the metrics."""
