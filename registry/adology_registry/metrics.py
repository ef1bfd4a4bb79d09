"""`/metrics` in the Prometheus text format, written by hand: a dozen numbers need no library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from adology_registry.state import ActiveBrands

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RequestCounts:
    """Requests by operation and status, with the time spent on them."""

    def __init__(self) -> None:
        self.count: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.count[operation, status] += 1
        self.seconds[operation] += seconds


def render(registry: ActiveBrands, requests: RequestCounts) -> str:
    """Everything worth watching, as text."""
    return "\n".join((*_gauges(registry), *_totals(registry), *_requests(requests))) + "\n"


def _gauges(registry: ActiveBrands) -> Iterator[str]:
    yield from _head("info", "gauge", "One life of the registry: a new epoch means that it lost its memory.")
    yield f'adology_registry_info{{epoch="{registry.epoch}"}} 1'
    for name, help_, value in (
        ("uptime_seconds", "Age of this life.", registry.uptime_s),
        ("active_brands", "Brands with an active batch.", registry.active),
        ("held_results", "Results in memory.", registry.count_held()),
        ("held_bytes", "Memory that they are reckoned to take.", registry.held_bytes),
        ("held_bytes_limit", "Where submits are refused.", registry.max_held_bytes),
    ):
        yield from _head(name, "gauge", help_)
        yield f"adology_registry_{name} {value:.10g}"


def _totals(registry: ActiveBrands) -> Iterator[str]:
    totals = registry.totals
    for name, help_, value in (
        ("batches_started_total", "Batches made active.", totals.starts),
        ("results_counted_total", "Results of URLs not seen before in their batch.", totals.counted),
        ("results_replaced_total", "Results that replaced one of the same URL.", totals.replaced),
        ("commit_leases_granted_total", "Answers that said should_commit.", totals.granted),
        ("commit_leases_expired_total", "Leases that ran out and were won anew.", totals.expired),
        ("commit_leases_released_total", "Leases given back.", totals.released),
        ("batches_completed_total", "Batches that were committed and forgotten.", totals.completed),
    ):
        yield from _head(name, "counter", help_)
        yield f"adology_registry_{name} {value}"


def _requests(requests: RequestCounts) -> Iterator[str]:
    yield from _head("requests_total", "counter", "Answered requests by operation and status.")
    for (operation, status), count in sorted(requests.count.items()):
        yield f'adology_registry_requests_total{{operation="{operation}",status="{status}"}} {count}'
    yield from _head("request_seconds_total", "counter", "Time spent on them, from the read body to the answer.")
    for operation, seconds in sorted(requests.seconds.items()):
        yield f'adology_registry_request_seconds_total{{operation="{operation}"}} {seconds:.9f}'


def _head(name: str, kind: str, help_: str) -> tuple[str, str]:
    return f"# HELP adology_registry_{name} {help_}", f"# TYPE adology_registry_{name} {kind}"
