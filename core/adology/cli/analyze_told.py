"""Results of analyzers as paragraphs for a terminal, by their shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from adology.cli import output
from adology.cli.analyze_flow import Flow
from adology.cli.analyze_shapes import OF_ANOTHER_KIND, Shape, entries, inner, shape_of
from adology.cli.analyze_words import clean, clock, cut, named, number, percent, seen, summary, threshold

Result = Mapping[str, Any]
_LEVELS = {"none": "green", "low": "", "medium": "yellow", "high": "bold red"}
_LONG_LINE = 48
_NO_MEASURE = {"kind", "missing", "evidence"}
_SURE = 0.5


def tell(result: Any) -> list[Flow]:
    """The result's paragraphs."""
    teller: Callable[[Any], list[Flow]] = _TELLERS.get(shape_of(result), _other)
    try:
        return teller(result)
    except OF_ANOTHER_KIND:
        return _other(result)


def _pair(name: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, style))


def _other(result: Any) -> list[Flow]:
    return [Flow([_pair(name, value) for name, value in summary(result)], rows=6)]


def _scores(result: Result) -> list[Flow]:
    reports = entries(result, "reports")
    heads = [f"{clean(str(one.get('pack', '')))}@{one.get('date', '')}" for one in reports]
    widest = max(map(len, heads), default=0)
    return [_report(head.ljust(widest), one) for head, one in zip(heads, reports, strict=True)]


def _report(head: str, report: Result) -> Flow:
    passed, evaluated, lacking = (int(report.get(name) or 0) for name in ("passed", "evaluated", "insufficient"))
    share = report.get("adherence")
    style = "dim" if share is None else "green" if share == 1 else ""
    told = Text.assemble((head, "bold"), "  ", (f"{passed}/{evaluated}", style))
    told.append("    –" if share is None else f"{percent(share):>5}", style=style)  # noqa: RUF001 - nothing to tell
    if lacking:
        told.append(f"  {lacking} no data", style="dim")
    pieces = [Text(clean(str(report["band"])), style="italic")] if report.get("band") else []
    return Flow([*pieces, *(_failed(one) for one in entries(report, "rules") if one.get("verdict") == "fail")], told)


def _failed(verdict: Result) -> Text:
    told = Text.assemble(("✗ ", "red"), clean(str(verdict.get("rule", ""))))
    return told.append(f" {seen(verdict)} ({threshold(verdict)})", style="dim")


def _labels(result: Result) -> list[Flow]:
    groups: dict[str, list[Text]] = defaultdict(list)
    for label in entries(result, "labels"):
        name = clean(str(label.get("name") or label.get("id", "")))
        groups[str(label.get("taxonomy", ""))].append(
            Text.assemble(name, (f" {label.get('confidence', 0):.2f}", "dim"))
        )
    pieces = [_pair(f"{clean(name)}:", "").append_text(Text(", ").join(found)) for name, found in groups.items()]
    flows = [Flow(pieces, rows=8)] if pieces else [Flow([Text("no label is sure enough", style="dim")])]
    others = [f"{clean(str(one.get('taxonomy', '')))}: “{cut(str(one.get('text', '')), 30)}”"
              for one in entries(result, "others")]  # fmt: skip
    if others:
        flows.append(Flow([Text(one) for one in others], _count(len(others), "other"), rows=2))
    if unknown := result.get("unknown"):
        flows.append(Flow([Text(clean(str(one)), "dim") for one in unknown], _count(len(unknown), "unknown"), rows=2))
    if ignored := entries(result, "ignored"):
        texts = [Text(f"“{cut(str(one.get('text', '')), _LONG_LINE)}”") for one in ignored]
        flows.append(Flow(texts, Text(f"{len(ignored)} ignored as orders", style="yellow"), rows=2))
    return flows


def _count(count: int, noun: str) -> Text:
    return Text(f"{count} {noun}:", style="dim")


def _measures(result: Result) -> list[Flow]:
    pieces = [_pair(*named(name, value)) for name, value in result.items() if name not in _NO_MEASURE]
    missing = len(entries(result, "missing"))
    return [Flow(pieces, rows=8), Flow([_pair("missing", f"{missing}")] if missing else [])]


def _text(result: Result) -> list[Flow]:
    lines = entries(result, "lines")
    if not lines:
        unread = int(result.get("unread") or 0)
        also = f"; {output.count(unread, 'place')} could not be read" if unread else ""
        return [Flow([Text(f"no text{also}", style="dim")])]
    about = [Text(output.count(len(lines), "line"))]
    about.append(_pair("on", f"{percent(result.get('text_share', 0))} of the picture"))
    about += [
        _pair(name, f"{number(result[field])}{unit}")
        for name, field, unit in (
            ("smallest", "smallest_height_px", " px"),
            ("contrast from", "lowest_contrast", ""),
            ("unread", "unread", ""),
        )
        if result.get(field)
    ]
    if result.get("truncated"):
        about.append(Text("more lines than are kept", style="yellow"))
    told = [Text(cut(str(line.get("text", "")), _LONG_LINE)) for line in lines]
    flows = [Flow(about), Flow(told, rows=2, indent=0, gap=" · ")]
    prices = [_price(one) for one in entries(result, "prices")]
    prices += [_reading(one, " off") for one in entries(result, "percents")]
    prices += [_reading(one, "") for one in entries(result, "dates")]
    return [*flows, Flow(prices, rows=3)]


def _price(price: Result) -> Text:
    told = _reading(price, " off" if price.get("off") else "")
    if price.get("suspect"):
        other = f", or {clean(str(price['other']))}" if price.get("other") else ""
        told.append(f" suspect{other}", style="yellow")
    return told


def _reading(found: Result, after: str) -> Text:
    raw = clean(str(found.get("raw") or found.get("amount", "")))
    style = "bold" if found.get("confidence", 0) >= _SURE else ""
    return Text.assemble((f"{raw}{after}", style), (f" {found.get('confidence', 0):.2f}", "dim"))


def _video(result: Result) -> list[Flow]:
    shots, first = entries(result, "shots"), result.get("first_cut_s")
    about = [
        Text(f"{number(result.get('duration_s', 0))} s"),
        Text(output.count(len(shots), "shot")),
        _pair("first cut", f"{number(first)} s") if first is not None else Text("no cut", style="dim"),
        _pair("mean shot", f"{number(result.get('mean_shot_s', 0))} s"),
        _pair("in the first 3 s", str(result.get("shots_in_first_3s", 0))),
        _pair("5 s", str(result.get("shots_in_first_5s", 0))),
        _pair("fullest 5 s", str(result.get("most_shots_in_5s", 0))),
    ]
    about += [Text(word, style="yellow") for word in ("truncated", "damaged") if result.get(word)]
    return [Flow(about), Flow(_sound(inner(result, "sound"))), Flow([_faces(inner(result, "faces"))])]


def _sound(sound: Result) -> list[Text]:
    if not sound:
        return [Text("no sound", style="dim")]
    told = [
        _pair(name, f"{number(sound[field])} {unit}")
        for name, field, unit in (
            ("loudness", "lufs", "LUFS"),
            ("range", "range_lu", "LU"),
            ("peak", "peak_dbfs", "dBFS"),
        )
        if sound.get(field) is not None
    ]
    silences = entries(sound, "silences")
    if silences:
        told.append(_pair("silent", f"{percent(sound.get('silent_share', 0))} in {len(silences)}"))
        told += [
            Text(f"{clock(one.get('start_s', 0))}–{clock(one.get('end_s', 0))}", style="dim")  # noqa: RUF001 - a range
            for one in silences
        ]
    else:
        told.append(Text("no silence", style="dim"))
    return [*told, *([Text("damaged", style="yellow")] if sound.get("damaged") else [])]


def _faces(faces: Result) -> Text:
    if not faces.get("available"):
        return _pair("faces", f"not looked for: {clean(str(faces.get('why', '')))}", "dim")
    looks = f" of {faces.get('looks', 0)} looks"
    if not faces.get("share_of_time"):
        return _pair("faces", f"in none{looks}")
    first = faces.get("first_s")
    told = f"in {percent(faces['share_of_time'])}{looks}, at most {faces.get('most_at_once', 1)} at once"
    told += f", first at {clock(first)}" if first is not None else ""
    return _pair("faces", f"{told}, largest {percent(faces.get('largest_share', 0))} of the picture")


def _transcript(result: Result) -> list[Flow]:
    if not result.get("available"):
        return [Flow([_pair("not available:", clean(str(result.get("why") or "no reason is given")), "dim")])]
    segments = len(entries(result, "segments"))
    about = [clean(str(result.get(name))) for name in ("language", "provider", "model") if result.get(name)]
    about += [output.count(segments, "segment")] if segments else []
    text = cut(str(result.get("text", "")), 4 * _LONG_LINE)
    said = [Text(word) for word in f"“{text}”".split()] if text else [Text("no words were heard", style="dim")]
    return [Flow([Text(each, style="dim") for each in about]), Flow(said, rows=2, indent=0, gap=" ")]


def _copy(result: Result) -> list[Flow]:
    language = inner(result, "language")
    about = [_pair(clean(str(language.get("code", "und"))), f"{language.get('confidence', 0):.2f}")]
    about += [Text(output.count(result[name], noun)) for name, noun in (("chars", "character"), ("words", "word"))
              if result.get(name)]  # fmt: skip
    if cta := inner(result, "cta"):
        about.append(_pair("asks", f"{clean(str(cta.get('id', '')))} “{cut(str(cta.get('text', '')), 30)}”"))
    found = [Text(clean(str(one.get("raw", ""))), "bold") for one in entries(result, "prices")]
    found += [Text(f"{clean(str(one.get('raw', '')))} off") for one in entries(result, "discounts")]
    for sign, name in (("", "domains"), ("#", "hashtags"), ("@", "mentions"), ("", "placeholders"), ("", "emoji")):
        found += [Text(f"{sign}{cut(str(one))}", "dim") for one in result.get(name) or ()]
    return [Flow(about), Flow(found)]


def _safety(result: Result) -> list[Flow]:
    level = str(result.get("level", ""))
    told = [Text.assemble(("risk ", "dim"), (clean(level), _LEVELS.get(level, "")))]
    if "score" in result:
        told.append(_pair("score", f"{result['score']:.2f}"))
    if result.get("time_s") is not None:
        told.append(_pair("at", clock(result["time_s"])))
    told += [
        Text(f"{one.get('category')} {one.get('level')} ({one.get('hits', 0)})") for one in entries(result, "risks")
    ]
    told += [Text(f"“{cut(str(one.get('phrase', '')), 30)}”", style="dim") for one in entries(result, "hits")]
    vendor = inner(result, "moderation")
    if vendor:
        says = "flagged" if vendor.get("flagged") else "not flagged"
        told.append(
            _pair(f"{clean(str(vendor.get('provider', 'vendor')))}:", says, "red" if vendor.get("flagged") else "")
        )
        told += [Text(f"{one.get('category')} {one.get('score', 0):.2f}", style="dim")
                 for one in entries(vendor, "categories")[:4]]  # fmt: skip
    return [Flow(told)]


def _media(result: Result) -> list[Flow]:
    told = [Text(f"{result.get('width')} × {result.get('height')} px")]  # noqa: RUF001 - the sign for sizes
    told += [Text(clean(str(result[name]))) for name in ("format", "aspect_class") if result.get(name)]
    if result.get("duration_s"):
        told.append(Text(f"{number(result['duration_s'])} s"))
    told += [_pair(name, number(result[name])) for name in ("fps",) if result.get(name)]
    told += [_pair("codec", clean(str(result["video_codec"])))] if result.get("video_codec") else []
    audio = inner(result, "audio")
    told += [_pair("sound", clean(str(audio.get("codec", "yes"))))] if audio else []
    colours = [clean(str(one.get("hex", ""))) for one in entries(result, "palette")]
    told += [_pair("colours", " ".join(colours[:3]))] if colours else []
    return [Flow([*told, _pair("phash", clean(str(result.get("phash", ""))))])]


def _likeness(result: Result) -> list[Flow]:
    told = [
        output.count(len(result.get("tokens") or ()), "token"),
        output.count(len(result.get("shots") or ()), "picture kept", "pictures kept"),
    ]
    if result.get("duration_s"):
        told.append(f"{number(result['duration_s'])} s")
    return [Flow([*map(Text, told), *([Text("damaged", style="yellow")] if result.get("damaged") else [])])]


def _embedding(result: Result) -> list[Flow]:
    frames = len(entries(result, "frames"))
    told = [_pair("space", clean(str(result.get("space", ""))))]
    return [Flow([*told, *([_pair("frames", str(frames))] if frames else [])])]


_TELLERS: dict[Shape, Callable[[Result], list[Flow]]] = {
    "scores": _scores,
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
