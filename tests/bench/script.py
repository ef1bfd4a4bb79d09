"""The plain hand-written script that the pipeline is measured against, as good as such a script is.

Fetches on one event loop, hashes and decodes in two threads, puts original and thumbnail into S3,
writes one row per creative. No queue, no ledger, no cache, no retries, no isolation, no guard:
when it dies, its work is lost, and a hostile file or address takes it along.

``python -m tests.bench.script`` reads its job (JSON) from standard input, then lines
``TAG FIRST COUNT``, and says how long each run took.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import aioboto3
import aiohttp
import numpy as np
import psycopg
import uvloop
from botocore.config import Config
from PIL import Image

THREADS = 2
AT_ONCE = 12
ROWS = 50
SIDE, QUALITY, HASH_SIDE, LOW = 320, 82, 32, 8
COSINES = np.cos(np.pi * np.arange(LOW)[:, None] * (2 * np.arange(HASH_SIDE)[None, :] + 1) / (2 * HASH_SIDE))
INSERT = """insert into creatives (sha256, url, kind, size_bytes, width, height, phash, s3_path, thumbnail)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""
TABLE = """create table if not exists creatives (sha256 text primary key, url text not null, kind text not null,
    size_bytes bigint not null, width int not null, height int not null, phash text not null, s3_path text not null,
    thumbnail text not null, seen_at timestamptz not null default now())"""


class Read(NamedTuple):
    """What the two threads find out."""

    sha256: str
    kind: str
    width: int
    height: int
    phash: str
    thumbnail: bytes


def read(data: bytes) -> Read:
    """Hash, size, thumbnail and perceptual hash of a picture."""
    sha256 = hashlib.sha256(data).hexdigest()
    with Image.open(io.BytesIO(data)) as opened:
        width, height = opened.size
        kind = opened.format or ""
        image: Image.Image = opened if opened.mode in ("RGB", "L") else _flat(opened)
        # JPEGs are decoded at a fraction of their size.
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        small = image.convert("RGB")
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    grey = np.asarray(small.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    low = COSINES @ grey @ COSINES.T
    bits = np.packbits((low > np.median(low)).ravel()).tobytes().hex()
    return Read(sha256, kind, width, height, bits, out.getvalue())


def _flat(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


class Script:
    """One process's connections."""

    def __init__(self, web: aiohttp.ClientSession, s3: Any, link: Any, pool: ThreadPoolExecutor, job: Any) -> None:
        self._web = web
        self._s3 = s3
        self._link = link
        self._pool = pool
        self._job = job
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._rows: list[tuple[Any, ...]] = []

    async def run(self, tag: str, first: int, count: int) -> None:
        """Do `count` creatives."""
        async with asyncio.TaskGroup() as group:
            for number in range(first, first + count):
                await self._gate.acquire()
                group.create_task(self._one(f"http://{self._job['origin']}/{tag}/{number}"))
        await self._write()

    async def _one(self, url: str) -> None:
        try:
            async with self._web.get(url) as response:
                response.raise_for_status()
                data = await response.read()
            found = await asyncio.get_running_loop().run_in_executor(self._pool, read, data)
            key = f"assets/{found.sha256[:2]}/{found.sha256}"
            thumbnail = f"derived/{found.sha256[:2]}/{found.sha256}.jpg"
            await asyncio.gather(
                self._put(key, data, f"image/{found.kind.lower()}"), self._put(thumbnail, found.thumbnail, "image/jpeg")
            )
            self._rows.append((found.sha256, url, found.kind, len(data), *found[2:5], key, thumbnail))
            if len(self._rows) >= ROWS:
                await self._write()
        finally:
            self._gate.release()

    async def _put(self, key: str, data: bytes, kind: str) -> None:
        await self._s3.put_object(Bucket=self._job["bucket"], Key=key, Body=data, ContentType=kind)

    async def _write(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            async with self._link.cursor() as cursor:
                await cursor.executemany(INSERT, rows)


async def main() -> None:
    """Connect, then run what the lines ask for."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    job = json.loads(await lines.readline())
    config = Config(max_pool_connections=AT_ONCE * 2, s3={"addressing_style": "path"})
    async with (
        aiohttp.ClientSession() as web,
        aioboto3.Session().client("s3", config=config, **job["aws"]) as s3,
        await psycopg.AsyncConnection.connect(job["postgres"], autocommit=True) as link,
    ):
        await link.execute(TABLE)
        with ThreadPoolExecutor(THREADS) as pool:
            script = Script(web, s3, link, pool, job)
            print("ready", flush=True)
            while line := (await lines.readline()).split():
                started = time.monotonic()
                await script.run(line[0].decode(), int(line[1]), int(line[2]))
                print(f"did {line[0].decode()} {time.monotonic() - started:.6f}", flush=True)


if __name__ == "__main__":
    uvloop.run(main())
