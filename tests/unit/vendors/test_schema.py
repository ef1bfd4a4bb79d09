from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from adology.types import Struct
from adology.vendors.schema import strict_schema
from tests.unit.vendors.rig import Labels
from upstreams.openai.answers import Chooser
from upstreams.openai.errors import Refusal
from upstreams.openai.schemas import StrictCheck


class Mood(Enum):
    calm = "calm"
    loud = "loud"


class Node(Struct, frozen=True, kw_only=True):
    """Holds itself."""

    name: str
    mood: Annotated[Mood, Meta(description="how it feels")] = Mood.calm
    below: tuple[Node, ...] = ()
    beside: Node | None = None


class Flat(Struct, frozen=True, kw_only=True):
    score: Annotated[float, Meta(ge=0, le=1)]
    kind: Literal["a", "b"] = "a"
    level: Literal[1, 2] = 1
    words: Annotated[list[str], Meta(max_length=3)] = msgspec.field(default_factory=list)
    ok: bool = True
    note: Annotated[str, Meta(max_length=40)] | None = None


@pytest.mark.parametrize("kind", [Labels, Node, Flat])
def test_strict_mode_takes_the_schema_and_every_answer_to_it_fits_the_struct(kind: type[Any]) -> None:
    schema = strict_schema(kind)
    StrictCheck("shape", schema).run()
    for seed in range(200):
        value = Chooser(schema, str(seed), []).value()
        assert isinstance(msgspec.convert(value, kind), kind)


def test_every_property_is_required_and_no_other_is_allowed() -> None:
    schema = strict_schema(Flat)
    assert schema["required"] == ["score", "kind", "level", "words", "ok", "note"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["score"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert schema["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert schema["properties"]["level"] == {"type": "integer", "enum": [1, 2]}
    assert schema["properties"]["note"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert "$defs" not in schema


def test_nothing_stands_beside_a_reference() -> None:
    assert strict_schema(Node)["properties"]["mood"] == {"$ref": "#/$defs/Mood"}


def test_a_struct_that_is_made_at_run_time_works_as_well() -> None:
    ids = Literal["iab-1", "iab-2"]
    made = msgspec.defstruct("Topics", [("topic", ids), ("sure", bool)])
    schema = strict_schema(made)
    StrictCheck("topics", schema).run()
    assert schema["properties"]["topic"]["enum"] == ["iab-1", "iab-2"]


class Loose(Struct, frozen=True, kw_only=True):
    counts: dict[str, int]


class Pair(Struct, frozen=True, kw_only=True):
    both: tuple[str, int]


class Anything(Struct, frozen=True, kw_only=True):
    what: Any


class Things(Struct, frozen=True, kw_only=True):
    what: list[Any]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Loose, "Loose.counts is a dict of unknown keys"),
        (Pair, "Pair.both needs 'prefixItems'"),
        (Anything, "Anything.what may be anything"),
        (Things, "Things.what is a list of anything"),
    ],
)
def test_what_strict_mode_has_no_word_for_is_refused_by_name(kind: type[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        strict_schema(kind)


def test_only_a_struct_can_be_asked_for() -> None:
    with pytest.raises(TypeError, match=r"no msgspec\.Struct"):
        strict_schema(dict)


def test_the_stand_in_refuses_what_msgspec_says_by_itself() -> None:
    """Else the tests above would prove nothing."""
    (_,), definitions = msgspec.json.schema_components([Flat])
    with pytest.raises(Refusal, match="additionalProperties"):
        StrictCheck("flat", definitions["Flat"]).run()
