"""What a plugin gets instead of globals: settings, HTTP, secrets, log, clock, scratch files."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from adology.abc.analyzer import Derived
from adology.errors import ConfigError
from adology.http.client import Answer, HttpClient, check_status
from adology.http.pacing import Pacers
from adology.log import logger
from adology.money.calls import MemoryPurse, PaidCall, Payer, Purse
from adology.settings.secrets import resolve_secret

if TYPE_CHECKING:
    from loguru import Logger

    from adology.settings.model import AdologySettings

S = TypeVar("S")
T = TypeVar("T")

Isolate = Callable[[Callable[..., Any], Sequence[Any], float | None], Awaitable[Any]]
"""Calls a function with its arguments in a child process, for so many seconds at most."""


class Context(Generic[S]):
    """Handed to every plugin call.

    `plugin` is the instance's name, `settings` its validated settings, `log` a logger with its
    name bound, `resume` the last stored page's token when a gathering goes on after a crash,
    `deadline` the monotonic time at which the engine gives up (None: no limit). `section` is the
    table of the settings file that the plugin's own settings stand in.
    """

    def __init__(
        self,
        plugin: str,
        settings: S,
        *,
        http: HttpClient | None = None,
        pacers: Pacers | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resume: str | None = None,
        deadline: float | None = None,
        scratch: Path | None = None,
        env: Mapping[str, str] | None = None,
        engine: AdologySettings | None = None,
        section: Literal["sources", "analyzers", "sinks"] = "sources",
        purse: Purse | None = None,
        payer: Payer | None = None,
        keys: tuple[str, ...] = (),
        isolate: Isolate | None = None,
    ) -> None:
        self.plugin = plugin
        self.settings = settings
        self.resume = resume
        self.deadline = deadline
        self.log: Logger = logger.bind(plugin=plugin)
        self.scratch = scratch
        self.derived: list[Derived] = []
        self._http = http
        self._pacers = pacers or Pacers(time.monotonic)
        self._now = now
        self._env = env
        self._engine = engine
        self._section = section
        self._purse: Purse = purse or MemoryPurse()
        self._payer = payer or Payer()
        self._keys = keys
        self._isolate = isolate
        self.calls: list[PaidCall] = []

    @property
    def engine(self) -> AdologySettings:
        """The engine's own settings, for sinks that write to the engine's stores."""
        if self._engine is None:
            raise RuntimeError("only sinks see the engine's settings")
        return self._engine

    def now(self) -> datetime:
        """The present time in UTC. Never read the clock yourself: tests and replays set it."""
        return self._now()

    def secret(self, field: str) -> str:
        """The value behind the secret reference in settings field `field`.

        Raises:
            ConfigError: the field is empty, or what it refers to does not exist.
        """
        key = f"{self._section}.{self.plugin}.{field}"
        reference = getattr(self.settings, field)
        if not reference:
            raise ConfigError(key, "is not set", "Give a reference such as env:NAME or aws-sm:NAME.", code="ADO-1003")
        return resolve_secret(reference, setting=key, env=self._env)

    async def get(
        self,
        url: str,
        kind: type[T],
        /,
        *,
        headers: Mapping[str, str] | None = None,
        credential: str = "",
        **params: Any,
    ) -> T:
        """The JSON answer of `url`, decoded as `kind`.

        Calls of one `credential` share their pacing. 429 pauses the credential and raises
        RetryLater; 5xx and connection faults are retried, then raise Retry; any other error
        status raises Terminal.
        """
        answer: Answer[T] = await self.send("GET", url, params=params, headers=headers, credential=credential)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.pause(answer.retry_after_s() or 60.0, "the vendor answered 429", credential=credential)
        check_status(answer, self.plugin)
        return answer.decode(kind)

    async def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        credential: str = "",
        interval_s: float | None = None,
        burst: int | None = None,
        retry_status: frozenset[int] | None = None,
    ) -> Answer[Any]:
        """The raw answer, for vendors whose meaning is not in the status.

        `interval_s` spaces the credential's calls; `burst` of them may go out at once. Statuses in
        `retry_status` (5xx by default; give an empty set to judge each answer yourself) are retried.
        """
        if self._http is None:
            raise RuntimeError("this context has no HTTP client: analyzers get none unless they need it")
        options = {} if retry_status is None else {"retry_status": retry_status}
        return await self._http.send(
            method,
            url,
            service=self.plugin,
            pacer=self._pacers.get(self.credential_id(credential), interval_s=interval_s, burst=burst),
            params=params,
            headers=headers,
            body=body,
            **options,
        )

    def paid(self, service: str, model: str, **units: float) -> PaidCall:
        """Around one call that costs money: ``async with ctx.paid("openai", model, input_tokens=900) as call``.

        `units` are what the call will use at most, as far as can be known before. Call `call.bill`
        with what the vendor counted. Every call stands in the ledger, with whom it was for.

        Raises:
            Deferred: on entry, when a budget is used up.
        """
        call = PaidCall(
            self._purse,
            service=service,
            model=model,
            plugin=self.plugin,
            payer=self._payer,
            keys=self._keys,
            units=units,
        )
        self.calls.append(call)
        return call

    async def isolated(self, function: Callable[..., Any], *args: Any, deadline_s: float | None = None) -> Any:
        """``function(*args)`` in a child process of the worker, where decoders may crash or hang without harm.

        For analyzers that run in the worker itself, since they call a vendor, and still open
        strangers' files. `function` stands at the top of an importable module; `args` and its
        result are plain for msgspec: text, bytes, numbers, None, lists and dicts of these. Structs
        arrive as dicts, tuples as lists, paths are given as text. Of the analyzer's deadline it may
        use what is left, and `deadline_s` at most; waiting for a free process does not count. Where there are no child
        processes (a test, a notebook) it runs in a thread.

        Raises:
            AnalyzerCrashedError: its process died twice, or passed the deadline.
            MediaUnusableError: it needs more memory than a child may have.
            AdologyError: what it raised of ours.
            IsolatedFaultError: it raised anything else, or returned what is not plain.
            ValueError: `function` cannot be found by its name.
        """
        if self._isolate is not None:
            return await self._isolate(function, args, deadline_s)
        from adology.isolation.calls import call_in_thread  # noqa: PLC0415 - only few contexts ever need it

        limits = [] if self.deadline is None else [max(0.0, self.deadline - time.monotonic())]
        limits += [] if deadline_s is None else [deadline_s]
        return await call_in_thread(function, args, deadline_s=min(limits, default=None))

    def pause(self, seconds: float, why: str, *, credential: str = "") -> None:
        """Hold every call of `credential` in this process for `seconds`."""
        self._pacers.get(self.credential_id(credential)).pause(seconds, why)

    def credential_id(self, credential: str = "") -> str:
        """A name for a credential that can be stored and logged: a hash, never the secret."""
        if not credential:
            return self.plugin
        return f"{self.plugin}:{hashlib.sha256(credential.encode()).hexdigest()[:12]}"

    def derive(self, name: str, content_type: str) -> Path:
        """A path to write a derived file to; the engine archives it with the result.

        Raises:
            ValueError: `name` is not a plain file name.
        """
        if self.scratch is None:
            raise RuntimeError("this context has no scratch folder")
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise ValueError(f"derived file name {name!r} is not a plain file name")
        path = self.scratch / name
        self.derived.append(Derived(name=name, content_type=content_type, path=path))
        return path
