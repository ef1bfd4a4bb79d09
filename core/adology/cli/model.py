"""What the commands print with ``--json``. New fields may appear; these keep their meaning."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from adology.plugins.records import Kind, Stage


class ServiceLine(Struct, kw_only=True):
    """One service: state, process, port, restarts since the start, resident memory, last fault."""

    name: str
    state: str
    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    up_s: float | None = None
    memory_bytes: int | None = None
    error: str = ""
    log: str = ""


class StackStatus(Struct, kw_only=True):
    """The stack of one home. `state` is ready, starting, stopping, stopped or failed."""

    state: str
    home: str
    pid: int | None = None
    services: list[ServiceLine] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class OrgLine(Struct, kw_only=True):
    """An organisation."""

    id: str
    name: str
    users: int
    brandspaces: int
    created_at: datetime
    suspended_at: datetime | None = None


class LeftOrg(Struct, kw_only=True):
    """What was removed of an organisation. `finished`: nothing is left but its id and its audit log.

    Where batches are under way that may still bring ads of it, the processes that do tasks go on later.
    `head` is the last hash of the audit log, once it has finished.
    """

    org_id: str
    finished: bool
    rows: int
    ads: int
    files: int
    documents: int
    batches_under_way: int
    head: str = ""


class OperatorLine(Struct, kw_only=True):
    """An operator."""

    id: str
    name: str
    keys: int
    created_at: datetime
    last_used_at: datetime | None = None
    disabled_at: datetime | None = None


class KeyLine(Struct, kw_only=True):
    """A key that is not revoked, without its secret; `hint` are its last characters.

    Of an organisation's user (`org_id`, `whose` is the e-mail), an operator (`whose` is the name), or workers.
    """

    id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    org_id: str | None = None
    whose: str = ""
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class AuditLine(Struct, kw_only=True):
    """A record of an organisation's audit log."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    subject: str
    address: str
    outcome: str
    reason: str


class AuditCheck(Struct, kw_only=True):
    """Whether a chain of the audit log is whole.

    `records` are good; `broken` is the first that is not, null where all are; `head` is the last good hash.
    """

    org_id: str
    records: int
    broken: int | None = None
    error: str = ""
    head: str = ""


class MadeUser(Struct, kw_only=True):
    """A new user; `password` is set where it was made up here."""

    id: str
    org_id: str
    email: str
    role: str
    password: str = ""


class MadeSecret(Struct, kw_only=True):
    """A key, shown this once."""

    name: str
    scopes: tuple[str, ...]
    secret: str


class BrandLine(Struct, kw_only=True):
    """One brand. `refresh_every_s` is None for a brand that is gathered on request only."""

    id: str
    name: str
    handles: dict[str, list[str]] = field(default_factory=dict)
    file_roots: list[str] = field(default_factory=list)
    refresh_every_s: float | None = None
    next_refresh_at: datetime | None = None
    ads: int = 0
    last_committed_at: datetime | None = None


class BrandAdded(Struct, kw_only=True):
    """What `brand add` did: `created` is false when handles were added to a known brand."""

    created: bool
    brand: BrandLine


class AnalyzerSaid(Struct, kw_only=True):
    """What one analyzer said: a result, or an error; `skipped` when it had nothing to say about such an item."""

    analyzer: str
    version: int
    result: Any = None
    error_code: str | None = None
    error: str | None = None
    skipped: bool = False
    derived: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cost_usd: float = 0.0


class AnalyzedItem(Struct, kw_only=True):
    """A file or a text (`kind` ad) with what was said about it."""

    name: str
    kind: str
    content_type: str = "text/plain"
    size_bytes: int = 0
    sha256: str = ""
    analyses: list[AnalyzerSaid] = field(default_factory=list)


class HitAd(Struct, kw_only=True):
    """One ad that shows a creative or has a copy; `copy` begins with its title."""

    id: str
    source: str
    brand: str
    status: str
    copy: str = ""


class Hit(Struct, kw_only=True):
    """A neighbour: `how` it is one (looks, says), its cosine similarity in `space`, and its ads, newest first."""

    how: str
    similarity: float
    subject: str
    space: str
    s3_path: str = ""
    thumbnail: str = ""
    ads: list[HitAd] = field(default_factory=list)


class DuplicatePair(Struct, kw_only=True):
    """Two creatives of a group: `kind` is the change that tells most, `confidence` in [0, 1]."""

    a: str
    b: str
    kind: str
    confidence: float


class Duplicate(Struct, kw_only=True):
    """A creative of a group: where it is, and one of the `ads` ads that show it."""

    sha256: str
    kind: str
    s3_path: str
    thumbnail: str
    ad: str
    source: str
    brand: str
    ads: int


class DuplicateGroup(Struct, kw_only=True):
    """Creatives that are one, changed; and the pairs that say so, the surest first."""

    id: str
    creatives: list[Duplicate] = field(default_factory=list)
    pairs: list[DuplicatePair] = field(default_factory=list)


class MismatchLine(Struct, kw_only=True):
    """A price in a creative of an ad that the ad's own copy contradicts; `why` says what seems to have happened."""

    ad: str
    source: str
    brand: str
    sha256: str
    raw: str
    amount: str
    copy_amount: str
    currency: str
    why: str
    confidence: float


class StaleLine(Struct, kw_only=True):
    """One analyzer and one kind of subject (asset, ad copy).

    `reasons` counts the subjects that have no current result, by reason; `chosen` of them would be
    analysed. `cost_usd` is None where nothing is known of the price.
    """

    analyzer: str
    subject: str
    current: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    chosen: int = 0
    cost_usd: float | None = 0.0
    seconds: float | None = None
    batch: BatchQuote | None = None


class BatchQuote(Struct, kw_only=True):
    """With ``--batch``: requests in so many batches of a vendor, and what they cost at most.

    A quote counts from a sample, with ``--go`` they are those that were handed over. `left` counts
    subjects that were not, by why; `settled` those about which there is nothing to ask; `unsure`
    batches whose creation got no answer: the steward looks for them.
    """

    requests: int = 0
    batches: int = 0
    at_most_usd: float | None = 0.0
    unsure: int = 0
    settled: int = 0
    left: dict[str, int] = field(default_factory=dict)


class VendorBatchLine(Struct, kw_only=True):
    """A batch at a vendor. `state`: preparing, submitting, open, or how it ended; `vendor_state` in the vendor's words.

    `counts`: of the requests, done, failed, deferred (a call of its own follows), missing (given
    back), late (somebody else was first); of the answers, garbage, doubled, unknown.
    """

    id: str
    analyzer: str
    model: str
    state: str
    vendor_id: str | None = None
    vendor_state: str | None = None
    requests: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    estimate_usd: float | None = None
    cost_usd: float | None = None
    created_at: datetime
    ended_at: datetime | None = None
    error: str | None = None


class Reanalysis(Struct, kw_only=True):
    """A quote, or what was queued; `queued` counts messages, and is 0 for a quote.

    `batches` is filled with ``--batches`` only.
    """

    lines: list[StaleLine] = field(default_factory=list)
    queued: int = 0
    batches: list[VendorBatchLine] = field(default_factory=list)


class GatherRequested(Struct, kw_only=True):
    """One request that was sent; `request_id` finds its batch."""

    brand: str
    request_id: str


class BatchLine(Struct, kw_only=True):
    """One batch of the ledger; `seconds` from its beginning to its commit, or until now."""

    id: str
    brand: str
    state: str
    origin: str
    created_at: datetime
    committed_at: datetime | None = None
    seconds: float = 0.0
    expected: int | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class SourceLine(Struct, kw_only=True):
    """How one source's part of a gathering ended."""

    source: str
    outcome: str
    pages: int = 0
    ads: int = 0
    code: str = ""
    reason: str = ""


class FailureLine(Struct, kw_only=True):
    """URLs that failed for one reason; `example` is one of them."""

    code: str
    reason: str
    count: int
    example: str = ""


class BatchDetail(Struct, kw_only=True):
    """One batch with its sources, the items counted so far, failures by reason and timing."""

    batch: BatchLine
    items: dict[str, int] = field(default_factory=dict)
    sources: list[SourceLine] = field(default_factory=list)
    failures: list[FailureLine] = field(default_factory=list)
    gather_s: float | None = None
    acquire_s: float | None = None
    insight_s: float | None = None
    repairs: int = 0


class Outcome(Struct, kw_only=True):
    """How one followed request ended. `state` is committed, failed, or open when nobody waited."""

    brand: str
    batch: str | None = None
    state: str = "open"
    ads: int = 0
    assets: int = 0
    duplicates: int = 0
    analyses_run: int = 0
    analyses_reused: int = 0
    failures: list[FailureLine] = field(default_factory=list)
    bytes: int = 0
    seconds: float = 0.0
    creatives_per_s: float = 0.0
    sources: list[SourceLine] = field(default_factory=list)
    error: str = ""


class PluginLine(Struct, kw_only=True):
    """One usable plugin; an analyzer that `lacks` packages is left out."""

    kind: Kind
    name: str
    version: int
    entry_point: str
    distribution: str
    distribution_version: str
    description: str = ""
    lacks: list[str] = field(default_factory=list)


class FailedPlugin(Struct, kw_only=True):
    """One entry point that did not load: at which stage, and why."""

    entry_point: str
    distribution: str
    version: str
    stage: Stage
    error: str


class PluginList(Struct, kw_only=True):
    """What is installed."""

    plugins: list[PluginLine] = field(default_factory=list)
    failures: list[FailedPlugin] = field(default_factory=list)


class CheckLine(Struct, kw_only=True):
    """One check of the conformance kit: passed, failed (with the problem and the fix) or skipped."""

    plugin: str
    check: str
    outcome: str
    problem: str = ""
    fix: str = ""


class Migrated(Struct, kw_only=True):
    """Revisions of the database before and after; equal when nothing was to do."""

    before: str | None
    after: str
