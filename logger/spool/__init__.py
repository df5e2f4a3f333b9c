"""The spool: a durable log of raw messages, and the archive behind it."""
