"""How well analyses find what really happened, on simulated fleets whose truth is known and on real recordings."""
