"""Ads as a brandspace sees them: lists, facets, statistics, one ad with all that is known of it."""
