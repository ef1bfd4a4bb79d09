"""How every request is treated: limits, keys that make it happen once, records of what it changed."""
