"""Show what was found: Grafana dashboards from code."""
