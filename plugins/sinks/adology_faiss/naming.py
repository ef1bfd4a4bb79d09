"""What entries are called: who embedded what, for whom."""

from __future__ import annotations

from adology import Struct


class Name(Struct, frozen=True, kw_only=True):
    """An entry's id in its parts: the `analyzer` that made the vector, the asset's or copy's hash, the owner.

    One analyzer embeds assets or copies, never both.
    """

    analyzer: str
    subject: str
    owner: str | None = None

    @property
    def id(self) -> str:
        """``text_embedding:9f86d0…``, and ``@`` and the owner behind it where there is one."""
        public = f"{self.analyzer}:{self.subject}"
        return public if self.owner is None else f"{public}@{self.owner}"


def parse_id(entry_id: str) -> Name:
    """The parts of an id.

    Raises:
        ValueError: it was not made by `Name`.
    """
    public, marked, owner = entry_id.partition("@")
    analyzer, divided, subject = public.partition(":")
    if not (divided and analyzer and subject):
        raise ValueError(f"{entry_id!r} is no id of an entry; expected analyzer:subject or analyzer:subject@owner")
    return Name(analyzer=analyzer, subject=subject, owner=owner if marked else None)
