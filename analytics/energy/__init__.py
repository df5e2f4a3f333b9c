"""Energy of trips, of days, and of standing."""
