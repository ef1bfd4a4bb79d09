"""What the labelling analyzers say. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Kind = Literal["line", "frame", "region", "copy", "measure"]


class Evidence(Struct, frozen=True, kw_only=True):
    """Where a label comes from.

    `line`: `text` stands in the `line`-th line of the text analyzer, with its `box` (left, top,
    right, bottom, of the picture, in [0, 1]) and, in videos, the time `time_s` at which it is
    first seen. `copy`: in the `index`-th text `where` (body, title, caption, description, cta).
    `frame`: in the whole picture, of a video at `time_s` seconds; `region`: in its part `box`, to
    a third of width and height. `measure`: `text` names a measurement and its value.
    """

    kind: Kind
    text: str = ""
    line: int | None = None
    time_s: float | None = None
    box: tuple[float, ...] | None = None
    where: str = ""
    index: int | None = None


class Label(Struct, frozen=True, kw_only=True):
    """One id of one taxonomy, and how sure that is, in [0, 1].

    `name` is what the taxonomy calls it, where that is not its id.
    """

    taxonomy: str
    version: str
    id: str
    name: str = ""
    confidence: float
    evidence: tuple[Evidence, ...] = ()


class OtherLabel(Struct, frozen=True, kw_only=True):
    """An answer in a model's own words, where no id was right: shows gaps of the taxonomy."""

    taxonomy: str
    text: str


class Labels(Struct, frozen=True, kw_only=True):
    """The labels of one creative or one ad's copy, in the order of the taxonomies, surest first.

    `unknown` are the taxonomies without an answer, those in `others` included. `ignored` are
    sentences that give orders to whoever labels, or speak of the ad itself: they were no evidence.
    `valence` (unpleasant to pleasant) and `arousal` (calm to excited) are in [-1, 1], None where
    nobody judged them. `model` is the embedding space, or the vendor's name of its model.
    """

    provider: str
    model: str
    labels: tuple[Label, ...] = ()
    unknown: tuple[str, ...] = ()
    others: tuple[OtherLabel, ...] = ()
    ignored: tuple[Evidence, ...] = ()
    valence: float | None = None
    arousal: float | None = None
