"""How well creatives and copy are made for where they run: measurements, then rules by placement and date.

`measures` measures; `scores` and `scores_copy` hold the measurements and the copy against dated rule
packs. `evaluate(pack, facts)` is the judge, without any server. There is no number over all packs.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_scores.evaluate import evaluate
from adology_scores.evidence import Evidence, Range
from adology_scores.facts import Facts, Value, facts_of_copy, facts_of_creative, facts_of_measures
from adology_scores.measures_analyzer import MeasuresAnalyzer
from adology_scores.measures_model import Measures, Missing, Seen
from adology_scores.measuring import measure
from adology_scores.pack_files import built_in, parse
from adology_scores.pack_model import Band, Pack, Rule, Zone
from adology_scores.scores_analyzer import CopyScoresAnalyzer, ScoresAnalyzer
from adology_scores.scores_model import Report, Scores, Verdict
from adology_scores.settings import MeasuresSettings, ScoresSettings

__all__ = [
    "Band",
    "CopyScoresAnalyzer",
    "Evidence",
    "Facts",
    "Measures",
    "MeasuresAnalyzer",
    "MeasuresSettings",
    "Missing",
    "Pack",
    "Range",
    "Report",
    "Rule",
    "Scores",
    "ScoresAnalyzer",
    "ScoresSettings",
    "Seen",
    "Value",
    "Verdict",
    "Zone",
    "adology_analyzers",
    "built_in",
    "evaluate",
    "facts_of_copy",
    "facts_of_creative",
    "facts_of_measures",
    "measure",
    "parse",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The measuring and scoring analyzers."""
    return [MeasuresAnalyzer, ScoresAnalyzer, CopyScoresAnalyzer]
