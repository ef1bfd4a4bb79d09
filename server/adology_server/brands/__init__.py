"""Brands: the catalogue that all organisations share."""
