"""Simulated mopeds that obey physics, and the record of what really happened to them."""
