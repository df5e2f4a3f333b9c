"""Hiven: cars of many makers through one cloud, which is polled."""
