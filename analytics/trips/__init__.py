"""Which trips vehicles made, by counters, speed or positions; their books, journals and tracks."""
