"""Rules held against facts. Pure: the same pack and facts always give the same report."""

from __future__ import annotations

import math

from adology_scores.catalogue import MEASURES
from adology_scores.evidence import Evidence, Range
from adology_scores.facts import NOT_MEASURED, Facts, Value
from adology_scores.lines import area, counted, ink_box, shared
from adology_scores.pack_model import Pack, Rule, Zone, ratio_of
from adology_scores.scores_model import Judged, Report, Verdict

ZONE_SHAPE = 0.02
"""How far from the zone's aspect a picture may be, as |ln|, for its shares to hold."""

MOST_EVIDENCE = 10
WORDS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}


def evaluate(pack: Pack, facts: Facts) -> Report:
    """The report of one pack: every rule for this kind of thing passes, fails or lacks data."""
    verdicts = tuple(_judge(rule, pack, facts) for rule in pack.rules if is_for(rule, pack, facts))
    passed = sum(one.verdict == "pass" for one in verdicts)
    insufficient = sum(one.verdict == "insufficient" for one in verdicts)
    evaluated = len(verdicts) - insufficient
    adherence = round(passed / evaluated, 4) if evaluated else None
    return Report(
        pack=pack.id,
        title=pack.title,
        network=pack.network,
        placement=pack.placement,
        date=pack.date.isoformat(),
        objective=pack.objective,
        vertical=pack.vertical,
        fingerprint=pack.fingerprint,
        rules=verdicts,
        passed=passed,
        evaluated=evaluated,
        insufficient=insufficient,
        adherence=adherence,
        band=_band(pack, adherence, evaluated, len(verdicts)),
    )


def is_for(rule: Rule, pack: Pack, facts: Facts) -> bool:
    """Whether the rule speaks of such things at all."""
    kinds = set(rule.kinds or pack.kinds) & set(pack.kinds) & set(MEASURES[rule.measure].kinds)
    return facts.kind in kinds


def _band(pack: Pack, adherence: float | None, evaluated: int, rules: int) -> str:
    if adherence is None or evaluated < pack.bands_need * rules:
        return ""
    reached = [band for band in pack.bands if adherence >= band.at_least]
    return max(reached, key=lambda band: band.at_least).name if reached else ""


def _judge(rule: Rule, pack: Pack, facts: Facts) -> Verdict:
    value, why = find_value(rule.measure, pack, facts)
    seen: float | bool | str | None = None
    seen_to: float | None = None
    verdict: Judged = "insufficient"
    if value is not None:
        verdict = compare(rule, value.value)
        seen, seen_to = _shown(value.value)
        if verdict == "insufficient":
            why = "the value is known too roughly: its range lies on both sides of the threshold"
    measure = MEASURES[rule.measure]
    return Verdict(
        rule=rule.id,
        says=rule.says,
        measure=rule.measure,
        verdict=verdict,
        threshold=threshold(rule),
        unit=measure.unit,
        source=rule.source,
        basis=rule.basis,
        seen=seen,
        seen_to=seen_to,
        ranged=value is not None and isinstance(value.value, Range),
        why=why,
        evidence=value.evidence[:MOST_EVIDENCE] if value is not None else (),
    )


def _shown(value: float | bool | str | Range) -> tuple[float | bool | str, float | None]:
    if isinstance(value, Range):
        return value.low, value.high
    return (value if isinstance(value, bool | str) else float(value)), None


def compare(rule: Rule, value: float | bool | str | Range) -> Judged:
    """Whether the rule holds; of a range: everywhere, nowhere, or it cannot be told."""
    if rule.equals is not None:
        return "pass" if value is rule.equals else "fail"
    if rule.one_of:
        return "pass" if value in rule.one_of else "fail"
    if not isinstance(value, Range):
        return "pass" if _holds(rule, float(value)) else "fail"
    ends = (value.low, math.inf if value.high is None else value.high)
    if all(_holds(rule, end) for end in ends):
        return "pass"  # what bounds allow has no holes
    above, below = _misses(rule, ends[0], ends[1])
    return "fail" if above or below else "insufficient"


def _misses(rule: Rule, low: float, high: float) -> tuple[bool, bool]:
    """Whether the whole range lies above what is allowed, or below it."""
    above = (rule.at_most is not None and low > rule.at_most) or (rule.below is not None and low >= rule.below)
    under = (rule.at_least is not None and high < rule.at_least) or (rule.above is not None and high <= rule.above)
    return above, under


def _holds(rule: Rule, value: float) -> bool:
    return (
        (rule.at_least is None or value >= rule.at_least)
        and (rule.at_most is None or value <= rule.at_most)
        and (rule.above is None or value > rule.above)
        and (rule.below is None or value < rule.below)
    )


def threshold(rule: Rule) -> str:
    """The rule in few words: "≤ 0.02", "≥ 6 and ≤ 12", "yes", "none or low"."""
    if rule.equals is not None:
        return "yes" if rule.equals else "no"
    if rule.one_of:
        return " or ".join(rule.one_of)
    given = ((WORDS[name], getattr(rule, name)) for name in WORDS)
    return " and ".join(f"{sign} {bound:g}" for sign, bound in given if bound is not None)


def find_value(measure: str, pack: Pack, facts: Facts) -> tuple[Value | None, str]:
    """The value of a measure, by the pack's shapes and zone where it depends on them; or why there is none."""
    known = MEASURES[measure]
    if known.why_not:
        return None, known.why_not
    if measure == "aspect_distance":
        return _aspect_distance(pack, facts)
    if measure == "text_outside_zone":
        return _outside_zone(pack.zone, facts)
    value = facts.values.get(measure)
    return value, "" if value is not None else facts.missing.get(measure, NOT_MEASURED)


def _aspect_distance(pack: Pack, facts: Facts) -> tuple[Value | None, str]:
    shown = facts.values.get("aspect_ratio")
    if shown is None or not isinstance(shown.value, int | float) or shown.value <= 0:
        return None, facts.missing.get("aspect_ratio", NOT_MEASURED)
    nearest = min(pack.aspects, key=lambda aspect: _apart(float(shown.value), aspect))  # type: ignore[arg-type]
    distance = round(_apart(float(shown.value), nearest), 4)
    told = Evidence(text=f"{shown.value:g}, nearest allowed {nearest}")
    return Value(value=distance, evidence=(told,)), ""


def _apart(ratio: float, aspect: str) -> float:
    return abs(math.log(ratio / ratio_of(aspect)))


def _outside_zone(zone: Zone | None, facts: Facts) -> tuple[Value | None, str]:
    """Share of text area outside: of the letters at least, of the boxes around them at most."""
    if zone is None:
        return None, "the pack has no zone"
    if facts.text is None:
        return None, facts.why_no_text
    text = facts.text
    if min(text.width, text.height) < 1 or _apart(text.width / text.height, zone.aspect) > ZONE_SHAPE:
        return None, f"the zone is that of {zone.aspect}, the picture is {text.width} x {text.height}"
    lines = counted(text)
    if not lines:
        unread = f", {text.unread} places that look like it could not be read" if text.unread else ""
        return None, f"no text was found{unread}"
    free = (zone.left, zone.top, 1 - zone.right, 1 - zone.bottom)
    out: list[float] = []
    for boxes in ([ink_box(line, text.width, text.height) for _, line in lines], [line.box for _, line in lines]):
        whole = sum(area(box) for box in boxes)
        out.append(1 - sum(shared(box, free) for box in boxes) / whole if whole > 0 else 0.0)
    told = tuple(
        Evidence(text=line.text[:200], line=number, box=line.box, time_s=line.spans[0].start_s if line.spans else None)
        for number, line in lines
        if shared(line.box, free) < area(line.box)
    )
    low, high = (min(1.0, max(0.0, round(share, 4))) for share in sorted(out))
    return Value(value=Range(low=low, high=high), evidence=told), ""
