"""Where vehicles stood: ends of trips, stay points, visits of places, relocations."""
