"""Smartcar: cars of many makers through one cloud, which pushes and is polled."""
