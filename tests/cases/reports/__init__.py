"""Situations that vehicles of real fleets get into, made up of few numbers, and what every table must say of them."""
