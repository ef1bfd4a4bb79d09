"""Functions that behave in every way, for child processes to import."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any, NoReturn

from adology import Skip, Struct
from adology.errors import MediaUnusableError


class Pair(Struct, frozen=True, kw_only=True):
    left: int
    right: bytes


def echo(*args: Any) -> list[Any]:
    return [os.getpid(), *args]


def pair(left: int, right: bytes) -> Pair:
    return Pair(left=left, right=right)


def kill_itself() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_once(marker: str) -> int:
    """Dies where there is no file yet."""
    if not os.path.exists(marker):  # noqa: PTH110 - as text
        with open(marker, "w") as file:  # noqa: PTH123 - as above
            file.write(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def hang(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def unspeakable() -> object:
    return object()


def allocate(size: int) -> int:
    return len(bytearray(size))


def not_a_number() -> int:
    return int("seven")


def skip() -> NoReturn:
    raise Skip("nothing to see")


def unusable() -> NoReturn:
    raise MediaUnusableError("broken")


async def asynchronous() -> None:
    await asyncio.sleep(0)


class Holder:
    @staticmethod
    def inside(number: int) -> int:
        return number + 1
