"""Results of analyzers as sections of the page, by their shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from adology.cli import output
from adology.cli.analyze_shapes import OF_ANOTHER_KIND, Shape, entries, inner, shape_of
from adology.cli.analyze_words import clock, named, number, percent, short, summary
from adology.cli.page_parts import badge, bar, chips, evidence, facts, headed, plain, quoted, table, words
from adology.cli.page_scores import scores

Result = Mapping[str, Any]
_LEVELS = {"none": "good", "low": "", "medium": "warn", "high": "bad"}
_SURE = 0.5
_WORTH_SEEING = 0.1


def tell(result: Any) -> str:
    """The inside of the section."""
    teller: Callable[[Any], str] = _TELLERS.get(shape_of(result), _other)
    try:
        return teller(result)
    except OF_ANOTHER_KIND:
        return _other(result)


def _other(result: Any) -> str:
    return facts(summary(result))


def _labels(result: Result) -> str:
    groups: dict[str, list[Result]] = defaultdict(list)
    for label in entries(result, "labels"):
        groups[str(label.get("taxonomy", ""))].append(label)
    rows = ""
    for taxonomy, found in groups.items():
        told = "".join(
            f'<div class="label"><span>{plain(one.get("name") or one.get("id", ""))}</span>'
            f'{bar(one.get("confidence"))}<span class="num">{one.get("confidence", 0):.2f}</span>'
            f'<span class="ev">{evidence(entries(one, "evidence"))}</span></div>'
            for one in found
        )
        rows += f'<div class="row"><span>{plain(taxonomy.replace("_", " "))}</span><div>{told}</div></div>'
    others = "".join(
        f"<p>{plain(str(one.get('taxonomy', '')).replace('_', ' '))}: {quoted(one.get('text', ''))}</p>"
        for one in entries(result, "others")
    )
    ignored = "".join(f'<p class="warn">{quoted(one.get("text", ""))}</p>' for one in entries(result, "ignored"))
    feeling = [(name, short(result[name])) for name in ("valence", "arousal") if result.get(name) is not None]
    unknown = [str(one).replace("_", " ") for one in result.get("unknown") or ()]
    return (
        (rows or '<p class="dim">No label is sure enough.</p>')
        + facts(feeling)
        + headed("in other words", others)
        + headed("ignored: orders to whoever labels", ignored)
        + (headed(f"unknown ({len(unknown)})", chips(unknown)) if unknown else "")
        + f'<p class="note">by {plain(result.get("provider", ""))}, {plain(result.get("model", ""))}</p>'
    )


def _text(result: Result) -> str:
    lines = entries(result, "lines")
    if not lines:
        return '<p class="dim">No text was read.</p>' + facts([("places unread", str(result.get("unread") or ""))])
    told = "".join(
        f'<li>{words(line.get("text", ""))}<span class="num">{line.get("confidence", 0):.2f}</span></li>'
        for line in lines
    )
    about = [("lines", f"{len(lines):,}"), ("of the picture", percent(result.get("text_share", 0)))]
    about += [
        (name, f"{number(result[field])}{unit}")
        for name, field, unit in (
            ("smallest line", "smallest_height_px", " px"),
            ("palest contrast", "lowest_contrast", " : 1"),
            ("places unread", "unread", ""),
        )
        if result.get(field)
    ]
    cut_off = '<p class="warn">There are more lines than are kept.</p>' if result.get("truncated") else ""
    return f'{_readings(result)}{facts(about)}{cut_off}<h4>lines</h4><ul class="lines">{told}</ul>'


def _readings(result: Result) -> str:
    rows = [_reading(one, f"{one.get('amount', '')} {one.get('currency', '')}") for one in entries(result, "prices")]
    rows += [_reading(one, f"{one.get('percent', '')} % off") for one in entries(result, "percents")]
    rows += [_reading(one, " or ".join(map(str, one.get("values") or ()))) for one in entries(result, "dates")]
    return headed("prices and dates", table(("as written", "is", "sure", ""), rows))


def _reading(one: Result, value: str) -> tuple[str, ...]:
    sure = one.get("confidence", 0)
    notes = [name for name in ("assumed", "starting", "off", "up_to") if one.get(name)]
    told = plain(", ".join(notes).replace("_", " ").replace("assumed", "currency assumed"))
    if one.get("suspect"):
        doubts = ", ".join(str(doubt).replace("_", " ") for doubt in one.get("doubts") or ())
        other = f", a second look reads {quoted(one['other'])}" if one.get("other") else ""
        told += f' <span class="warn">suspect: {plain(doubts)}{other}</span>'
    style = "" if sure >= _SURE else "warn"
    measured = f'<span class="sure">{bar(sure, style)}<span class="num">{sure:.2f}</span></span>'
    return f"<strong>{words(one.get('raw', ''))}</strong>", words(value), measured, told


def _copy(result: Result) -> str:
    language, cta = inner(result, "language"), inner(result, "cta")
    about = [("language", f"{language.get('code', 'und')} {language.get('confidence', 0):.2f}")]
    about += [(name, short(result[name])) for name in ("chars", "words", "sentences", "lines") if result.get(name)]
    asks = f"<p>asks for {badge(cta.get('id', ''))} {quoted(cta.get('text', ''))}</p>" if cta else ""
    prices = [(one, f"{one.get('amount', '')} {one.get('currency', '')}") for one in entries(result, "prices")]
    prices += [(one, "off") for one in entries(result, "discounts")]
    rows = [(f"<strong>{words(one.get('raw', ''))}</strong>", words(is_), plain(one.get("where", "")))
            for one, is_ in prices]  # fmt: skip
    found = [str(one) for name in ("domains", "hashtags", "mentions", "placeholders", "emoji")
             for one in result.get(name) or ()]  # fmt: skip
    return (
        asks
        + headed("prices", table(("as written", "is", "in"), rows))
        + facts(about)
        + (chips(found) if found else "")
    )


def _video(result: Result) -> str:
    first = result.get("first_cut_s")
    about = [
        ("length", f"{number(result.get('duration_s', 0))} s"),
        ("shots", str(len(entries(result, "shots")))),
        ("first cut", f"{number(first)} s" if first is not None else "none"),
        ("mean shot", f"{number(result.get('mean_shot_s', 0))} s"),
        ("shots in the first 3 s", short(result.get("shots_in_first_3s", 0))),
        ("in the first 5 s", short(result.get("shots_in_first_5s", 0))),
        ("in the fullest 5 s", short(result.get("most_shots_in_5s", 0))),
    ]
    notes = [text for field, text in (("truncated", "Only a part was looked at."), ("damaged", "Parts are damaged."))
             if result.get(field)]  # fmt: skip
    return (
        facts(about)
        + "".join(f'<p class="warn">{note}</p>' for note in notes)
        + headed("sound", _sound(inner(result, "sound")))
        + headed("faces", _faces(inner(result, "faces")))
    )


def _sound(sound: Result) -> str:
    if not sound:
        return '<p class="dim">There is no sound track.</p>'
    fields = (("loudness", "lufs", "LUFS"), ("range", "range_lu", "LU"), ("peak", "peak_dbfs", "dBFS"))
    about = [(name, f"{number(sound[field])} {unit}") for name, field, unit in fields if sound.get(field) is not None]
    silences = entries(sound, "silences")
    about.append(("silent", f"{percent(sound.get('silent_share', 0))} in {len(silences)}" if silences else "never"))
    return (_meter(float(sound["lufs"])) if sound.get("lufs") is not None else "") + facts(about)


def _meter(lufs: float) -> str:
    """Loudness on a scale from -60 to 0 LUFS, with where platforms play films."""
    low, quiet, loud = -60.0, -16.0, -13.0

    def at(value: float) -> str:
        return f"{(max(low, min(0.0, value)) - low) / -low:.1%}"

    wide = f"{(loud - quiet) / -low:.1%}"
    ticks = "".join(f'<span style="left:{at(value)}">{value:g}</span>' for value in (-60, -45, -30, -14))
    return (
        f'<div class="meter"><i style="left:{at(quiet)};width:{wide}" title="about where platforms play films"></i>'
        f'<b style="left:{at(lufs)}" title="{number(lufs)} LUFS"></b>{ticks}</div>'
    )


def _faces(faces: Result) -> str:
    if not faces.get("available"):
        return f'<p class="dim">not looked for: {plain(faces.get("why", ""))}</p>'
    looks = f"{faces.get('looks', 0)} looks"
    if not faces.get("share_of_time"):
        return f"<p>none in {plain(looks)}</p>"
    first, largest = faces.get("first_s"), faces.get("largest_s")
    return facts([
        ("seen in", f"{percent(faces['share_of_time'])} of {looks}"),
        ("at once", f"at most {faces.get('most_at_once', 1)}"),
        ("first", clock(first) if first is not None else ""),
        ("largest", f"{percent(faces.get('largest_share', 0))} of the picture"
                    + (f" at {clock(largest)}" if largest is not None else "")),
    ])  # fmt: skip


def _transcript(result: Result) -> str:
    if not result.get("available"):
        return f'<p class="dim">not available: {plain(result.get("why") or "no reason is given")}</p>'
    about = ", ".join(str(result[name]) for name in ("language", "provider", "model") if result.get(name))
    rows = [(f'<span class="num dim">{clock(one.get("start_s", 0))}</span>', words(one.get("text", "")))
            for one in entries(result, "segments")]  # fmt: skip
    said = table(("", ""), rows) or (f"<p>{quoted(result['text'])}</p>" if result.get("text") else "")
    return (said or '<p class="dim">No words were heard.</p>') + f'<p class="dim">{plain(about)}</p>'


def _safety(result: Result) -> str:
    level, frames = str(result.get("level", "")), entries(result, "frames")
    told = f"<p>risk {badge(level, _LEVELS.get(level, ''))}"
    if "score" in result:
        told += f' <span class="num">score {result["score"]:.2f}</span>'
    told += f" at {clock(result['time_s'])}</p>" if result.get("time_s") is not None else "</p>"
    if max((one.get("score", 0) for one in frames), default=0) >= _WORTH_SEEING:
        told += '<div class="spark">' + "".join(
            f'<i style="height:{max(0.02, min(1.0, one.get("score", 0))):.0%}" '
            f'title="{clock(one.get("time_s", 0))}: {one.get("score", 0):.2f}"></i>' for one in frames
        ) + "</div>"  # fmt: skip
    rows = [(plain(one.get("category", "")), plain(one.get("strength", "")), quoted(one.get("phrase", "")),
             plain(one.get("where", ""))) for one in entries(result, "hits")]  # fmt: skip
    told += headed("phrases", table(("category", "strength", "phrase", "in"), rows))
    vendor = inner(result, "moderation")
    judged = [(plain(one.get("category", "")), bar(one.get("score")), f"{one.get('score', 0):.2f}")
              for one in entries(vendor, "categories")]  # fmt: skip
    said = badge("flagged", "bad") if vendor.get("flagged") else badge("not flagged", "good")
    return told + (headed(str(vendor.get("provider", "vendor")), said + table(("", "", ""), judged)) if vendor else "")


def _measures(result: Result) -> str:
    pairs = [named(name, value) for name, value in result.items() if name not in ("kind", "missing", "evidence")]
    found = [one for one in entries(result, "evidence") if one.get("text")]
    rests = table(("measure", "rests on"), [(_measure(one), evidence([{"line": None, **one}])) for one in found])
    missing = entries(result, "missing")
    lacking = table(("measure", "why"), [(_measure(one), plain(one.get("why", ""))) for one in missing])
    count = f"{len(missing)} without a value"
    more = f'<details><summary class="dim">{count}</summary>{lacking}</details>' if missing else ""
    return facts(pairs) + headed("evidence", rests) + more


def _measure(one: Result) -> str:
    return plain(named(str(one.get("measure", "")), "")[0])


def _media(result: Result) -> str:
    audio = inner(result, "audio")
    about = [("size", f"{result.get('width')} × {result.get('height')} px")]  # noqa: RUF001 - the sign for sizes
    about += [(named(field, result[field])) for field in ("format", "aspect_class", "color_mode", "duration_s", "fps")
              if result.get(field)]  # fmt: skip
    about += [("bytes", output.amount(result["size_bytes"]))] if result.get("size_bytes") else []
    about += [("video", short(result["video_codec"]))] if result.get("video_codec") else []
    about += [("sound", f"{audio.get('codec', '')} {audio.get('sample_rate', '')}")] if audio else []
    colours = "".join(
        f'<i style="background:{one["hex"]};flex:{float(one.get("share", 0)):.4f}" title="{one["hex"]}"></i>'
        for one in entries(result, "palette")
        if _is_colour(one.get("hex"))
    )
    return facts([*about, ("phash", short(result.get("phash", "")))]) + f'<div class="swatches">{colours}</div>'


def _is_colour(text: Any) -> bool:
    return isinstance(text, str) and len(text) == len("#rrggbb") and text[0] == "#" and text[1:].isalnum()


def _likeness(result: Result) -> str:
    return facts([
        ("tokens", f"{len(result.get('tokens') or ()):,}"), ("pictures kept", f"{len(result.get('shots') or ()):,}"),
        ("length", f"{number(result['duration_s'])} s" if result.get("duration_s") else ""),
    ])  # fmt: skip


def _embedding(result: Result) -> str:
    return facts([("space", result.get("space", "")), ("frames", str(len(entries(result, "frames")) or ""))])


_TELLERS: dict[Shape, Callable[[Result], str]] = {
    "scores": scores,
    "labels": _labels,
    "measures": _measures,
    "text": _text,
    "copy": _copy,
    "video": _video,
    "transcript": _transcript,
    "safety": _safety,
    "media": _media,
    "likeness": _likeness,
    "embedding": _embedding,
}
