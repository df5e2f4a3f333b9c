"""Simulated vehicles that obey physics, and what really happened to them."""
