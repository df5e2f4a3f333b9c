"""The spool: a durable log of raw messages, and the day files behind it."""
