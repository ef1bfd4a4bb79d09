"""Batches at a vendor: who waits for which answer, so that nothing is paid twice and nothing is lost.

A batch holds analyses from `prepare` to `end`: they are *deferred* until long after the vendor has
forgotten it, so that no worker makes them as well. Each step is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Rollback
from psycopg.types.json import Jsonb

from adology.engine.vendor_batch import AT_WORK, Asked, BatchPhase, Prepared, Received, VendorBatch, Waiting
from adology.errors import Deferred
from adology.money.calls import Payer, Reservation
from adology.money.prices import PriceTable
from adology.store.analyses import finish
from adology.store.database import Connection, Database
from adology.store.spending import Spending
from adology.store.subjects import link_many
from adology.store.vendor_bills import most_for, settle_batch, sum_units
from adology.store.vendor_requests import claim_requests, count_outcomes, give_back, reclaim

_COLUMNS = ", ".join(
    f"{name}::float" if name.endswith("_usd") else f"{name}::text" if name == "id" else name
    for name in VendorBatch.__struct_fields__
)


class VendorBatches:
    """The batches of all processes."""

    def __init__(self, database: Database, spending: Spending) -> None:
        self._database = database
        self._spending = spending

    @property
    def prices(self) -> PriceTable:
        """What answers cost."""
        return self._spending.prices

    async def link_finished(self, keys: Sequence[str], *, but_failed: bool) -> set[str]:
        """Those analyses that were made already, as after settings that came back; they are their subjects' own now.

        `but_failed`: failures do not count.
        """
        async with (
            self._database.connection("vendor_batches.link", count=len(keys)) as connection,
            connection.transaction(),
        ):
            found = await connection.execute(
                "select key from analyses where key = any(%s) and (state = 'done' or state = 'failed' and not %s)",
                [list(keys), but_failed],
            )
            finished = {row[0] for row in await found.fetchall()}
            await link_many(connection, sorted(finished))
            return finished

    async def prepare(
        self, batch: VendorBatch, asked: Sequence[Asked], *, owner: str, lease_s: float, reopen: bool
    ) -> Prepared:
        """Claim the analyses that nobody has, set their price aside, and note the batch: all of it or nothing.

        With `reopen`, failed analyses are claimed as well. Of a payer whose budget does not reach,
        as many as it pays for.

        Raises:
            ConfigError: budgets are set, and the model has no price to hold against them.
        """
        left: dict[str, int] = {}
        keys: set[str] = set()
        total: Decimal | None = Decimal(0)
        by_brand: dict[str, list[Asked]] = {}
        for one in asked:
            by_brand.setdefault(one.brand, []).append(one)
        async with (
            self._database.connection("vendor_batches.prepare", count=len(asked)) as connection,
            connection.transaction() as whole,
        ):
            await _insert(connection, batch, owner, lease_s)
            for brand in sorted(by_brand):
                group = by_brand[brand]
                try:
                    async with connection.transaction():
                        taken = await self._take(connection, batch, brand, group, reopen=reopen)
                except Deferred as error:
                    left[error.message] = left.get(error.message, 0) + len(group)
                    continue
                keys |= taken.keys
                total = None if total is None or taken.estimate_usd is None else total + taken.estimate_usd
                if taken.why:
                    left[taken.why] = left.get(taken.why, 0) + len(group) - taken.tried
            if not keys:
                raise Rollback(whole)
            await connection.execute(
                "update vendor_batches set requests = %s, estimate_usd = %s where id = %s",
                [len(keys), total, batch.id],
            )
        return Prepared(keys=frozenset(keys), left=left, estimate_usd=total)

    async def _take(
        self, connection: Connection, batch: VendorBatch, brand: str, group: list[Asked], *, reopen: bool
    ) -> _Taken:
        """One payer's: claimed and paid for as far as the day's budget reaches."""
        payer = Payer(brand=brand)
        day = batch.created_at.date()
        price = self._spending.prices.find(batch.service, batch.model, day)
        purse = await self._spending.left_in(connection, payer, day) if price is not None else None
        count, why = len(group), ""
        if price is not None and purse is not None and price.cost(sum_units(group)) > purse:
            count = most_for(purse, group, price)
            why = f"the day's budget for brand {brand!r} has {max(purse, Decimal(0)):.4f} USD left, too little for all"
        chosen = group[:count]
        keys = await claim_requests(connection, batch.id, chosen, reopen=reopen)
        if not keys:
            return _Taken(keys, count, Decimal(0), why)
        units = sum_units([one for one in chosen if one.claim.key in keys])
        estimate = None if price is None else price.cost(units)
        await self._spending.reserve_in(
            connection,
            Reservation(
                service=batch.service,
                model=batch.model,
                plugin=batch.analyzer,
                payer=payer,
                units=units,
                estimate_usd=estimate,
                day=day,
                vendor_batch=batch.id,
            ),
        )
        return _Taken(keys, count, estimate, why)

    async def begin_submit(self, batch_id: str, *, owner: str, input_file_id: str, lease_s: float) -> bool:
        """From here on the vendor may have it. False: it took too long, and the analyses were given back."""
        return await self._change(
            "submit",
            "state = 'submitting', input_file_id = %(file)s, lease_until = now() + %(lease)s",
            "id = %(id)s and owner = %(owner)s and state in ('preparing', 'submitting') and lease_until > now()",
            id=batch_id,
            owner=owner,
            file=input_file_id,
            lease=timedelta(seconds=lease_s),
        )

    async def note_opened(self, batch_id: str, *, vendor_id: str, vendor_state: str, look_s: float) -> bool:
        """The vendor has it, under that id. False: it is known under another id, or given back."""
        return await self._change(
            "open",
            "state = 'open', vendor_id = %(vendor)s, vendor_state = %(state)s, lease_until = null, error = null,"
            " submitted_at = coalesce(submitted_at, now()), next_look_at = now() + %(look)s",
            "id = %(id)s and (state = 'submitting' or state = 'open' and vendor_id = %(vendor)s)",
            id=batch_id,
            vendor=vendor_id,
            state=vendor_state,
            look=timedelta(seconds=look_s),
        )

    async def note_look(self, batch_id: str, *, vendor_state: str | None = None, error: str | None = None) -> None:
        """How the vendor said it is, or why that is not known."""
        await self._change(
            "look",
            "vendor_state = coalesce(%(state)s, vendor_state), error = %(error)s",
            "id = %(id)s and ended_at is null",
            id=batch_id,
            state=vendor_state,
            error=error,
        )

    async def take_lost(self, *, owner: str, lease_s: float, limit: int) -> list[VendorBatch]:
        """Batches whose process died, or never learnt what became of them; they are `owner`'s now."""
        return await self._take_some(
            "lost",
            "owner = %(owner)s, lease_until = now() + %(lease)s, tries = tries + 1",
            "state in ('preparing', 'submitting') and lease_until < now() order by lease_until",
            owner=owner,
            lease=timedelta(seconds=lease_s),
            limit=limit,
        )

    async def take_due(self, *, every_s: float, limit: int) -> list[VendorBatch]:
        """Batches at the vendor that nobody has looked at for that long; nobody gets them again before that."""
        return await self._take_some(
            "due",
            "next_look_at = now() + %(every)s",
            "state = 'open' and next_look_at <= now() order by next_look_at",
            every=timedelta(seconds=every_s),
            limit=limit,
        )

    async def waiting(self, batch_id: str, keys: Sequence[str]) -> dict[str, Waiting]:
        """Those of the requests that have no answer yet."""
        async with self._database.connection("vendor_batches.waiting", count=len(keys)) as connection:
            found = await connection.execute(
                "select key, info from vendor_requests where batch = %s and key = any(%s) and outcome is null",
                [batch_id, list(keys)],
            )
            return {key: Waiting(key=key, info=info) for key, info in await found.fetchall()}

    async def known(self, batch_id: str, keys: Sequence[str]) -> set[str]:
        """Those that are requests of the batch."""
        async with self._database.connection("vendor_batches.known", count=len(keys)) as connection:
            found = await connection.execute(
                "select key from vendor_requests where batch = %s and key = any(%s)", [batch_id, list(keys)]
            )
            return {row[0] for row in await found.fetchall()}

    async def keep(self, batch_id: str, answers: Sequence[Received]) -> int:
        """Store results and link them to their subjects, once; how many of them were new."""
        async with (
            self._database.connection("vendor_batches.keep", count=len(answers)) as connection,
            connection.transaction(),
        ):
            found = await connection.execute(
                "select key from vendor_requests where batch = %s and key = any(%s) and outcome is null"
                " order by key for update",
                [batch_id, [one.record.key for one in answers]],
            )
            mine = {row[0] for row in await found.fetchall()}
            fresh = [one for one in answers if one.record.key in mine]
            taken = await reclaim(connection, sorted(mine))
            await finish(connection, [one.record for one in fresh if one.record.key in taken])
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    "update vendor_requests set outcome = %s, model = %s, units = %s where key = %s",
                    [(_outcome(one, taken), one.model, Jsonb(one.units), one.record.key) for one in fresh],
                )
            await link_many(connection, sorted(taken))
            return len(fresh)

    async def end(
        self,
        batch_id: str,
        state: BatchPhase,
        *,
        noise: dict[str, int] | None = None,
        error: str | None = None,
        lost: bool = False,
        only: Sequence[BatchPhase] = AT_WORK,
    ) -> dict[str, int] | None:
        """Give back what has no answer, settle the ledger, and close the batch; its counts.

        None: it is not in one of the states `only`, or has ended already. `lost`: there were answers
        that nobody can read any more; what was set aside counts as spent.
        """
        async with (
            self._database.connection("vendor_batches.end", state=state) as connection,
            connection.transaction(),
        ):
            found = await connection.execute(
                f"select {_COLUMNS} from vendor_batches where id = %s and state = any(%s) for update".encode(),
                [batch_id, list(only)],
            )
            row = await found.fetchone()
            if row is None:
                return None
            batch = _batch(row)
            counts = {**await count_outcomes(connection, batch_id), **{k: v for k, v in (noise or {}).items() if v}}
            await give_back(connection, batch_id)
            cost = await settle_batch(connection, self._spending.prices, batch, lost=lost)
            await connection.execute("delete from vendor_requests where batch = %s", [batch_id])
            await connection.execute(
                "update vendor_batches set state = %s, counts = %s, error = %s, cost_usd = %s, ended_at = now(),"
                " lease_until = null, next_look_at = null where id = %s",
                [state, Jsonb(counts), error, cost, batch_id],
            )
            return counts

    async def list_batches(self, *, limit: int) -> list[VendorBatch]:
        """Those that are under way, and the newest others; newest first."""
        async with self._database.connection("vendor_batches.list") as connection:
            found = await connection.execute(
                f"select {_COLUMNS} from vendor_batches order by ended_at is not null, created_at desc, id"
                " limit %s".encode(),
                [limit],
            )
            return [_batch(row) for row in await found.fetchall()]

    async def _change(self, what: str, change: str, where: str, **values: Any) -> bool:
        async with self._database.connection(f"vendor_batches.{what}") as connection:
            done = await connection.execute(f"update vendor_batches set {change} where {where}".encode(), values)
            return done.rowcount > 0

    async def _take_some(self, what: str, change: str, where: str, **values: Any) -> list[VendorBatch]:
        async with self._database.connection(f"vendor_batches.{what}") as connection:
            found = await connection.execute(
                f"update vendor_batches set {change} where id in (select id from vendor_batches where {where}"
                f" limit %(limit)s for update skip locked) returning {_COLUMNS}".encode(),
                values,
            )
            return [_batch(row) for row in await found.fetchall()]


class _Taken(msgspec.Struct, frozen=True):
    keys: set[str]
    tried: int
    estimate_usd: Decimal | None
    why: str


def _batch(row: Sequence[Any]) -> VendorBatch:
    return VendorBatch(**dict(zip(VendorBatch.__struct_fields__, row, strict=True)))


def _outcome(one: Received, taken: set[str]) -> str:
    if one.record.key not in taken:
        return "late"  # somebody else's result stands
    if one.record.retry_after_s is not None:
        return "deferred"
    return "failed" if one.record.error_code else "done"


async def _insert(connection: Connection, batch: VendorBatch, owner: str, lease_s: float) -> None:
    await connection.execute(
        "insert into vendor_batches (id, service, analyzer, version, fingerprint, endpoint, model, state, owner,"
        " lease_until) values (%s, %s, %s, %s, %s, %s, %s, 'preparing', %s, now() + %s)",
        [
            batch.id,
            batch.service,
            batch.analyzer,
            batch.version,
            batch.fingerprint,
            batch.endpoint,
            batch.model,
            owner,
            timedelta(seconds=lease_s),
        ],
    )
