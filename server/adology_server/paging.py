"""Pages of lists: opaque, signed cursors that name the place after a row, for one caller and one question."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from adology_server.problems import Refusal
from adology_server.tenancy import Tenants

DEFAULT, MOST = 50, 200
_TAG = 16

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Rows of a page, at most.")]
After = Annotated[str | None, QueryParameter(max_length=2000, description="`next` of the page before.")]


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Rows in order. `next` is the cursor of the page after this; null on the last one."""

    items: list[T]
    next: str | None


class Cursors:
    """Makes and checks cursors; replicas share the key through the database."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._key: bytes | None = None

    async def decode(self, question: Sequence[Any], cursor: str | None) -> list[Any] | None:
        """The values behind which the page begins; None for the first page.

        Args:
            question: who asks what: organisation, list, filters, order. A cursor is good for that alone.
            cursor: as it was given out.

        Raises:
            Refusal: it was changed, or belongs to another question.
        """
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (ValueError, binascii.Error):
            raw = b""
        tag, body = raw[:_TAG], raw[_TAG:]
        if not hmac.compare_digest(tag, await self._tag(question, body)):
            detail = "The cursor was changed, or is of another list, filter or caller: begin without one."
            raise Refusal("bad-cursor", detail, field="after")
        values: list[Any] = msgspec.json.decode(body)
        return values

    async def encode(self, question: Sequence[Any], values: Sequence[Any]) -> str:
        """The cursor of the place behind the row with these values."""
        body = msgspec.json.encode(list(values))
        return base64.urlsafe_b64encode(await self._tag(question, body) + body).decode("ascii").rstrip("=")

    async def page(
        self, question: Sequence[Any], rows: Sequence[T], limit: int, values: Callable[[T], Sequence[Any]]
    ) -> Page[T]:
        """A page of at most `limit` of these rows, of which there is one more where another page follows."""
        shown = list(rows[:limit])
        more = len(rows) > limit
        return Page(items=shown, next=await self.encode(question, values(shown[-1])) if more else None)

    async def _tag(self, question: Sequence[Any], body: bytes) -> bytes:
        if self._key is None:
            ((row),) = await self._tenants.rows(None, "select server_key('cursors') as key")
            self._key = bytes(row["key"])
        asked = msgspec.json.encode(question, order="deterministic")
        return hmac.digest(self._key, len(asked).to_bytes(4, "big") + asked + body, "sha256")[:_TAG]
