"""A simulated vendor's cloud."""
