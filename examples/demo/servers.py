"""What runs while the demo does: the embedded servers, our services and the stand-in vendors."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from adology.cli.stack import make_programs
from adology.cli.stackview import StackView
from adology.embedded import Home, Options, Program, StackState, read_state, start_stack, stop_stack
from adology.embedded.ports import choose_port
from adology.errors import StackError
from adology.migrations import migrate
from adology.settings import AdologySettings, load_settings, resolve_secret
from demo.home import DemoHome
from demo.interrupts import Deferred
from upstreams.generator import write_customer_db
from upstreams.generator.__main__ import make_url_for
from upstreams.meta import USER_TOKEN
from upstreams.serpapi import API_KEY
from upstreams.world import World

OWNER = "demo-customer"
WITH_MODELS = ["text", "embeddings", "safety", "video", "labels", "likeness", "scores"]
"""Entry points of the analyzers that use models, and of those that go by what these say."""
_START_S = 120.0
_STOP_S = 60.0
_LOOK_S = 0.5
_CONFIG = """\
# Written by `python -m demo`. The vendors are stand-ins that run only while the demo does.
home = {home}

[worker]
drain_s = 5.0

[plugins]
without = {without}

[server]
port = 0  # a free one: the usual one may be somebody's

[fetch]
stand_ins = [{media_host}]

[sinks.duplicates]
candidates = 2  # drawn creatives have so much in common that each would be compared with all

[sources.facebook]
token = {meta_token}
base_url = {meta}
site_url = {meta}
snapshot_interval_s = 0.02  # the stand-in blocks nobody

[sources.serpapi]
api_key = {serpapi_key}
base_url = {serpapi}

[sources.customer_db]
url = {customer_db}
owner_org_id = {owner}
query = "select * from ads where brand = :handle"
cursor_column = "updated_at"

[sources.customer_db.columns]
id = "id"
bodies = ["body"]
titles = ["headline"]
captions = ["caption"]
descriptions = ["description"]
cta = "cta"
landing_url = "landing_url"
platforms = "platforms"
languages = "language"
countries = "country"
status = "status"
started_on = "starts_on"
stopped_on = "ends_on"
reach = "reach"
images = ["image_url"]
videos = ["video_url"]
"""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the stand-ins listen."""

    media: int
    meta: int
    serpapi: int

    @property
    def media_origin(self) -> str:
        """Address of the media server, without a path."""
        return f"http://127.0.0.1:{self.media}"


def choose_ports() -> Ports:
    """Free ports."""
    taken: set[int] = set()
    for _ in range(3):
        taken.add(choose_port(taken))
    media, meta, serpapi = taken
    return Ports(media=media, meta=meta, serpapi=serpapi)


def configure(home: DemoHome, world: World, ports: Ports, *, light: bool = False) -> AdologySettings:
    """Write the customer's database, the vendors' keys and the settings; this process uses them from now on."""
    write_customer_db(world, home.customer_db, make_url_for(ports.media_origin))
    keys = {"meta-token": USER_TOKEN, "serpapi-key": API_KEY}
    for name, key in keys.items():
        _write_private(home.keys / name, key)
    values = {
        "home": str(home.root),
        "media_host": f"127.0.0.1:{ports.media}",
        "meta": f"http://127.0.0.1:{ports.meta}",
        "serpapi": f"http://127.0.0.1:{ports.serpapi}",
        "meta_token": f"file:{home.keys / 'meta-token'}",
        "serpapi_key": f"file:{home.keys / 'serpapi-key'}",
        "customer_db": f"sqlite:///{home.customer_db}",
        "owner": OWNER,
        "without": WITH_MODELS if light else [],
    }
    home.config.write_text(_CONFIG.format_map({name: json.dumps(value) for name, value in values.items()}), "utf-8")
    os.environ["ADOLOGY_CONFIG"] = str(home.config)
    return load_settings()


def start(
    home: DemoHome, settings: AdologySettings, ports: Ports, *, workers: int
) -> tuple[StackState, AdologySettings]:
    """Start everything with progress; the settings come back with the servers' addresses.

    The stack belongs to this process: should it be killed, the supervisor stops everything.
    """
    programs = [*make_programs(settings, workers), _vendors(home, ports)]
    with StackView("starting", ends="ready") as view:
        with Deferred() as interrupt:

            def watch(state: StackState) -> None:
                view.show(state)
                interrupt.check()

            options = Options(owner=os.getpid())
            state = start_stack(home.root, programs=programs, options=options, timeout=_START_S, watch=watch)
        settings = load_settings()
        migrate(resolve_secret(settings.postgres.url, setting="postgres.url"))
    return state, settings


async def wait_broken(home: DemoHome) -> NoReturn:
    """Wait until something that the demo needs has ended for good, which should never be.

    Raises:
        StackError: it has; named, with its log.
    """
    while True:
        state = read_state(home.root)
        failed = next((service for service in state.services.values() if service.state == "failed"), None)
        if failed is not None:
            raise StackError(f"{failed.name} ended: {failed.error or failed.last_exit}.", hint=f"See {failed.log}.")
        if state.pid is None:
            raise StackError("the servers were stopped from outside.", hint=f"See {Home(home.root).log('supervisor')}.")
        await asyncio.sleep(_LOOK_S)


def stop(home: DemoHome) -> StackState:
    """Stop everything with progress. Ctrl-C meanwhile means: at once."""
    try:
        with StackView("stopping", ends="stopped") as view:
            return stop_stack(home.root, timeout=_STOP_S, watch=view.show)
    except KeyboardInterrupt:
        stop_stack(home.root, timeout=0.0)
        raise


def _vendors(home: DemoHome, ports: Ports) -> Program:
    """The stand-ins, run and watched like our own services; the last one to listen says when all do."""
    serve = ["--world", str(home.world), "--troubles", str(home.troubles)]
    listen = ["--media-port", str(ports.media), "--meta-port", str(ports.meta), "--serpapi-port", "{port}"]
    return Program(
        name="vendors",
        argv=(sys.executable, "-m", "demo.vendors", *serve, *listen),
        port=ports.serpapi,
        health="/healthz",
    )


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
