"""Removes organisations that have ended: at once by command, else by the processes that do tasks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from adology.aws import open_client
from adology.cli.model import LeftOrg
from adology.errors import EngineError
from adology.log import logger
from adology.settings import AdologySettings
from adology.storage import S3Store
from adology.store import AdvisoryLocks, Database
from adology_server.leaving.ads import PrivateAds
from adology_server.leaving.documents import Documents, Manifests, open_documents
from adology_server.leaving.rows import Rows

LOCK = "leaving"


class BusyError(EngineError):
    """Another process is removing organisations at this moment."""

    code = "ADO-5920"


class Purge:
    """Safe to be broken off, and to be done again: what comes later, from a batch under way, is removed as well."""

    def __init__(self, settings: AdologySettings, database: Database, objects: S3Store, documents: Documents) -> None:
        self._owners = {name: own.get("owner_org_id") for name, own in settings.sources.items()}
        self._locks = AdvisoryLocks(database)
        self._objects = objects
        self._documents = documents
        self._rows = Rows(database)
        self._ads = PrivateAds(database, objects, documents)
        self._manifests = Manifests(database, objects, documents)

    async def look(self) -> int:
        """Go on with every organisation that has ended and has something left; how many are done."""
        done, org = 0, await self._rows.next_due()
        if org is None:
            return 0
        async with self._locks.hold(LOCK) as is_ours:
            while is_ours and org is not None:
                done += (await self._purge(org)).finished
                org = await self._rows.next_due(org)
        return done

    async def leave(self, org: str) -> LeftOrg | None:
        """End the organisation and remove what it has; None where there is no such one.

        Raises:
            BusyError: another process is at it.
        """
        if not await self._rows.end(org):
            return None
        async with self._locks.hold(LOCK) as is_ours:
            if not is_ours:
                hint = "The organisation has ended, and that process goes on with it. Look with `adology org audit`."
                raise BusyError("another process is removing organisations", hint=hint)
            return await self._purge(org)

    async def _purge(self, org: str) -> LeftOrg:
        sources = await self._rows.own_sources(org, [name for name, owner in self._owners.items() if owner == org])
        await self._rows.stop_gathering(sources)
        rows = await self._rows.remove(org)
        under_way = await self._rows.count_open(org, sources)
        files = 0
        for batch in await self._rows.ended_batches(sources):
            for source in sources:
                files += await self._manifests.remove(batch, source)
        ads, waiting = await self._ads.remove(org)
        async for key in self._objects.list_keys(f"exports/{org}/"):
            await self._objects.delete(key)
            files += 1
        finished, head = not (under_way or waiting), ""
        documents = 0
        if finished:
            documents = await self._documents.remove_payloads(org)
            head = await self._rows.close(org, changed=bool(rows or ads or files))
        told = LeftOrg(
            org_id=org,
            finished=finished,
            rows=rows,
            ads=ads,
            files=files,
            documents=documents,
            batches_under_way=under_way,
            head=head,
        )
        logger.bind(org=org, finished=finished, rows=rows, ads=ads, files=files, head=head).info("organisation removed")
        return told


@contextlib.asynccontextmanager
async def open_purge(settings: AdologySettings) -> AsyncIterator[Purge]:
    """For the length of the block, with connections of its own."""
    async with (
        Database(settings.postgres) as database,
        open_client(settings.aws, "s3") as client,
        open_documents(settings.mongo) as documents,
    ):
        yield Purge(settings, database, S3Store(client, settings.s3), documents)
