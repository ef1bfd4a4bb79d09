"""Reads packs from TOML and refuses what would give wrong verdicts, saying where and what is allowed."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from adology.errors import ConfigError
from adology_scores.catalogue import LEVELS, MEASURES, Measure
from adology_scores.pack_model import Band, Pack, Rule, Zone, ratio_of

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
NUMBERS = ("at_least", "at_most", "above", "below")
COMPARISONS = (*NUMBERS, "equals", "one_of")
LARGEST = 256 * 1024
MOST_FILES = 200


def parse(text: str, *, where: str) -> Pack:
    """The pack in a TOML document; `where` names the file in errors.

    Raises:
        ConfigError: it is no TOML, a key is unknown or missing, or a rule makes no sense.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(where, f"cannot be read as TOML: {error}") from error
    _check_keys(plain, where)
    try:
        pack = msgspec.convert(plain, Pack)
    except msgspec.ValidationError as error:
        raise ConfigError(where, f"is no rule pack: {_place(error, plain)}") from error
    pack = msgspec.structs.replace(pack, fingerprint=fingerprint(pack))
    check(pack, where=where)
    return pack


def fingerprint(pack: Pack) -> str:
    """12 hex digits over everything that the pack says; comments and order of keys do not count."""
    payload = msgspec.json.encode(msgspec.structs.replace(pack, fingerprint=""), order="sorted")
    return hashlib.sha256(payload).hexdigest()[:12]


def check(pack: Pack, *, where: str) -> None:
    """Refuse a pack that cannot be applied.

    Raises:
        ConfigError: names the rule, what was seen and what is allowed.
    """
    if not NAME.fullmatch(pack.id):
        raise ConfigError(where, f"the pack's id is {pack.id!r}", "Allowed: small letters, digits and single hyphens.")
    if not pack.kinds or not pack.rules:
        raise ConfigError(
            where, f"pack {pack.id} has no {'kinds' if not pack.kinds else 'rules'}", "Give at least one."
        )
    twice = [rule for rule, count in Counter(rule.id for rule in pack.rules).items() if count > 1]
    if twice:
        raise ConfigError(where, f"pack {pack.id} has {twice[0]!r} as the id of two rules", "Ids of rules are unique.")
    _check_shapes(pack, where)
    for rule in pack.rules:
        _check_rule(rule, pack, f"{where}, rule {rule.id}")


def _check_rule(rule: Rule, pack: Pack, where: str) -> None:
    if not NAME.fullmatch(rule.id):
        raise ConfigError(where, f"the rule's id is {rule.id!r}", "Allowed: small letters, digits and single hyphens.")
    if rule.measure not in MEASURES:
        raise ConfigError(where, f"there is no measure {rule.measure!r}", _near(rule.measure, MEASURES))
    if not rule.source.strip():
        raise ConfigError(where, "source is empty", "Say where the threshold comes from.")
    measure = MEASURES[rule.measure]
    _check_comparison(rule, measure, where)
    kinds = set(rule.kinds or pack.kinds)
    if not kinds & set(measure.kinds) & set(pack.kinds):
        raise ConfigError(
            where,
            f"{rule.measure} is measured of {', '.join(measure.kinds)}, the rule is for {', '.join(sorted(kinds))} "
            f"in a pack for {', '.join(pack.kinds)}",
            "Give kinds that all three have.",
        )
    if rule.measure == "aspect_distance" and not pack.aspects:
        raise ConfigError(where, "the pack has no aspects to be near to", 'Give aspects = ["4:5"] in the pack.')
    if rule.measure == "text_outside_zone" and pack.zone is None:
        raise ConfigError(where, "the pack has no zone", "Give [zone] in the pack.")


def _check_comparison(rule: Rule, measure: Measure, where: str) -> None:
    given = [name for name in COMPARISONS if getattr(rule, name) not in (None, ())]
    fit = ("equals",) if measure.unit == "flag" else ("one_of",) if measure.unit == "level" else NUMBERS
    wrong = [name for name in given if name not in fit]
    if wrong or not given:
        seen = f"is compared by {wrong[0]}" if wrong else "is compared with nothing"
        raise ConfigError(where, f"{measure.name} is a {measure.unit} and {seen}", f"Allowed: {', '.join(fit)}.")
    levels = [level for level in rule.one_of if level not in LEVELS]
    if levels:
        raise ConfigError(where, f"there is no level {levels[0]!r}", f"Levels: {', '.join(LEVELS)}.")
    for name in given:
        value = getattr(rule, name)
        if name in NUMBERS and not _is_in_range(value, measure):
            raise ConfigError(
                where,
                f"{name} is {value:g}, {measure.name} lies between {_edge(measure.low)} and {_edge(measure.high)}",
                "No creative could ever tell such a rule apart.",
            )
    lower = max((v for v in (rule.at_least, rule.above) if v is not None), default=None)
    upper = min((v for v in (rule.at_most, rule.below) if v is not None), default=None)
    if lower is not None and upper is not None and lower > upper:
        raise ConfigError(where, f"asks for at least {lower:g} and at most {upper:g}", "Nothing can be both.")


def _is_in_range(value: float, measure: Measure) -> bool:
    low, high = measure.low, measure.high
    return value == value and (low is None or value >= low) and (high is None or value <= high)  # noqa: PLR0124 - NaN


def _edge(value: float | None) -> str:
    return "any value" if value is None else f"{value:g}"


def _check_shapes(pack: Pack, where: str) -> None:
    for aspect in (*pack.aspects, *([pack.zone.aspect] if pack.zone else [])):
        try:
            ratio_of(aspect)
        except (ValueError, ArithmeticError) as error:
            raise ConfigError(where, f"{aspect!r} is no shape", 'Write width and height as in "9:16".') from error
    if pack.zone is None:
        return
    sides = (pack.zone.top, pack.zone.bottom, pack.zone.left, pack.zone.right)
    if not all(0 <= side < 1 for side in sides) or sides[0] + sides[1] >= 1 or sides[2] + sides[3] >= 1:
        raise ConfigError(where, f"the zone leaves nothing free: {sides}", "Sides are shares of height and width.")


def _check_keys(plain: Mapping[str, Any], where: str) -> None:
    """Unknown keys first: the message can then name the nearest known one."""
    _known(plain, Pack, where, besides=("fingerprint",))
    for key, kind in (("zone", Zone), ("rules", Rule), ("bands", Band)):
        tables = plain.get(key, [])
        for number, table in enumerate(tables if isinstance(tables, list) else [tables]):
            if isinstance(table, Mapping):
                _known(table, kind, f"{where}, {_called(table, key, number)}")


def _called(table: Mapping[str, Any], key: str, number: int) -> str:
    return f"rule {table['id']}" if key == "rules" and "id" in table else f"{key}[{number}]"


def _known(table: Mapping[str, Any], kind: type[msgspec.Struct], where: str, besides: Collection[str] = ()) -> None:
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in besides]
    names = [field.name for field in fields]
    for key in table:
        if key not in names:
            raise ConfigError(where, f"there is no key {key!r}", _near(key, names))
    for field in fields:
        if field.required and field.name not in table:
            raise ConfigError(
                where, f"{field.name} is missing", f"Needed: {', '.join(f.name for f in fields if f.required)}."
            )


def _near(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."


def _place(error: msgspec.ValidationError, plain: Mapping[str, Any]) -> str:
    """The message, naming the rule by its id instead of its number."""
    found = re.search(r"\$\.rules\[(\d+)\]", str(error))
    if not found:
        return str(error)
    rule = plain["rules"][int(found[1])]
    return f"{error} (rule {rule.get('id', found[1])})" if isinstance(rule, Mapping) else str(error)


@cache
def built_in() -> tuple[Pack, ...]:
    """The packs that come with this package, in order of name."""
    folder = resources.files("adology_scores") / "packs"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return tuple(parse(one.read_text("utf-8"), where=one.name) for one in files)


@cache
def from_folder(folder: str, setting: str) -> tuple[Pack, ...]:
    """The packs of a folder, read once per process, so that verdicts and fingerprints agree.

    Raises:
        ConfigError: the folder or a file cannot be read, or a pack is wrong.
    """
    if not Path(folder).is_dir():
        raise ConfigError(setting, f"{folder} is no folder that can be read")
    files = sorted(Path(folder).glob("*.toml"))
    if not files or len(files) > MOST_FILES:
        raise ConfigError(setting, f"{folder} holds {len(files)} files *.toml", f"Allowed: 1 to {MOST_FILES}.")
    return tuple(_read(path) for path in files)


def _read(path: Path) -> Pack:
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(str(path), f"has {path.stat().st_size} bytes", f"Allowed: {LARGEST}.")
        return parse(path.read_text("utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from error
