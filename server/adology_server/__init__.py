"""The contextual data model over REST and WebSocket: everything seen from a customer's brandspace."""

from adology_server.app import create_app
from adology_server.service import serve

__all__ = ["create_app", "serve"]
