"""What happens, told as it happens: events, WebSockets, server-sent events."""
