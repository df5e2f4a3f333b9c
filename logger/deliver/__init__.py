"""Out of the spool, through decoding, into each store."""
