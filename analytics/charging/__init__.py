"""Charging sessions, swaps of packs, and what a charge costs."""
