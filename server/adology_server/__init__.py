"""The contextual data model over REST and WebSocket: everything seen from a customer's brandspace."""
