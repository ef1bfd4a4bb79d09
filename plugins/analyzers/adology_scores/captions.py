"""Text over the time of a video: when it comes, how long it stands, whether it says what is spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from adology_copy.counts import characters
from adology_scores.evidence import Range
from adology_scores.inputs import Line, Said, Text, Transcript
from adology_scores.layout import seen
from adology_scores.lines import asks, counted, shown_at
from adology_scores.sheet import Sheet

WORD = re.compile(r"[^\W_]+")
SAME = 0.5
"""Share of a stretch of speech's words that stand on the screen from which text carries it."""

LEAST_SAMPLED = 0.5
"""Share of speech time with a frame that was looked at from which coverage is told."""

LINE_SPOKEN = 0.6
LEAST_WORDS = 2

TIMED = ("supers", "first_text_s", "text_time_share", "caption_cps", "first_cta_s")


def measure_captions(text: Text, duration_s: float | None, sheet: Sheet) -> None:
    """Measures of when text stands."""
    lines = counted(text)
    if not text.sampled_s:
        sheet.lack(TIMED, "no frame was looked at for text")
        return
    if not lines and text.unread:
        sheet.lack(TIMED, f"{text.unread} places look like text that could not be read")
        return
    sheet.put("supers", bool(lines), *(seen("supers", *one) for one in lines))
    full = sum(bool(shown_at(lines, at)) for at in text.sampled_s)
    sheet.put("text_time_share", round(full / len(text.sampled_s), 4))
    frames = f"in the {len(text.sampled_s)} frames looked at"
    _first("first_text_s", lines, text, f"no readable text was found {frames}", sheet)
    _first(
        "first_cta_s", [one for one in lines if asks(one[1].text)], text, f"no call to action was found {frames}", sheet
    )
    _speed(lines, text, duration_s, sheet)


def _first(measure: str, lines: Sequence[tuple[int, Line]], text: Text, why: str, sheet: Sheet) -> None:
    timed = [one for one in lines if one[1].spans]
    if not timed:
        sheet.lack((measure,), why)
        return
    first = min(timed, key=lambda one: one[1].spans[0].start_s)
    at = first[1].spans[0].start_s
    before = max((s for s in text.sampled_s if s < at), default=0.0)
    sheet.put(measure, Range(low=round(before, 3), high=round(at, 3)), seen(measure, *first))


def _speed(lines: Sequence[tuple[int, Line]], text: Text, duration_s: float | None, sheet: Sheet) -> None:
    """The fastest group of lines that come and go together."""
    groups: dict[tuple[float, float], list[tuple[int, Line]]] = {}
    for number, line in lines:
        for span in line.spans:
            groups.setdefault((span.start_s, span.end_s), []).append((number, line))
    if not groups:
        sheet.lack(("caption_cps",), "no readable text was found")
        return
    ends = (*text.sampled_s, duration_s if duration_s is not None else float("inf"))
    speeds = []
    for (start_s, end_s), group in groups.items():
        written = sum(characters(line.text) for _, line in group)
        longest = min((at for at in ends if at > end_s), default=end_s) - max(
            (at for at in text.sampled_s if at < start_s), default=0.0
        )
        least = written / longest if longest > 0 else 0.0
        most = written / (end_s - start_s) if end_s > start_s else None
        speeds.append((least, most, group[0]))
    low = max(least for least, _, _ in speeds)
    highs = [most for _, most, _ in speeds]
    high = None if None in highs else max(most for most in highs if most is not None)
    fastest = max(speeds, key=lambda one: one[0])[2]
    sheet.put(
        "caption_cps",
        Range(low=round(low, 2), high=None if high is None else round(high, 2)),
        seen("caption_cps", *fastest),
    )


SPOKEN = ("first_speech_s", "cta_in_speech", "supers_spoken", "sound_off_readability")


def measure_speech(transcript: Transcript, text: Text | None, why_no_text: str, sheet: Sheet) -> None:
    """Measures of what is spoken, and of whether the screen says it too."""
    if not transcript.available:
        sheet.lack(SPOKEN, f"there is no transcript: {transcript.why or 'not available'}")
        return
    timed = [one for one in transcript.segments if WORD.search(one.text)]
    whole = [one.text for one in timed] or [transcript.text]
    if not WORD.search("".join(whole)):
        sheet.lack(SPOKEN, "nothing is spoken")
        return
    sheet.put("cta_in_speech", any(asks(one) for one in whole))
    if timed:
        sheet.put("first_speech_s", round(min(one.start_s for one in timed), 3))
    else:
        sheet.lack(("first_speech_s", "sound_off_readability"), "the transcript has no times")
    if text is None:
        sheet.lack(("supers_spoken", "sound_off_readability"), why_no_text)
        return
    lines = counted(text)
    _supers(lines, whole, sheet)
    if timed:
        _sound_off(lines, timed, text, sheet)


def words(texts: Iterable[str]) -> set[str]:
    """Distinct words, case folded."""
    return {word for text in texts for word in WORD.findall(text.casefold())}


def _supers(lines: Sequence[tuple[int, Line]], said: Sequence[str], sheet: Sheet) -> None:
    spoken = words(said)
    long = [words([line.text]) for _, line in lines]
    long = [one for one in long if len(one) >= LEAST_WORDS]
    if not long:
        sheet.lack(("supers_spoken",), "no line of text has two words")
        return
    agreeing = sum(len(one & spoken) / len(one) >= LINE_SPOKEN for one in long)
    sheet.put("supers_spoken", round(agreeing / len(long), 4))


def _sound_off(lines: Sequence[tuple[int, Line]], said: Sequence[Said], text: Text, sheet: Sheet) -> None:
    """Speech without a frame looked at within it says nothing either way."""
    whole = sampled = covered = 0.0
    for one in said:
        length = max(0.0, one.end_s - one.start_s)
        whole += length
        within = [at for at in text.sampled_s if one.start_s <= at <= one.end_s]
        if not within:
            continue
        sampled += length
        shown = words(line.text for at in within for _, line in shown_at(lines, at))
        spoken = words([one.text])
        covered += length * (len(spoken & shown) / len(spoken) >= SAME)
    if whole <= 0 or sampled < LEAST_SAMPLED * whole:
        share = 0.0 if whole <= 0 else sampled / whole
        why = f"frames were looked at in {share:.0%} of the time of speech, {LEAST_SAMPLED:.0%} are needed"
        sheet.lack(("sound_off_readability",), why)
        return
    sheet.put("sound_off_readability", round(covered / sampled, 4))
