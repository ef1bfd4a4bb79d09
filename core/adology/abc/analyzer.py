"""Analyzers: functions from one creative, one ad's copy or one brand to a typed result."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from adology.errors import AdologyError
from adology.types import Ad, Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from adology.context import Context

S = TypeVar("S")
R = TypeVar("R")

Accepts = Literal["image", "video", "ad", "brand"]


class MediaItem(Struct, frozen=True, kw_only=True):
    """One archived creative as analyzers get it: a local file that is theirs to read.

    `sha256` is the hex digest of the bytes, `results` what the analyzers in `uses` said
    (name → result as plain data).
    """

    sha256: str
    path: Path
    kind: Literal["image", "video"]
    content_type: str
    size_bytes: int
    results: dict[str, Any] = msgspec.field(default_factory=dict)


class AdItem(Struct, frozen=True, kw_only=True):
    """One ad's copy. Equal copy is analysed once: results must depend on nothing else."""

    ad: Ad
    results: dict[str, Any] = msgspec.field(default_factory=dict)


class BrandAd(Struct, frozen=True, kw_only=True):
    """One committed ad as brand-scoped analyzers see it."""

    id: str
    source: str
    format: str
    status: str
    first_seen_at: datetime
    last_seen_at: datetime
    started_on: date | None = None
    stopped_on: date | None = None
    first_batch: str = ""
    last_batch: str = ""
    assets: tuple[str, ...] = ()


class BrandItem(Protocol):
    """A brand's committed state, read in pages: memory stays flat for any number of ads."""

    brand: str
    batch: str
    """The batch after whose commit the analyzer runs."""
    previous_batch: str | None
    committed_at: datetime
    previous_committed_at: datetime | None
    sources: dict[str, str]
    """Source instance → outcome of the gathering: ok, empty, partial, failed."""

    def ads(self) -> AsyncIterator[BrandAd]:
        """Every ad of the brand that is public, in no promised order."""
        ...


class Derived(Struct, frozen=True, kw_only=True):
    """A file that an analyzer made from a creative (thumbnail, key frame).

    `path` is where it lies while the analyzer runs; the engine archives it as
    `derived/<aa>/<sha256>/<analyzer>/<name>` before the result counts.
    """

    name: str
    content_type: str
    path: Path


class Needs(Struct, frozen=True, kw_only=True):
    """What an analyzer depends on, given its settings; see the attributes of `Analyzer` of these names."""

    uses: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    pays: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


class BatchRequest(Struct, frozen=True, kw_only=True):
    """What an analyzer would ask a vendor about one item, to be asked with thousands of others: later, for less.

    `endpoint` is a path of OpenAI's API (``/v1/embeddings``, ``/v1/responses``, ``/v1/moderations``)
    and `body` its JSON; `model` names the model, `units` what the answer will use at most. `info` is
    plain data that `batch_result` needs besides the answer.
    """

    endpoint: str
    body: dict[str, Any]
    model: str
    units: dict[str, float]
    info: Any = None


class Analyzer(Generic[S, R]):
    """Implement `analyze`, plain or async. `R` is the stored result, a msgspec Struct.

    Sync functions run in a thread, or with `isolation = "process"` in a child process that may
    crash or hang without harm. Raise `Skip` when there is nothing to say, `Terminal` when this
    item can never be analysed, `Retry` for passing faults. While an analyzer that is not
    `essential` cannot work, its analyses are deferred: items go on without them.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    """A new version makes stored results stale."""
    accepts: ClassVar[tuple[Accepts, ...]]
    uses: ClassVar[tuple[str, ...]] = ()
    """Other analyzers (run first), models and prompts: part of the fingerprint."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Other analyzers whose results it also uses where they are there."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Modules that it imports when it first runs; where one is not installed, it is left out."""
    isolation: ClassVar[Literal["inline", "process"]] = "inline"
    deadline_s: ClassVar[float] = 60.0
    essential: ClassVar[bool] = False
    """True: a creative that this analyzer cannot read is recorded as a failure."""
    pays: ClassVar[tuple[str, ...]] = ()
    """Services whose calls cost money: a quote says so before anything is known of the price."""
    batch_size: ClassVar[int] = 1
    """Most items of one `analyze_many` call; 1: it is never called."""
    batch_wait_s: ClassVar[float] = 0.05
    """How long an item waits for company."""
    batches_at_once: ClassVar[int] = 1
    """`analyze_many` calls under way at the same time, per process."""

    @classmethod
    def needs(cls, settings: S) -> Needs:  # noqa: ARG003 - for those whose needs depend on them
        """What it depends on with these settings: overridden where one of them chooses the model.

        Asked once, before the first item. The same settings give the same needs.
        """
        return Needs(
            uses=tuple(cls.uses), packages=tuple(cls.packages), pays=tuple(cls.pays), optional=tuple(cls.optional)
        )

    def analyze(self, ctx: Context[S], item: Any) -> R | Awaitable[R]:
        """The result for one item (MediaItem, AdItem or BrandItem, after `accepts`)."""
        raise NotImplementedError

    async def analyze_many(self, ctx: Context[S], items: Sequence[Any]) -> Sequence[R | AdologyError] | None:
        """Optional: results for several items in the same order; None (the default) to decline.

        Called with up to `batch_size` items that are in work at the same time. An item's own error
        stands in its place; what is raised has each item analysed alone. No files can be derived.
        """
        return None

    async def query(self, ctx: Context[S], text: str) -> R | None:
        """Optional, for results with `space` and `vector`: where a text that somebody types to search stands.

        None (the default): no words find anything in this space. Raise `Skip` for a text that says nothing.
        """
        return None

    async def batch_request(self, ctx: Context[S], item: Any) -> BatchRequest | None:
        """Optional, for `adology reanalyze --batch`: what a vendor is asked about the item; None (the default): cannot.

        Nothing is sent or paid here. `deadline_s` and `ctx.isolated` are as in `analyze`. Raise `Skip` or
        `Terminal` as there; what else is raised and is no error of ours leaves the item to workers.
        """
        return None

    async def batch_result(self, ctx: Context[S], info: Any, answer: bytes) -> R:
        """The result from the vendor's `answer`, the JSON body of a 200; equal to what `analyze` would have said.

        Called with the settings that asked. What it raises means what it means in `analyze`.
        """
        raise NotImplementedError
