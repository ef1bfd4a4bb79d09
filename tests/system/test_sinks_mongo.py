from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pymongo
import pytest

from adology import CommittedAd, ConfigError
from adology.errors import UnavailableError
from adology.settings import AdologySettings
from adology.store.naming import payload_id
from adology_mongo import MongoSink
from tests.system.batches import NOON, ListBatch, make_ad, make_result, opened, sha, shown

pytestmark = pytest.mark.anyio


def documents(settings: AdologySettings, collection: str) -> dict[str, dict[str, Any]]:
    with pymongo.MongoClient[dict[str, Any]](settings.mongo.url, tz_aware=True) as client:
        return {found["_id"]: found for found in client[settings.mongo.database][collection].find()}


def pointed_to(settings: AdologySettings, url: str, **fields: Any) -> AdologySettings:
    return msgspec.structs.replace(settings, mongo=msgspec.structs.replace(settings.mongo, url=url, **fields))


@contextlib.asynccontextmanager
async def breakable(settings: AdologySettings) -> AsyncIterator[tuple[AdologySettings, Callable[[], None]]]:
    """Settings that lead to Mongo through a relay, and how to end the relay with its connections."""
    host, _, port = settings.mongo.url.rpartition("@")[2].partition("/")[0].partition(":")
    open_now: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        open_now.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)

    def cut() -> None:
        server.close()
        for writer in open_now:
            writer.transport.abort()

    own = server.sockets[0].getsockname()[1]
    url = settings.mongo.url.replace(f"{host}:{port}", f"127.0.0.1:{own}")
    try:
        yield pointed_to(settings, url, timeout_s=2), cut
    finally:
        cut()
        await asyncio.sleep(0)


async def write(settings: AdologySettings, batch: ListBatch) -> None:
    async with opened(MongoSink(), settings) as (sink, context):
        await sink.write(context, batch)


async def test_raw_payloads_are_found_by_batch_source_and_ad(store_settings: AdologySettings) -> None:
    raw = {"ad_snapshot": {"cards": [1, 2]}, "id": "a1"}
    await write(store_settings, ListBatch("b1", ads=[shown(make_ad("a1", "http://cdn/1.jpg", raw=raw))]))
    found = documents(store_settings, "payloads")[payload_id("b1", "facebook", "a1")]
    assert found["raw"] == raw
    assert (found["brand"], found["owner_org_id"], found["gathered_at"]) == ("nike", None, NOON)
    assert found["media"] == [{"url": "http://cdn/1.jpg"}]


async def test_payloads_of_two_owners_with_one_id_stay_apart(store_settings: AdologySettings) -> None:
    ads = [shown(make_ad("1", owner_org_id=org, raw={"of": org})) for org in ("acme", "rival")]
    await write(store_settings, ListBatch("b1", ads=ads))
    found = documents(store_settings, "payloads")
    assert found[payload_id("b1", "facebook", "1", "acme")]["raw"] == {"of": "acme"}
    assert found[payload_id("b1", "facebook", "1", "rival")]["raw"] == {"of": "rival"}


async def test_analyses_are_stored_whole_by_key(store_settings: AdologySettings) -> None:
    document = {
        "key": "k1",
        "analyzer": "media",
        "version": 2,
        "subject": sha("x"),
        "state": "done",
        "result": {"labels": ["shoe"], "score": 0.5},
        "derived": ["t.jpg"],
        "done_at": NOON,
    }
    batch = ListBatch(
        "b1", results=[make_result("http://cdn/1.jpg", analyses={"media": "k1"})], analyses={"k1": document}
    )
    await write(store_settings, batch)
    assert documents(store_settings, "analyses") == {"k1": {**document, "_id": "k1"}}


async def test_analyses_that_are_there_are_not_loaded_again(store_settings: AdologySettings) -> None:
    results = [make_result("http://cdn/1.jpg", analyses={"media": "k1"}, ad_analyses={"copy": "k2"})]
    first = ListBatch("b1", results=results, analyses={"k1": {"result": 1}})
    await write(store_settings, first)
    second = ListBatch("b2", results=results, analyses={"k1": {"result": 1}, "k2": {"result": 2}})
    await write(store_settings, second)
    assert (first.asked, second.asked) == (["k1", "k2"], ["k2"])
    assert set(documents(store_settings, "analyses")) == {"k1", "k2"}


async def test_results_keep_what_no_column_holds(store_settings: AdologySettings) -> None:
    embedding = b"\0\0\x80\x3f" * 4
    results = [
        make_result("http://cdn/plain.jpg"),
        make_result("http://cdn/foreign.jpg", sha256=None, embedding=embedding, metadata={"their.note": 1}),
    ]
    await write(store_settings, ListBatch("b1", results=results))
    (found,) = documents(store_settings, "results").values()
    assert found["result"]["url"] == "http://cdn/foreign.jpg"
    assert found["result"]["embedding"] == embedding
    assert found["result"]["metadata"] == {"their\uff0enote": 1}


async def test_writing_twice_is_writing_once(store_settings: AdologySettings) -> None:
    batch = ListBatch(
        "b1",
        ads=[shown(make_ad(f"a{n}", raw={"n": n})) for n in range(1200)],
        results=[make_result("http://cdn/1.jpg", analyses={"media": "k1"}, embedding=b"1234")],
        analyses={"k1": {"result": 1}},
    )
    await write(store_settings, batch)
    before = [documents(store_settings, name) for name in ("payloads", "results", "analyses")]
    await write(store_settings, batch)
    assert [documents(store_settings, name) for name in ("payloads", "results", "analyses")] == before
    assert len(before[0]) == 1200


async def test_a_write_that_broke_off_is_completed_by_the_next(store_settings: AdologySettings) -> None:
    ads = [shown(make_ad(f"a{n}", raw={"n": n})) for n in range(1200)]

    def broken() -> Iterator[CommittedAd]:
        yield from ads[:900]
        raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError, match="dies here"):
        await write(store_settings, ListBatch("b1", ads=broken))
    assert len(documents(store_settings, "payloads")) == 500
    await write(store_settings, ListBatch("b1", ads=ads))
    assert len(documents(store_settings, "payloads")) == 1200


async def test_two_writers_of_one_batch_do_not_disturb_each_other(store_settings: AdologySettings) -> None:
    batch = ListBatch("b1", ads=[shown(make_ad(f"a{n}", raw={"n": n})) for n in range(700)])
    async with opened(MongoSink(), store_settings) as (one, context), opened(MongoSink(), store_settings) as (two, _):
        await asyncio.gather(one.write(context, batch), two.write(context, batch))
    assert len(documents(store_settings, "payloads")) == 700


async def test_hostile_payloads_are_stored(store_settings: AdologySettings) -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"deeper": deep}
    raw = {
        "$where": "1",
        "a.b": {"$set": {"c.d": 1}},
        "a\uff0eb": "collides once it is clean",
        "nul\0key": "nul\0value",
        "": "empty",
        "big": 10**40,
        "edge": 2**63 - 1,
        "nan": float("nan"),
        "inf": float("-inf"),
        "lone": "\udfff",
        "when": datetime(2026, 1, 2, 3, tzinfo=UTC),
        "day": date(1, 1, 1),
        "money": Decimal("1.10"),
        "set": {1},
        "tuple": (1, (2,)),
        "bytes": b"\0\xff",
        7: "a number as key",
        "deep": deep,
    }
    await write(store_settings, ListBatch("b1", ads=[shown(make_ad("a1", raw=raw)), shown(make_ad("x" * 90_000))]))
    found = documents(store_settings, "payloads")[payload_id("b1", "facebook", "a1")]["raw"]
    assert found["\uff04where"] == "1"
    assert found["a\uff0eb"] == {"\uff04set": {"c\uff0ed": 1}}
    assert found["a\uff0eb_"] == "collides once it is clean"
    assert (found["nulkey"], found[""], found["7"]) == ("nul\0value".replace("\0", ""), "empty", "a number as key")
    assert (found["big"], found["edge"]) == (str(10**40), 2**63 - 1)
    assert (found["nan"], found["inf"], found["lone"]) == (None, None, "\ufffd")
    assert (found["when"], found["day"], found["money"]) == (raw["when"], "0001-01-01", "1.10")
    assert (found["set"], found["tuple"], found["bytes"]) == ([1], [1, [2]], b"\0\xff")
    assert "(nested too deeply)" in str(found["deep"])


async def test_a_payload_beyond_the_limit_keeps_what_fits_and_says_so(store_settings: AdologySettings) -> None:
    raw = {"small": "kept", **{f"large{n}": "x" * (3 * 1024 * 1024) for n in range(8)}}
    await write(
        store_settings, ListBatch("b1", ads=[shown(make_ad("a1", raw=raw)), shown(make_ad("a2", raw={"n": 1}))])
    )
    found = documents(store_settings, "payloads")
    cut = found[payload_id("b1", "facebook", "a1")]
    assert cut["raw"]["small"] == "kept"
    assert 2 <= len(cut["raw"]) < 8
    assert cut["truncated"]["size_bytes"] > 24 * 1024 * 1024
    assert cut["truncated"]["entries"] == len(raw) - len(cut["raw"])
    assert found[payload_id("b1", "facebook", "a2")]["raw"] == {"n": 1}


async def test_a_server_that_is_not_there_means_try_again(store_settings: AdologySettings) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"mongodb://adology:hidden-word@127.0.0.1:{unused.getsockname()[1]}/?directConnection=true"
        with pytest.raises(UnavailableError, match="mongo: connect") as caught:
            await write(pointed_to(store_settings, url, timeout_s=0.3), ListBatch("b1"))
    assert caught.value.code == "ADO-4201"
    assert "hidden-word" not in str(caught.value)


# pymongo leaves a socket behind when its monitor is cancelled while it connects.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
async def test_a_connection_that_breaks_during_the_write_means_try_again(store_settings: AdologySettings) -> None:
    batch = ListBatch("b1", ads=[shown(make_ad(f"a{n}", raw={"n": n})) for n in range(1200)])
    async with breakable(store_settings) as (settings, cut), opened(MongoSink(), settings) as (sink, context):
        ads = batch._ads

        def cutting() -> Iterator[CommittedAd]:
            for n, ad in enumerate(ads):  # type: ignore[arg-type]  # a list here
                if n == 800:
                    cut()
                yield ad

        with pytest.raises(UnavailableError):
            await sink.write(context, ListBatch("b1", ads=cutting))
    gc.collect()
    await write(store_settings, batch)
    assert len(documents(store_settings, "payloads")) == 1200


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is not set"),
        ("postgres://u:hidden-word@h/", "cannot be used"),
        ("mongodb://u:hidden@word@h/", "cannot be used"),
        ("mongodb://u:hidden-word@h:99999/", "cannot be used"),
    ],
)
async def test_a_wrong_address_names_the_setting_and_no_password(
    store_settings: AdologySettings, url: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        await write(pointed_to(store_settings, url, timeout_s=1), ListBatch("b1"))
    assert caught.value.setting == "mongo.url"
    assert "hidden" not in str(caught.value)


async def test_a_wrong_password_names_the_setting(store_settings: AdologySettings) -> None:
    url = store_settings.mongo.url.replace("://adology:", "://adology:not-the-word")
    with pytest.raises(ConfigError, match="the server refuses connect") as caught:
        await write(pointed_to(store_settings, url), ListBatch("b1"))
    assert caught.value.setting == "mongo.url"
    assert "not-the-word" not in str(caught.value)
