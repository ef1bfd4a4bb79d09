"""Adology: collects the ads of brands, archives every creative, analyses each one once."""
