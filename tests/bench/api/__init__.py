"""The server beside bare statements and beside another framework, on the same rows."""
