"""What requests and answers about brandspaces look like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from adology_server.people.model import Answer, Body, Name

BrandRole = Literal["primary", "competitor", "followed"]
BrandId = Annotated[str, Meta(min_length=1, max_length=200)]
MOST_BRANDS = 200
Brands = Annotated[tuple[BrandId, ...], Meta(max_length=MOST_BRANDS)]


class NewBrandspace(Body, frozen=True, kw_only=True):
    """A brandspace and the brands in it, by id."""

    name: Name
    primary: BrandId | None = None
    competitors: Brands = ()
    followed: Brands = ()

    @property
    def roles(self) -> list[tuple[str, BrandRole]]:
        """Each brand with its role, in the order given."""
        return [
            *([(self.primary, "primary")] if self.primary is not None else []),  # type: ignore[list-item]  # a literal
            *((brand, "competitor") for brand in self.competitors),
            *((brand, "followed") for brand in self.followed),
        ]


class BrandspaceChange(Body, frozen=True, kw_only=True):
    """Another name."""

    name: Name


class Placing(Body, frozen=True, kw_only=True):
    """What a brand is in the brandspace. A new primary makes the old one a competitor."""

    role: BrandRole


class Choice(Body, frozen=True, kw_only=True):
    """The brandspace that is seen where a request names none."""

    brandspace_id: UUID


class Placed(Answer, frozen=True, kw_only=True):
    """A brand in a brandspace."""

    brand: str
    name: str
    role: BrandRole
    added_at: datetime


class Brandspace(Answer, frozen=True, kw_only=True):
    """A brandspace: primary first, then competitors, then followed brands, by id."""

    id: UUID
    name: str
    version: int
    brands: tuple[Placed, ...]
    created_at: datetime
    updated_at: datetime
