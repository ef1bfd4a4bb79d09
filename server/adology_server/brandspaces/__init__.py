"""Private views of an organisation: one primary brand, its competitors, and brands that are followed."""
