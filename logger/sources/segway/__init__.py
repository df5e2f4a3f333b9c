"""Segway \"API of Gateway\": mopeds and scooters that push, and their cloud."""
