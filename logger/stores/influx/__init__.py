"""InfluxDB as a store."""
