"""Child processes in which decoders may crash, hang or eat memory without harm to the worker."""

from adology.isolation.calls import call_in_thread, reference_of
from adology.isolation.errors import IsolatedFaultError
from adology.isolation.pool import IsolatedPool, Outcome, is_regular

__all__ = ["IsolatedFaultError", "IsolatedPool", "Outcome", "call_in_thread", "is_regular", "reference_of"]
