"""Errors on their way from a child process to the worker."""

from __future__ import annotations

from typing import Any

from adology import errors
from adology.errors import AdologyError, describe
from adology.isolation.wire import Failed, Fault

_OURS: dict[str, type[AdologyError]] = {
    name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, AdologyError)
}
_LONGEST = 2000
_INT64 = 1 << 63


class IsolatedFaultError(Exception):
    """An analyzer in a child process raised what is not one of our errors: a fault of its code.

    `error` is the class's name there, `trace` the last lines of its traceback.
    """

    def __init__(self, analyzer: str, error: str, text: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(analyzer, error, text, trace)
        self.analyzer = analyzer
        self.error = error
        self.text = text
        self.trace = trace

    def __str__(self) -> str:
        where = f" (at {'; '.join(self.trace)})" if self.trace else ""
        return f"{self.analyzer} raised {self.error}: {self.text}{where}"


def pack_error(error: AdologyError) -> Failed:
    """Our error as data: its nearest public class, its fields and its code."""
    cls = next(c for c in type(error).__mro__ if c in _OURS.values())
    # A subclass may forget its base's constructor, and then has no message to print.
    text = getattr(error, "message", " ".join(map(str, error.args)))
    # A plugin's own subclass does not exist in the worker; the code that it stands for does.
    fields = {**error.__dict__, "code": error.code}
    state = {
        key: clean(value) if isinstance(value, str) else value for key, value in fields.items() if _is_plain(value)
    }
    return Failed(error=cls.__name__, message=clean(str(text)), state=state)


def unpack_error(failed: Failed) -> AdologyError:
    """The error again. Only classes of `adology.errors` are made, whatever the child says."""
    cls = _OURS.get(failed.error, AdologyError)
    error = cls.__new__(cls, failed.message)
    # Past the constructors, whose arguments differ: fields are what an error consists of.
    error.__dict__.update({"message": failed.message, "hint": None} | failed.state)
    return error


def pack_fault(error: BaseException, trace: tuple[str, ...]) -> Fault:
    """Any other exception as data."""
    name = type(error).__name__
    return Fault(error=name, text=clean(describe(error).removeprefix(f"{name}: ")), trace=trace)


def clean(text: str) -> str:
    """`text` short enough, and without the half characters that MessagePack refuses."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")


def _is_plain(value: Any) -> bool:
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    return value is None or isinstance(value, (str, float))
