"""The source itself: asks, reads page by page, turns rows into ads, keeps the cursor."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Iterable
from typing import Any, ClassVar

import msgspec

from adology import Ad, Brand, ConfigError, Context, Page, Source
from adology_customer_db.connection import parse_url
from adology_customer_db.convert import Converter, merge
from adology_customer_db.mark import Mark, mark_of
from adology_customer_db.rows import Rows
from adology_customer_db.settings import Columns, CustomerDbSettings
from adology_customer_db.statement import build_statement

MAX_ROWS_PER_AD = 1000

_decode_mark = msgspec.json.Decoder(Mark).decode


class CustomerDb(Source[CustomerDbSettings, Mark]):
    """Ads of a customer's own database, owned by one organisation.

    Handles are what the query's `:handle` is compared with; several are asked for together. With
    a cursor column rows come oldest first, and a page's cursor is its last row's value (never
    later than now). The next gathering reads from there less the lag, ties included. Adjacent
    rows with the same id become one ad, so a query may join an ad with its media.
    """

    name = "customer_db"
    version = 1
    ordered: ClassVar[bool] = True

    async def check(self, ctx: Context[CustomerDbSettings]) -> None:
        """Connect and ask for the columns, not for rows. Raises ConfigError when either is refused."""
        async with _open_rows(ctx, Brand(id=""), low=None, probe=True) as rows:
            _resolve(ctx, rows.keys)

    async def pages(
        self, ctx: Context[CustomerDbSettings], brand: Brand, since: Mark | None
    ) -> AsyncIterator[Page[Mark]]:
        """The brand's rows from the cursor on.

        Raises:
            ConfigError: login, query or a mapped column is refused.
            Retry: the database is away or too slow.
        """
        if not brand.handles_for(ctx.plugin):
            # Without a handle the query might give everybody's rows to this brand.
            return
        resumed = _find_mark(ctx.resume)
        low = resumed or (since.lowered(ctx.settings.lag_s, ctx.settings.lag_number) if since else None)
        ads = _Ads(ctx, resumed or since)
        async with _open_rows(ctx, brand, low=low) as rows:
            columns = _resolve(ctx, rows.keys)
            cursor_column = _find_column(ctx.settings.cursor_column, rows.keys)
            converter = Converter(ctx.settings, columns, today=ctx.now().date())
            while found := await rows.next_rows():
                whole = ads.add((converter.ad(row), row[cursor_column] if cursor_column else None) for row in found)
                if whole:
                    yield _page(ctx, whole, since, ads.mark)
        last = ads.finish()
        if last:
            yield _page(ctx, last, since, ads.mark)
        _report(ctx, converter)


class _Ads:
    """Merges neighbouring rows of one ad, across pages too; `mark` is where to read on from."""

    def __init__(self, ctx: Context[CustomerDbSettings], mark: Mark | None) -> None:
        self._ctx = ctx
        self._held: tuple[Ad, Any] | None = None
        self._rows = 0
        self._last: Any = None
        self.mark = mark

    def add(self, rows: Iterable[tuple[Ad, Any]]) -> tuple[Ad, ...]:
        """Ads that are whole, given more rows with their cursor values. The last may go on, so it is held."""
        whole: list[Ad] = []
        for ad, value in rows:
            if value is not None:
                self._last = value
            if self._held is not None and self._held[0].id == ad.id:
                self._held = self._merge(self._held[0], ad), self._held[1]
                continue
            if self._held is not None:
                whole.append(self._held[0])
            self._held, self._rows = (ad, self._last), 1
        if self._held is not None:
            # From the first row of the held ad on, everything may have to be read again.
            self._move(self._held[1])
        return tuple(whole)

    def finish(self) -> tuple[Ad, ...]:
        """What is left at the end."""
        self._move(self._last)
        return (self._held[0],) if self._held is not None else ()

    def _merge(self, held: Ad, more: Ad) -> Ad:
        self._rows += 1
        if self._rows > MAX_ROWS_PER_AD:
            raise ConfigError(
                f"sources.{self._ctx.plugin}.columns.id",
                f"more than {MAX_ROWS_PER_AD} rows in a row have the id {held.id!r}; allowed: an id per ad",
                code="ADO-2308",
            )
        return merge(held, more)

    def _move(self, value: Any) -> None:
        """Rows come in the database's order, which is the one that counts: the last value is the mark."""
        try:
            self.mark = mark_of(value) or self.mark
        except TypeError as error:
            raise ConfigError(
                f"sources.{self._ctx.plugin}.cursor_column",
                f"{self._ctx.settings.cursor_column} holds {error}; allowed: numbers, timestamps, dates, text, bytes",
                code="ADO-1005",
            ) from None


def _open_rows(ctx: Context[CustomerDbSettings], brand: Brand, *, low: Mark | None, probe: bool = False) -> Rows:
    url = parse_url(ctx.secret("url"), f"sources.{ctx.plugin}.url")
    statement = build_statement(ctx.settings, ctx.plugin, brand, low=low, probe=probe)
    return Rows(url, statement, plugin=ctx.plugin, page_size=ctx.settings.page_size, timeout_s=ctx.settings.timeout_s)


def _page(ctx: Context[CustomerDbSettings], ads: tuple[Ad, ...], since: Mark | None, mark: Mark | None) -> Page[Mark]:
    """A page that the next gathering may start from, and that this one may go on from after a crash."""
    if mark is None or not ctx.settings.cursor_column:
        return Page(ads=ads)
    cursor = mark.capped(ctx.now())
    # Rows within the lag lie before the old cursor; it does not go back for them.
    if since is not None and since.kind == cursor.kind:
        cursor = max(since, cursor)
    return Page(ads=ads, cursor=cursor, resume=msgspec.json.encode(mark).decode())


def _find_mark(token: str | None) -> Mark | None:
    if not token:
        return None
    try:
        return _decode_mark(token)
    except msgspec.DecodeError:
        return None


def _find_column(name: str, keys: tuple[str, ...]) -> str:
    """The answer's own spelling of a column: databases differ in what they do to its case."""
    if name in keys:
        return name
    return next((key for key in keys if key.lower() == name.lower()), "")


def _resolve(ctx: Context[CustomerDbSettings], keys: tuple[str, ...]) -> Columns:
    """The mapping in the answer's own spelling.

    Raises:
        ConfigError: a mapped column is not in the answer.
    """
    changed: dict[str, Any] = {}
    columns = ctx.settings.columns
    for field in columns.__struct_fields__:
        given = getattr(columns, field)
        names = (given,) if isinstance(given, str) else given
        found = tuple(_need(ctx, f"columns.{field}", name, keys) for name in names if name)
        changed[field] = found if isinstance(given, tuple) else "".join(found)
    if ctx.settings.cursor_column:
        _need(ctx, "cursor_column", ctx.settings.cursor_column, keys)
    return msgspec.structs.replace(columns, **changed)


def _need(ctx: Context[CustomerDbSettings], setting: str, name: str, keys: tuple[str, ...]) -> str:
    found = _find_column(name, keys)
    if found:
        return found
    near = difflib.get_close_matches(name, keys, n=1)
    raise ConfigError(
        f"sources.{ctx.plugin}.{setting}",
        f"the query's answer has no column {name}; it has {', '.join(keys)}",
        f"Did you mean {near[0]}?" if near else None,
        code="ADO-2307",
    )


def _report(ctx: Context[CustomerDbSettings], converter: Converter) -> None:
    if converter.without_id:
        ctx.log.bind(rows=converter.without_id).warning("rows without an id: told apart by a hash of the row")
    if converter.unfetchable:
        ctx.log.bind(addresses=converter.unfetchable).warning(
            "media addresses that are not http(s): set media_base_url if they are relative"
        )
