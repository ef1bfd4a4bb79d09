"""The Active Brand Registry: in memory, one instance, the one place that says who commits."""

from adology_registry.app import create_app
from adology_registry.service import serve

__all__ = ["create_app", "serve"]
