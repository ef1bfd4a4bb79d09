"""HTTP for sources: paced per credential, retried when safe, redacted, decoded into structs."""

from adology.http.client import Answer, HttpClient
from adology.http.pacing import Pacer, Pacers

__all__ = ["Answer", "HttpClient", "Pacer", "Pacers"]
