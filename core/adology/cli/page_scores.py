"""Scores as a section of the page: a list for each pack, every rule with what was seen and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adology.cli.analyze_shapes import entries
from adology.cli.analyze_words import percent, seen, threshold
from adology.cli.page_parts import badge, bar, evidence, plain

Result = Mapping[str, Any]
_MARKS = {"pass": ("✓", "good"), "fail": ("✗", "bad"), "insufficient": ("?", "dim")}
_ORDER = ("fail", "pass", "insufficient")
_HALF = 0.5


def scores(result: Result) -> str:
    """Every pack; the first one with a failed rule is open."""
    reports = entries(result, "reports")
    failed = next((number for number, one in enumerate(reports) if _counts(one)[0] < _counts(one)[1]), 0)
    told = "".join(_pack(one, is_open=number == failed) for number, one in enumerate(reports))
    note = "<p class='note'>Adherence is the share of evaluated rules that hold; it is no measure of quality.</p>"
    return (told or '<p class="dim">No pack is about such a creative.</p>') + (note if told else "")


def _counts(report: Result) -> tuple[int, int, int]:
    passed, evaluated, lacking = (int(report.get(name) or 0) for name in ("passed", "evaluated", "insufficient"))
    return passed, evaluated, lacking


def _pack(report: Result, *, is_open: bool) -> str:
    passed, evaluated, lacking = _counts(report)
    share = report.get("adherence")
    style = "" if share is None else "good" if share == 1 else "warn" if share >= _HALF else "bad"
    about = [str(report.get("pack", "")), str(report.get("date", ""))]
    about += [f"{lacking} without data"] if lacking else []
    named = plain(report.get("title") or report.get("pack", ""))
    band = f" {badge(report['band'], style)}" if report.get("band") else ""
    told = "–" if share is None else f"<strong>{percent(share)}</strong>"  # noqa: RUF001 - nothing to tell
    failed = ", ".join(str(one.get("rule", "")) for one in entries(report, "rules") if one.get("verdict") == "fail")
    lost = f'<small class="lost"><span class="bad">✗</span> {plain(failed)}</small>' if failed else ""
    rules = sorted(entries(report, "rules"), key=lambda one: _ORDER.index(_verdict(one)))
    return (
        f'<details class="pack"{" open" if is_open else ""}><summary><span>{named}{band}'
        f"<small>{plain(' · '.join(about))}</small>{lost}</span>{bar(share, style)}"
        f'<span class="num">{told} <span class="dim">{passed} of {evaluated}</span></span></summary>'
        f'<ul class="rules">{"".join(map(_rule, rules))}</ul></details>'
    )


def _verdict(rule: Result) -> str:
    found = str(rule.get("verdict", ""))
    return found if found in _MARKS else "insufficient"


def _rule(rule: Result) -> str:
    mark, style = _MARKS[_verdict(rule)]
    value, asked = seen(rule), threshold(rule)
    measured = f"<strong>{plain(value)}</strong> " if value else ""
    shown = evidence(entries(rule, "evidence"))
    source = f"source: {plain(rule.get('source', ''))} ({plain(rule.get('basis', ''))})"
    notes = "<br>".join(note for note in (plain(rule.get("why", "")), shown, source) if note)
    return (
        f'<li><span class="mark {style}" title="{plain(_verdict(rule))}">{mark}</span>'
        f"<span>{plain(rule.get('says') or rule.get('rule', ''))}<small>{notes}</small>"
        f'</span><span class="num">{measured}<span class="dim">{plain(asked)}</span></span></li>'
    )
