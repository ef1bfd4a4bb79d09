"""Child processes in which decoders may crash, hang or eat memory without harm to the worker."""

from adology.isolation.errors import IsolatedFaultError
from adology.isolation.pool import IsolatedPool, Outcome

__all__ = ["IsolatedFaultError", "IsolatedPool", "Outcome"]
