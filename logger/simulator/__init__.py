"""Simulated vehicles and clouds for the demo and for tests; nothing of the service imports them."""
