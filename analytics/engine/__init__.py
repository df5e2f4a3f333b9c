"""Which rows changed, what follows from them, and how that gets into the lake."""
