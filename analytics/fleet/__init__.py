"""Forecasts, and rollups over five minutes or a day."""
