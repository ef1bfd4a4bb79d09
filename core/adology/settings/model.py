"""Every setting of the engine, with its unit, range and default.

`docs/configuration.md` is generated from this file; a test compares the two.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from adology.settings.base import Secret, Settings
from adology.settings.prices import Price

QUEUE_ROLES = ("gather", "acquire", "analyze", "insight")
"""What workers do, each from a queue of its own; fields of `QueueSettings` give their names."""


def _text(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class LogSettings(Settings, frozen=True, kw_only=True):
    """What is logged, and how."""

    level: Annotated[
        Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"],
        _text("Least severe level that is written. Successful external calls are DEBUG."),
    ] = "INFO"
    format: Annotated[
        Literal["auto", "json", "text"],
        _text("`json` one object a line, `text` coloured lines, `auto` text on a terminal."),
    ] = "auto"


class PostgresSettings(Settings, frozen=True, kw_only=True):
    """The relational truth: ledger, catalogue, committed ads."""

    url: Annotated[str, Secret(), _text("postgresql:// address of the database.")] = ""
    pool_size: Annotated[int, _text("Most connections per process.", ge=1, le=200)] = 8
    timeout_s: Annotated[float, _text("Longest wait for a connection, seconds.", gt=0)] = 20.0


class MongoSettings(Settings, frozen=True, kw_only=True):
    """Raw payloads and full analysis documents."""

    url: Annotated[str, Secret(), _text("mongodb:// or mongodb+srv:// address.")] = ""
    database: Annotated[str, _text("Database name.", min_length=1, max_length=63)] = "adology"
    timeout_s: Annotated[float, _text("Longest time for one operation, seconds.", gt=0)] = 20.0


class AwsSettings(Settings, frozen=True, kw_only=True):
    """How to reach AWS. Empty credentials mean the usual chain (environment, role, profile)."""

    region: Annotated[str, _text("Region of all resources.")] = "us-east-1"
    endpoint_url: Annotated[str, _text("Another endpoint than AWS, for the embedded emulator.")] = ""
    access_key_id: Annotated[str, Secret(), _text("Access key id.")] = ""
    secret_access_key: Annotated[str, Secret(), _text("Secret access key.")] = ""


class S3Settings(Settings, frozen=True, kw_only=True):
    """The archive of creatives, thumbnails and manifests."""

    bucket: Annotated[str, _text("Bucket name.", min_length=3, max_length=63)] = "adology"
    prefix: Annotated[str, _text("Key prefix of everything, empty or ending in `/`.")] = ""
    multipart_threshold_bytes: Annotated[int, _text("Files above this size go up in parts.", ge=5 * 1024 * 1024)] = (
        16 * 1024 * 1024
    )
    part_bytes: Annotated[int, _text("Size of one part.", ge=5 * 1024 * 1024)] = 8 * 1024 * 1024


class QueueSettings(Settings, frozen=True, kw_only=True):
    """SQS queues. The default names of `gather`, `acquire` and `insight` are contracts."""

    prefix: Annotated[str, _text("Put before each queue name.", max_length=40)] = ""
    gather: Annotated[str, _text("Brands to gather.")] = "brand-gather-queue"
    acquire: Annotated[str, _text("Media to fetch, archive and analyse.")] = "url-process-queue"
    analyze: Annotated[str, _text("Committed creatives and copies to analyse (again).")] = "creative-analyze-queue"
    insight: Annotated[str, _text("Committed brands to derive insights for.")] = "brand-ai-phase-queue"
    task: Annotated[str, _text("Long requests of the server's clients, for `adology tasks`.")] = "server-task-queue"
    visibility_s: Annotated[
        int, _text("How long a received message stays hidden without a heartbeat, seconds.", ge=5, le=43200)
    ] = 60
    wait_s: Annotated[int, _text("Long-poll time, seconds.", ge=0, le=20)] = 10
    poison_receives: Annotated[
        int, _text("A message received more often than this is poison: its item fails unread.", ge=1, le=50)
    ] = 5
    max_receives: Annotated[
        int, _text("Receives after which SQS itself moves a message to the dead-letter queue.", ge=2, le=1000)
    ] = 10


class RegistrySettings(Settings, frozen=True, kw_only=True):
    """The Active Brand Registry and how to reach it."""

    url: Annotated[str, _text("Address that workers use.")] = "http://127.0.0.1:8700"
    host: Annotated[str, _text("Interface the service listens on.")] = "127.0.0.1"
    port: Annotated[int, _text("Port the service listens on; 0 takes a free one.", ge=0, le=65535)] = 8700
    commit_lease_s: Annotated[float, _text("Life of a commit lease without renewal, seconds.", gt=0)] = 60.0
    max_body_bytes: Annotated[int, _text("Largest request body.", ge=1024)] = 8 * 1024 * 1024
    max_held_bytes: Annotated[int, _text("Most bytes of results held in memory, over all brands.", ge=1024)] = (
        1024 * 1024 * 1024
    )


class WorkerSettings(Settings, frozen=True, kw_only=True):
    """One worker process. Memory and load are bounded by these."""

    concurrency: Annotated[int, _text("Items in work at once, per process.", ge=1, le=256)] = 12
    prefetch: Annotated[int, _text("Messages held ready beyond those in work.", ge=0, le=500)] = 20
    isolation_processes: Annotated[int, _text("Child processes for decoders.", ge=1, le=64)] = 1
    isolation_memory_bytes: Annotated[
        int, _text("Most address space of one decoder process.", ge=512 * 1024 * 1024)
    ] = 2 * 1024 * 1024 * 1024
    drain_s: Annotated[
        float, _text("On SIGTERM, time to finish what is in work before handing it back, seconds.", ge=0)
    ] = 20.0
    item_timeout_s: Annotated[float, _text("Longest time for one item, seconds.", gt=0)] = 600.0
    gather_timeout_s: Annotated[
        float, _text("Longest time for one try at gathering a brand; the next goes on from there, seconds.", gt=0)
    ] = 7200.0
    gather_lease_s: Annotated[float, _text("Life of a gathering lease without renewal, seconds.", gt=0)] = 60.0
    analysis_lease_s: Annotated[float, _text("Life of the pending mark taken before an analysis, seconds.", gt=0)] = (
        180.0
    )
    deferral_s: Annotated[
        float, _text("A fault of an analyzer puts its analysis off this long, doubling up to an hour, seconds.", gt=0)
    ] = 30.0
    breaker_faults: Annotated[int, _text("Faults in a row after which an analyzer is paused.", ge=1, le=1000)] = 5
    breaker_pause_s: Annotated[
        float, _text("First pause of a failing analyzer, doubling up to 15 minutes, seconds.", gt=0)
    ] = 60.0
    scratch: Annotated[str, _text("Folder for files in work; empty means the system's own.")] = ""


class StewardSettings(Settings, frozen=True, kw_only=True):
    """The periodic repair job."""

    interval_s: Annotated[float, _text("Time between rounds, seconds.", gt=0)] = 5.0
    stalled_after_s: Annotated[
        float, _text("An open batch without progress for this long is repaired, seconds.", gt=0)
    ] = 90.0
    max_attempts: Annotated[
        int, _text("Times a missing URL is queued again before it becomes a failure.", ge=1, le=100)
    ] = 4
    outbox_after_s: Annotated[float, _text("Age at which unsent outbox rows are sent, seconds.", ge=0)] = 5.0
    batch_poll_s: Annotated[
        float, _text("Least time between two looks at a vendor's batch that is under way, seconds.", gt=0)
    ] = 60.0


class FetchSettings(Settings, frozen=True, kw_only=True):
    """Limits of media downloads."""

    max_bytes: Annotated[int, _text("Largest file.", ge=1024)] = 512 * 1024 * 1024
    timeout_s: Annotated[float, _text("Longest time for one file, seconds.", gt=0)] = 300.0
    idle_s: Annotated[float, _text("Longest silence within a transfer, seconds.", gt=0)] = 20.0
    max_redirects: Annotated[int, _text("Redirects followed, each vetted anew.", ge=0, le=20)] = 5
    ports: Annotated[tuple[int, ...], _text("Ports that may be contacted.")] = (80, 443)
    stand_ins: Annotated[
        tuple[str, ...], _text("Loopback `host:port` origins that may be contacted, for stand-in vendors.")
    ] = ()
    file_roots: Annotated[tuple[str, ...], _text("Folders that `file:` URLs may read.")] = ()


class ServerSettings(Settings, frozen=True, kw_only=True):
    """The REST and WebSocket server."""

    host: Annotated[str, _text("Interface to listen on.")] = "127.0.0.1"
    port: Annotated[int, _text("Port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    roles: Annotated[
        tuple[Literal["api", "live"], ...], _text("What this process serves: `api` (REST), `live` (WebSocket and SSE).")
    ] = ("api", "live")
    postgres_url: Annotated[
        str,
        Secret(),
        _text("Address of a login that is a member of adology_app alone; empty: postgres.url, limited to that role."),
    ] = ""
    pool_size: Annotated[int, _text("Most database connections per process.", ge=2, le=200)] = 16
    connections_per_organisation: Annotated[
        int, _text("Most of them that one organisation holds at once, per process; 0: half of pool_size.", ge=0, le=200)
    ] = 0
    connection_wait_s: Annotated[
        float, _text("How long a request waits while its organisation holds that many, seconds.", gt=0)
    ] = 5.0
    statement_timeout_s: Annotated[float, _text("Longest time for one database statement, seconds.", gt=0)] = 15.0
    public_url: Annotated[
        str, _text("Address that clients use, for links; empty: the address that was listened on.")
    ] = ""
    origins: Annotated[
        tuple[str, ...], _text("Origins of web pages that may call the server (CORS, WebSocket); empty: its own only.")
    ] = ()
    proxies: Annotated[
        tuple[str, ...], _text("Addresses of proxies whose X-Forwarded-For is believed; empty: nobody's.")
    ] = ()
    access_s: Annotated[float, _text("Life of an access token, seconds.", ge=1)] = 900.0
    refresh_s: Annotated[float, _text("A session ends after this long without a refresh, seconds.", ge=1)] = (
        30 * 86400.0
    )
    invitation_s: Annotated[float, _text("Life of an invitation, seconds.", ge=60)] = 7 * 86400.0
    login_failures: Annotated[int, _text("Failed logins in a day before the wait starts, doubling.", ge=1)] = 5
    login_wait_s: Annotated[float, _text("Longest wait after failed logins, seconds.", ge=1)] = 900.0
    passwords_at_once: Annotated[
        int, _text("Passwords hashed or checked at once, per process; each takes a core and 64 MiB.", ge=1, le=64)
    ] = 2
    passwords_waiting: Annotated[
        int,
        _text("How many wait for that; further ones are refused. One address is a quarter of all.", ge=0, le=10_000),
    ] = 60
    caller_cache_s: Annotated[
        float,
        _text("How long a revoked token or key may still work on a replica that missed the notice, seconds.", ge=0),
    ] = 5.0
    rate_caller: Annotated[
        int, _text("Requests a minute of one session or key, all replicas together; 0: any.", ge=0)
    ] = 3000
    rate_organisation: Annotated[
        int, _text("Requests a minute of one organisation, all replicas together; 0: any.", ge=0)
    ] = 15000
    keys_per_user: Annotated[int, _text("Keys of one person that are good, at most.", ge=1)] = 50
    invitations_per_organisation: Annotated[int, _text("Open invitations of an organisation, at most.", ge=1)] = 200
    brandspaces_per_organisation: Annotated[int, _text("Brandspaces of an organisation, at most.", ge=1)] = 200
    brands_per_organisation: Annotated[
        int, _text("Brands that an organisation may add to the catalogue, in all.", ge=1)
    ] = 1000
    boards_per_organisation: Annotated[int, _text("Boards of an organisation, at most.", ge=1)] = 500
    tags_per_organisation: Annotated[int, _text("Different tags of an organisation, at most.", ge=1)] = 2000
    notes_per_ad: Annotated[int, _text("Notes of an organisation on one ad, at most.", ge=1)] = 500
    tasks_per_organisation: Annotated[
        int, _text("Tasks of an organisation that have not ended, at most; further ones are answered 429.", ge=1)
    ] = 200
    reservation_s: Annotated[
        float,
        _text("A request with an Idempotency-Key whose server died may be carried out anew after this, seconds.", gt=0),
    ] = 120.0
    max_body_bytes: Annotated[int, _text("Largest request body.", ge=1024)] = 1024 * 1024
    max_upload_bytes: Annotated[int, _text("Largest file that is uploaded to search with.", ge=1024)] = 32 * 1024 * 1024
    drain_s: Annotated[float, _text("On SIGTERM, time for requests and sockets to end, seconds.", ge=0)] = 10.0
    signed_url_s: Annotated[int, _text("Life of a signed address of a creative, seconds.", ge=60, le=900)] = 900
    task_deadline_s: Annotated[
        float, _text("A task that is not done by then fails, unless its request says less, seconds.", ge=60)
    ] = 6 * 3600.0
    task_kept_s: Annotated[float, _text("How long the result of a task is kept, seconds.", ge=1)] = 7 * 86400.0
    task_lease_s: Annotated[
        float, _text("Life of a runner's hold on a task without renewal: after that another takes it, seconds.", ge=1)
    ] = 30.0
    events_kept_s: Annotated[float, _text("How far back clients can take up missed events, seconds.", ge=60)] = (
        7 * 86400.0
    )
    ticket_s: Annotated[float, _text("Life of a ticket for a WebSocket, seconds.", ge=1)] = 30.0
    sockets_per_user: Annotated[
        int, _text("WebSockets and event streams of one user and their keys, all replicas together.", ge=1)
    ] = 20
    sockets_per_process: Annotated[int, _text("WebSockets and event streams of one process.", ge=1)] = 5000
    socket_buffer_bytes: Annotated[
        int, _text("What may wait for a slow client before its socket is closed.", ge=4096)
    ] = 256 * 1024
    notify_url: Annotated[
        str, _text("Address of the server to which `adology notify` reports; the engine's own workers need none.")
    ] = ""
    notify_key: Annotated[
        str, Secret(), _text("The service key by which it does: `adology operator service-key` makes one.")
    ] = ""
    ping_s: Annotated[
        float, _text("Sockets are pinged this often; one that is silent for twice as long is closed.", gt=0)
    ] = 20.0
    stale_look_s: Annotated[
        float,
        _text("An ad counts as not looked at when its source was last read longer ago than this, seconds.", ge=60),
    ] = 3 * 86400.0
    kept_answers_bytes: Annotated[
        int,
        _text("Memory for pages and counts of ads, kept until a brand changes, per process; 0: none.", ge=0),
    ] = 64 * 1024 * 1024
    kept_answers_s: Annotated[
        float, _text("How long they are kept, seconds: what follows from the clock alone may be that late.", gt=0)
    ] = 30.0
    lookup_s: Annotated[
        float, _text("Longest time for looking up a brand's handles in one source, seconds.", gt=0, le=300)
    ] = 20.0
    lookups_per_minute: Annotated[
        int, _text("Look-ups of handles a minute of one organisation, all replicas together; 0: any.", ge=0)
    ] = 6
    media_endpoint: Annotated[
        str, _text("Address by which clients reach the bucket; empty: the one that the server uses.")
    ] = ""


_Usd = Annotated[float, Meta(ge=0)]


class BudgetSettings(Settings, frozen=True, kw_only=True):
    """Most money for paid calls, US dollars. What passes a budget is put off, not lost. Days are UTC."""

    day_usd: Annotated[_Usd | None, _text("For a day, all calls together; unset means no limit.")] = None
    brand_day_usd: Annotated[_Usd | None, _text("For a day and a brand; unset means no limit.")] = None
    organisation_day_usd: Annotated[
        _Usd | None, _text("For a day and an organisation: its own ads, and what it asks for; unset means no limit.")
    ] = None


class MoneySettings(Settings, frozen=True, kw_only=True):
    """What vendors charge, and how much of it is allowed."""

    prices: Annotated[
        tuple[Price, ...],
        _text("Prices by model and day, before the built-in ones: `service`, `model`, `since`, `usd_per_million`."),
    ] = ()
    budgets: BudgetSettings = field(default_factory=BudgetSettings)


class PluginSettings(Settings, frozen=True, kw_only=True):
    """Which plugins load."""

    only: Annotated[tuple[str, ...], _text("Load just these entry points; empty means all.")] = ()
    without: Annotated[tuple[str, ...], _text("Leave these entry points out.")] = ()
    strict: Annotated[bool, _text("A plugin that fails to load stops the program.")] = False
    trace: Annotated[bool, _text("Log every hook call.")] = False


class AdologySettings(Settings, frozen=True, kw_only=True):
    """Everything. Sections `sources`, `analyzers` and `sinks` hold the plugins' own settings.

    A key of `sources` names an *instance*: `plugin` says which plugin it is (default: the one
    of the same name), so that two customer databases are two instances.
    """

    home: Annotated[str, _text("Folder of the embedded servers' data, logs and state.")] = ".adology"
    log: LogSettings = field(default_factory=LogSettings)
    postgres: PostgresSettings = field(default_factory=PostgresSettings)
    mongo: MongoSettings = field(default_factory=MongoSettings)
    aws: AwsSettings = field(default_factory=AwsSettings)
    s3: S3Settings = field(default_factory=S3Settings)
    queues: QueueSettings = field(default_factory=QueueSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    steward: StewardSettings = field(default_factory=StewardSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    money: MoneySettings = field(default_factory=MoneySettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    plugins: PluginSettings = field(default_factory=PluginSettings)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    analyzers: dict[str, dict[str, Any]] = field(default_factory=dict)
    sinks: dict[str, dict[str, Any]] = field(default_factory=dict)


def is_section(hint: Any) -> bool:
    """Whether a field's type is a nested section."""
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)
