"""Errors, grouped by what the engine does about them.

::

    AdologyError                    has a stable code; `retryable` is a property of the class
    ├── Retry(after=None)           try again later; with `after`, not before that many seconds
    │   ├── RetryLater(seconds)     a vendor said to slow down: does not count as a failure
    │   └── UnavailableError        a store or service of ours is away: does not count either
    ├── Deferred(seconds)           an analyzer's work is put off: the item goes on without it
    ├── Skip(reason)                recorded, acknowledged: this item has nothing to give
    ├── Terminal(reason)            a failure result now; trying again cannot help
    ├── ConfigError(setting, …)     that plugin pauses until somebody changes a setting
    └── EngineError                 the engine itself: stack, stores, queues

Anything else that a plugin raises counts as `Retry` up to the receive limit, then becomes a
failure with its traceback. Codes are never renumbered: ADO-1xxx settings, 2xxx source,
3xxx analyzer, 4xxx sink, 5xxx engine.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AdologyError(Exception):
    """Base of every error with a stable code. Fields first; the text is made from the fields."""

    code: ClassVar[str] = "ADO-5000"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, /, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code  # type: ignore[misc]  # an instance may narrow its class's code

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        return (
            f"{self.message} {self.hint}" if self.message.endswith((".", "?", "!")) else f"{self.message}. {self.hint}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__.copy(), self.args)


def _rebuild(cls: type[AdologyError], state: dict[str, Any], args: tuple[Any, ...]) -> AdologyError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class Retry(AdologyError):
    """Worth trying again; `after` is the least number of seconds to wait, None for back-off."""

    code: ClassVar[str] = "ADO-5001"
    retryable: ClassVar[bool] = True

    def __init__(
        self,
        message: str = "temporary failure",
        /,
        *,
        after: float | None = None,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.after = after


class RetryLater(Retry):
    """A vendor asks for a pause of `seconds`. Never counts towards the receive limit."""

    code: ClassVar[str] = "ADO-2001"

    def __init__(
        self,
        seconds: float,
        message: str = "the vendor asked to slow down",
        /,
        *,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, after=seconds, hint=hint, code=code)
        self.seconds = seconds


class UnavailableError(Retry):
    """A store, queue or service of the engine does not answer; says nothing about the item.

    However long it is away, the message comes back without counting towards the receive limit: an
    outage of ours must not turn good items into failures.
    """

    code: ClassVar[str] = "ADO-5008"


class Deferred(AdologyError):
    """This analysis is put off for `after` seconds: a budget is used up, a vendor is away.

    The item is finished and committed without it; the analysis is made later, by itself.
    """

    code: ClassVar[str] = "ADO-3003"
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, /, *, after: float, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.after = after


class Skip(AdologyError):
    """There is nothing to do for this item, and that is not a fault."""

    code: ClassVar[str] = "ADO-5002"


class Terminal(AdologyError):
    """This item fails now and for good; the text becomes its recorded reason."""

    code: ClassVar[str] = "ADO-5003"


class ConfigError(AdologyError):
    """A setting is missing or wrong. `setting` is its dotted key as written in the file."""

    code: ClassVar[str] = "ADO-1001"

    def __init__(self, setting: str, problem: str, hint: str | None = None, *, code: str | None = None) -> None:
        super().__init__(f"setting {setting}: {problem}", hint=hint, code=code)
        self.setting = setting
        self.problem = problem


class EngineError(AdologyError):
    """The engine or its servers are at fault, not an item and not a plugin."""

    code: ClassVar[str] = "ADO-5004"


class StackError(EngineError):
    """The embedded servers could not be started, found or stopped."""

    code: ClassVar[str] = "ADO-5005"


class LeaseLostError(EngineError):
    """Somebody else holds the work that this process believed it held. Stop without writing."""

    code: ClassVar[str] = "ADO-5006"
    retryable: ClassVar[bool] = True


class UnknownBrandError(EngineError):
    """No brand of that name is in the catalogue (or active in the registry)."""

    code: ClassVar[str] = "ADO-5007"


class FetchRefusedError(Terminal):
    """The fetch guard refuses this address, size, type or redirect."""

    code: ClassVar[str] = "ADO-5101"


class MediaExpiredError(Terminal):
    """The media URL answered 403, 404 or 410: worth resolving anew once, not repeating."""

    code: ClassVar[str] = "ADO-5102"


class MediaUnusableError(Terminal):
    """The bytes are not a creative: wrong type, broken, too large to decode."""

    code: ClassVar[str] = "ADO-3101"


class AnalyzerCrashedError(Terminal):
    """The process that ran an isolated analyzer died or passed its deadline on this item."""

    code: ClassVar[str] = "ADO-3102"


def describe(error: BaseException) -> str:
    """One line for records and people: the class is named when the text alone says little."""
    text = " ".join(str(error).split())
    if isinstance(error, AdologyError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def code_of(error: BaseException) -> str:
    """The stable code of `error`; ADO-5000 for anything that is not ours."""
    return error.code if isinstance(error, AdologyError) else AdologyError.code
