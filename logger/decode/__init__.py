"""Raw messages into rows of tables."""
