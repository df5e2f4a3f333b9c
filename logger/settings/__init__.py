"""Settings: `voltrail.toml` into frozen structs, checked, secrets filled in."""
