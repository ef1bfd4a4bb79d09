"""Single functions in the place of whole analyzers: named, found again, called with plain data."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from adology.errors import AdologyError, AnalyzerCrashedError, MediaUnusableError, describe
from adology.isolation.errors import IsolatedFaultError


def reference_of(function: Callable[..., Any]) -> str:
    """``module:function``, by which a child process finds the function again.

    Raises:
        ValueError: it would find nothing, or something else.
    """
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    where = f"{module}:{name}"
    try:
        found = attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        found = None
    if found is not function or module == "__main__":
        raise ValueError(f"{where} is not found by its name; what runs isolated is a function at the top of a module")
    if inspect.iscoroutinefunction(function):
        raise ValueError(f"{where} is async; what runs isolated is a plain def")
    return where


def find_function(reference: str) -> Callable[..., Any]:
    """The function that `reference_of` named."""
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = attrgetter(name)(importlib.import_module(module))
    return found


def plain(value: Any) -> Any:
    """`value` as it arrives in another process: bytes stay, tuples are lists, Structs are dicts.

    Raises:
        TypeError: a part of it is not plain.
    """
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


async def call_in_thread(function: Callable[..., Any], args: Sequence[Any], *, deadline_s: float | None = None) -> Any:
    """The function's result as from a child process, without its protection: for one without servers.

    A thread cannot be ended: one that passes its deadline runs on, and its result is dropped.

    Raises:
        AdologyError: what the function raises of ours.
        IsolatedFaultError: it raised anything else.
        AnalyzerCrashedError: it passed the deadline.
        MediaUnusableError: it needs more memory than there is.
    """
    reference = reference_of(function)
    given = plain(list(args))
    try:
        async with asyncio.timeout(deadline_s) as limit:
            return plain(await asyncio.to_thread(function, *given))
    except AdologyError:
        raise
    except MemoryError:
        raise MediaUnusableError(f"{reference} needs more memory than there is") from None
    except Exception as error:
        if isinstance(error, TimeoutError) and limit.expired():
            raise AnalyzerCrashedError(f"{reference} passed its deadline of {deadline_s:g} s") from None
        name = type(error).__name__
        raise IsolatedFaultError(reference, name, describe(error).removeprefix(f"{name}: ")) from error
