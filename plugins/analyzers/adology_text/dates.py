# ruff: noqa: RUF001 - months of other languages
"""Calendar dates in lines. Where day and month cannot be told apart, both readings are given."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from adology import Struct

MONTHS: tuple[tuple[str, ...], ...] = (
    ("january", "jan", "januar", "jänner", "janvier", "janv", "enero", "ene", "gennaio", "gen", "januari", "janeiro",
     "ocak", "styczeń", "stycznia", "ιανουαρίου"),
    ("february", "feb", "februar", "février", "févr", "febrero", "febbraio", "februari", "fevereiro", "fev", "şubat",
     "luty", "lutego", "φεβρουαρίου"),
    ("march", "mar", "märz", "mrz", "mars", "marzo", "maart", "mrt", "março", "mart", "marca", "μαρτίου"),
    ("april", "apr", "avril", "avr", "abril", "abr", "aprile", "nisan", "kwietnia", "απριλίου"),
    ("may", "mai", "mayo", "maggio", "mag", "mei", "maio", "maj", "mayıs", "maja", "μαΐου"),
    ("june", "jun", "juni", "juin", "junio", "giugno", "giu", "junho", "haziran", "czerwca", "ιουνίου"),
    ("july", "jul", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho", "temmuz", "lipca", "ιουλίου"),
    ("august", "aug", "août", "agosto", "ago", "augustus", "augusti", "ağustos", "sierpnia", "αυγούστου"),
    ("september", "sep", "sept", "septembre", "septiembre", "settembre", "set", "setembro", "eylül", "września",
     "σεπτεμβρίου"),
    ("october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro", "out", "ekim",
     "października", "οκτωβρίου"),
    ("november", "nov", "novembre", "noviembre", "novembro", "kasım", "listopada", "νοεμβρίου"),
    ("december", "dec", "dezember", "dez", "décembre", "déc", "diciembre", "dic", "dicembre", "dezembro", "aralık",
     "grudnia", "δεκεμβρίου"),
)  # fmt: skip

NUMBER_OF = {name: number for number, names in enumerate(MONTHS, start=1) for name in names}
_NAMES = "|".join(sorted((re.escape(name) for name in NUMBER_OF), key=len, reverse=True))
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|\.)?"
_YEAR = r"(?:19|20)\d\d"
_END = r"(?![\w])(?![.,:/-]\d)"

DAY_FIRST = re.compile(
    rf"(?<![\w.,:/$€£-]){_DAY}\s?(?:de\s|d'|of\s)?(?P<month>{_NAMES})\b\.?(?:,?\s?(?:de\s|del\s)?(?P<year>{_YEAR}))?{_END}",
    re.IGNORECASE,
)
MONTH_FIRST = re.compile(
    rf"(?<![\w])(?P<month>{_NAMES})\b\.?\s?{_DAY}(?:,?\s?(?P<year>{_YEAR}))?(?![\w%])(?![.,:/-]\d)", re.IGNORECASE
)
YEAR_FIRST = re.compile(rf"(?<![\w.,/-])(?P<year>{_YEAR})(?P<mark>[-/.])(?P<a>[01]?\d)(?P=mark)(?P<b>[0-3]?\d){_END}")
HAN = re.compile(r"(?:(?P<year>(?:19|20)\d\d)\s?年\s?)?(?P<a>[01]?\d)\s?月\s?(?P<b>[0-3]?\d)\s?日")
NUMERIC = re.compile(
    rf"(?<![\w.,/$€£-])(?P<a>[0-3]?\d)(?P<mark>[-/.])(?P<b>[0-3]?\d)(?P=mark)(?P<year>{_YEAR}|\d\d){_END}"
)
CENTURY = 2000
TWO_DIGITS = 100
LEAP_YEAR = 2024


class Found(Struct, frozen=True, kw_only=True):
    """One date of a text: its possible values, and where it stands."""

    values: tuple[str, ...]
    raw: str
    start: int


def find(text: str) -> tuple[Found, ...]:
    """The dates in order; what no calendar has is left out."""
    found: dict[int, Found] = {}
    for pattern in (YEAR_FIRST, HAN, NUMERIC, DAY_FIRST, MONTH_FIRST):
        for match in pattern.finditer(text):
            values = tuple(dict.fromkeys(_values(match)))
            taken = any(one.start < match.end() and match.start() < one.start + len(one.raw) for one in found.values())
            if values and not taken:
                found[match.start()] = Found(values=values, raw=match.group().strip(), start=match.start())
    return tuple(found[at] for at in sorted(found))


def _values(match: re.Match[str]) -> Iterator[str]:
    parts = match.groupdict()
    year = int(parts["year"]) if parts.get("year") else None
    if year is not None and year < TWO_DIGITS:
        year += CENTURY
    if parts.get("month"):
        pairs = [(NUMBER_OF[parts["month"].lower()], int(parts["day"]))]
    elif match.re is NUMERIC:
        first, second = int(parts["a"]), int(parts["b"])
        # With dots the day comes first wherever dates are written so.
        pairs = [(second, first)] if parts["mark"] == "." else [(second, first), (first, second)]
    else:
        pairs = [(int(parts["a"]), int(parts["b"]))]
    for month, day in pairs:
        value = _iso(year, month, day)
        if value:
            yield value


def _iso(year: int | None, month: int, day: int) -> str:
    try:
        # Without a year the 29th of February is a day.
        made = dt.date(year or LEAP_YEAR, month, day)
    except ValueError:
        return ""
    return made.isoformat() if year else f"--{month:02}-{day:02}"
