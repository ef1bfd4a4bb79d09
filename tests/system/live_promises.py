"""What must hold after a gathering, whatever was killed during it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec
import pymongo

from adology.engine.manifest import Item, Manifest, PartHeader, Seal
from adology.engine.model import Batch
from adology.queues.admin import queue_names
from adology.queues.sqs import dead_letter_name
from adology_facebook.progress import find_progress
from tests.system import rig
from tests.system.live import WORKERS, LiveRun
from tests.system.live_vendors import API, HELD, SNAPSHOTS, Case

REFERENCES = (
    ("ads", "first_batch"),
    ("ads", "last_batch"),
    ("brand_ads", "first_batch"),
    ("brand_ads", "last_batch"),
    ("assets", "first_batch"),
    ("failures", "batch_id"),
    ("observations", "batch_id"),
    ("source_cursors", "batch_id"),
    ("insights", "batch_id"),
)
"""Every column that makes something of a batch visible."""


class Gathered(msgspec.Struct, frozen=True):
    """What the manifest says: its items, and each page's header with the ids of its ads."""

    seal: Seal
    items: list[Item]
    pages: list[tuple[PartHeader, list[str]]]


async def check_promises(run: LiveRun, batch: Batch) -> None:
    """Every promise of the engine, for one ended batch and for all that the stack holds."""
    await _wait_settled(run)
    gathered = await _read_manifest(run, batch)
    _check_manifest(run.case, gathered)
    urls = {item.url for item in gathered.items}
    broken = {item.url for item in gathered.items if item.media and _file(item.media.url) in run.case.broken}
    await rig.check_promises(run.engine, batch, urls, failed=broken)
    assert run.live.rows("select count(*) from batch_items where status = 'missing'") == [(0,)]
    check_hidden(run)
    _check_once(run, batch)
    _check_rows(run)
    await _check_archive(run)
    _check_documents(run, batch)
    _check_analyses(run, gathered)
    _check_vendor(run, gathered)


def check_hidden(run: LiveRun) -> None:
    """Nothing refers to a batch that is not committed."""
    for table, column in REFERENCES:
        query = f"select count(*) from {table} x join batches b on b.id = x.{column} where b.state <> 'committed'"  # noqa: S608 - constants
        assert run.live.rows(query) == [(0,)], f"{table}.{column} shows a batch that is not committed"


async def _wait_settled(run: LiveRun) -> None:
    """Return once nothing is under way any more: queues, registry and outbox are empty."""
    await rig.wait_queues_empty(run.engine)
    graves = [dead_letter_name(name) for name in queue_names(run.engine.settings.queues).values()]
    buried = {grave: sum((await run.engine.sqs.count(grave)).values()) for grave in graves}
    assert not any(buried.values()), f"a message was buried: {buried}"

    async def registry_is_empty() -> bool:
        return await run.engine.registry.brands() == []

    await rig.wait_until(registry_is_empty, "the registry has forgotten the batch")
    await rig.wait_until(lambda: run.live.rows("select count(*) from outbox") == [(0,)], "the outbox is empty")


async def _read_manifest(run: LiveRun, batch: Batch) -> Gathered:
    manifest = Manifest(run.engine.objects, batch.id)
    seal = await manifest.read_seal()
    decoder = msgspec.json.Decoder(PartHeader)
    ids: dict[str, list[str]] = {part: [] for part in seal.parts}
    async for found, part, _ in manifest.ads(seal.parts):
        ids[part].append(found.ad.id)
    pages = []
    for part, ad_ids in ids.items():
        data = await run.engine.objects.get_bytes(part)
        assert data is not None
        pages.append((decoder.decode(data.partition(b"\n")[0]), ad_ids))
    return Gathered(seal, [item async for item in manifest.items(seal.parts)], pages)


def _check_manifest(case: Case, gathered: Gathered) -> None:
    """The manifest has every ad of the brand once, with all its files."""
    assert Counter(ad_id for _, ids in gathered.pages for ad_id in ids) == Counter(dict.fromkeys(case.files, 1))
    assert len(gathered.items) == gathered.seal.expected_count == len({item.url for item in gathered.items})
    found = {item.ad.id: tuple(_file(media.url) for media in item.ad.media) for item in gathered.items}
    assert found == case.files
    done = gathered.seal.sources["facebook"]
    assert (done.outcome, done.pages, done.ads) == ("ok", len(gathered.pages), len(case.files))


def _check_once(run: LiveRun, batch: Batch) -> None:
    """One batch, one committing transaction, one set of insights."""
    assert run.live.rows("select id from batches where brand = %s", run.case.id) == [(batch.id,)]
    assert run.live.rows("select count(*) from commits_seen where batch_id = %s", batch.id) == [(1,)]
    names = [analyzer.name for analyzer in run.engine.analyzers.accepting("brand")]
    insights = run.live.rows("select analyzer, brand from insights where batch_id = %s order by 1", batch.id)
    assert insights == [(name, run.case.id) for name in sorted(names)]


def _check_rows(run: LiveRun) -> None:
    """Ads, their observation of the day and their assets are those of the vendor, each once."""
    case, rows = run.case, run.live.rows
    ads = rows(
        "select a.source_ad_id, count(o.ad_id) from brand_ads b join ads a on a.id = b.ad_id"
        " left join observations o on o.ad_id = a.id where b.brand = %s group by a.id",
        case.id,
    )
    assert sorted(ads) == [(ad_id, 1) for ad_id in sorted(case.files)]
    links = rows(
        "select a.source_ad_id, l.sha256 from ad_assets l join ads a on a.id = l.ad_id"
        " join brand_ads b on b.ad_id = a.id where b.brand = %s order by a.source_ad_id, l.position",
        case.id,
    )
    assert links == [
        (ad, case.hashes[file]) for ad in sorted(case.files) for file in case.files[ad] if file not in case.broken
    ]
    assets = rows("select sha256 from assets where sha256 = any(%s)", _hashes(case))
    assert sorted(row[0] for row in assets) == _hashes(case)
    cursors = rows("select source from source_cursors where brand = %s", case.id)
    assert cursors == [("facebook",)]


async def _check_archive(run: LiveRun) -> None:
    """The archive has each asset with the bytes that name it."""
    prefix = f"s3://{run.engine.settings.s3.bucket}/"
    for sha256, path in run.live.rows("select sha256, s3_path from assets where sha256 = any(%s)", _hashes(run.case)):
        data = await run.engine.objects.get_bytes(path.removeprefix(prefix))
        assert data is not None, f"{path} is not in the archive"
        assert hashlib.sha256(data).hexdigest() == sha256, f"{path} has other bytes than its name says"


def _check_documents(run: LiveRun, batch: Batch) -> None:
    """Committed rows lead to documents."""
    keys = run.live.rows(
        "select key from ad_analyses d join brand_ads b on b.ad_id = d.ad_id where b.brand = %s"
        " union select key from asset_analyses where sha256 = any(%s)",
        run.case.id,
        _hashes(run.case),
    )
    settings = run.engine.settings.mongo
    with pymongo.MongoClient[dict[str, object]](settings.url) as client:
        database = client[settings.database]
        wanted = [key for (key,) in keys]
        assert wanted
        assert database["analyses"].count_documents({"_id": {"$in": wanted}}) == len(wanted)
        assert database["payloads"].count_documents({"batch": batch.id}) == len(run.case.files)


def _check_analyses(run: LiveRun, gathered: Gathered) -> None:
    """Each key ran once, and once more only where its worker was hit in the middle of it.

    A store that is hit may lose a lease, or the answer to a claim, but never what an analyzer found.
    """
    copy = {item.ad.copy_hash() for item in gathered.items}
    wanted = {("media", sha256) for sha256 in _hashes(run.case)} | {("copy", one) for one in copy}
    found = run.live.rows(
        "select analyzer, subject, attempts, created_at, done_at from analyses where subject = any(%s)",
        [subject for _, subject in wanted],
    )
    assert {row[:2] for row in found} == wanted
    runs = _count_runs(run)
    for analyzer, subject, attempts, created_at, done_at in found:
        strikes = [strike for strike in run.strikes if strike.fell_between(created_at, done_at)]
        most_runs = 1 + sum(strike.hit_worker for strike in strikes)
        ran = runs[analyzer, subject[:12]]
        assert 1 <= ran <= most_runs, f"{analyzer} of {subject} ran {ran} times, {most_runs} allowed"
        assert 1 <= attempts <= 1 + len(strikes), f"{analyzer} of {subject} was begun {attempts} times"


def _count_runs(run: LiveRun) -> Counter[tuple[str, str]]:
    """How often each analyzer came to an end on each subject, by the workers' own logs."""
    runs: Counter[tuple[str, str]] = Counter()
    for name in WORKERS:
        for line in (run.live.home / "logs" / f"{name}.log").read_bytes().splitlines():
            if b'"service":"analyzer"' not in line:
                continue
            said = msgspec.json.decode(line)
            if "subject" in said and said["outcome"] != "cancelled":
                runs[said["operation"], said["subject"]] += 1
    return runs


def _check_vendor(run: LiveRun, gathered: Gathered) -> None:
    """No page that the manifest had was asked for again; nor was the snapshot of an ad on it."""
    calls: dict[str | None, list[float]] = {}
    snapshots: dict[str, list[float]] = {}
    for entry in run.live.vendors.requests():
        # A held call is logged when it is let go, which its caller may not have lived to see.
        if entry.path == API and entry.fault != HELD and run.case.brand.meta_page_id in entry.query["search_page_ids"]:
            calls.setdefault(entry.query.get("after"), []).append(entry.at)
        elif entry.path == SNAPSHOTS:
            snapshots.setdefault(entry.query["id"], []).append(entry.at)
    after: str | None = None
    for header, ad_ids in gathered.pages:
        _check_before(calls[after], header.gathered_at, f"page {header.page}")
        for ad_id in ad_ids:
            _check_before(snapshots.get(ad_id, ()), header.gathered_at, f"the snapshot of ad {ad_id}")
        progress = find_progress(header.resume)
        after = progress.after if progress else None


def _check_before(asked: Iterable[float], stored_at: datetime, what: str) -> None:
    late = [at for at in asked if at > stored_at.timestamp()]
    assert not late, f"{what} was asked for {len(late)} times after it was in the manifest"


def _hashes(case: Case) -> list[str]:
    """The distinct pictures of the brand's ads."""
    shown = {file for files in case.files.values() for file in files}
    return sorted({case.hashes[file] for file in shown - case.broken})


def _file(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
