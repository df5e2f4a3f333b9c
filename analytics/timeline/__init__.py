"""What a vehicle was doing at every moment, and what happened to it."""
