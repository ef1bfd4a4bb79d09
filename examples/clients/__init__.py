"""Small clients of the server, to be read and taken along."""
