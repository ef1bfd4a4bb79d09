"""What looks like an ad, a picture or a film, and what says the same: searches in the vector indexes."""
