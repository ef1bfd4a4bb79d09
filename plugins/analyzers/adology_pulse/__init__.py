"""A brand's pulse after each batch: what runs, what is new, what stopped, how long ads run.

`analyzer.PulseAnalyzer` is the way in.
"""

from __future__ import annotations

from adology import Analyzer, hookimpl
from adology_pulse.analyzer import PulseAnalyzer
from adology_pulse.model import Movement, Pulse, RunLengths, Share, SourcePulse
from adology_pulse.settings import PulseSettings

__all__ = [
    "Movement",
    "Pulse",
    "PulseAnalyzer",
    "PulseSettings",
    "RunLengths",
    "Share",
    "SourcePulse",
    "adology_analyzers",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[PulseSettings, Pulse]]]:
    """The pulse analyzer."""
    return [PulseAnalyzer]
