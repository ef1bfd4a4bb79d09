"""The HTTP face of the registry: a Litestar application over one `ActiveBrands`."""

from __future__ import annotations

import time
from collections.abc import Callable

from litestar import Litestar
from litestar.datastructures import State

from adology.settings.model import AdologySettings
from adology_registry.calls import CALLS
from adology_registry.exchange import Service, post_route
from adology_registry.reads import READS, on_error
from adology_registry.state import ActiveBrands


def create_app(settings: AdologySettings, *, clock: Callable[[], float] = time.monotonic) -> Litestar:
    """A registry with an empty memory and a new epoch.

    Args:
        settings: `registry.*` is used.
        clock: monotonic seconds; leases and ages are measured with it.
    """
    limits = settings.registry
    registry = ActiveBrands(lease_s=limits.commit_lease_s, max_held_bytes=limits.max_held_bytes, clock=clock)
    service = Service(registry, limits.max_body_bytes)
    return Litestar(
        [*(post_route(service, call) for call in CALLS), *READS],
        state=State({"service": service}),
        exception_handlers={Exception: on_error},
        openapi_config=None,  # docs/registry-api.md is the description; bodies are read raw
        logging_config=None,  # adology.log has the process's only sink
    )
