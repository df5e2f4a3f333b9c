"""Show what was found: Grafana from code, reports for people."""
