"""The conformance kit: what a plugin must keep, as checks that its author runs.

With pytest, subclass and fill in::

    class TestLibrary(SourceConformance):
        plugin = Library
        settings = {"token": "env:LIBRARY_TOKEN"}
        secrets = {"LIBRARY_TOKEN": "made-up"}
        brand = Brand(id="acme", handles={"library": ("4711",)})

        def vendor(self):
            return fake_library()  # async context manager that yields more settings

Without pytest: ``adology plugins check NAME|PATH``. Every check is offline, and says how to fix
what it finds. Nothing here needs pytest.
"""

from adology.testing.analyzer import AnalyzerConformance
from adology.testing.base import Conformance
from adology.testing.batch import MemoryBatch
from adology.testing.checks import CheckResult, ConformanceError, check, list_checks, run_checks
from adology.testing.http import Fault, FaultyHttp, SteppingClock
from adology.testing.sink import SinkConformance
from adology.testing.source import SourceConformance

__all__ = [
    "AnalyzerConformance",
    "CheckResult",
    "Conformance",
    "ConformanceError",
    "Fault",
    "FaultyHttp",
    "MemoryBatch",
    "SinkConformance",
    "SourceConformance",
    "SteppingClock",
    "check",
    "list_checks",
    "run_checks",
]
