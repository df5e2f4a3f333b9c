"""What vehicles say, cleaned: readings, fixes, counters, percents, power."""
