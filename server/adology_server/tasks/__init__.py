"""What takes longer than a request: accepted at once, done by a runner, told as it happens."""
