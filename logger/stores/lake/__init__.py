"""The lake: Delta Lake tables on disk or in an object store."""
