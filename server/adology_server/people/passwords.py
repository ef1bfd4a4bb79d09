"""Passwords: argon2id in threads, a few at a time, and a bounded number that wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from msgspec import Meta

from adology_server.problems import Refusal

SHORTEST, LONGEST = 12, 256
SHARE = 4
"""Of those who are in work or wait, one client may be this part."""
RETRY_S = 2

Password = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST, description="12 to 256 characters.")]
AnyPassword = Annotated[str, Meta(max_length=LONGEST)]


class Passwords:
    """Hashes and checks. Each takes tens of megabytes and milliseconds, on purpose.

    `at_once` are in work and `waiting` wait; who comes then is sent away, so that nobody waits long
    and a flood keeps nothing in memory. Of one client (`whose`: an address, a user) only a part is let in.
    """

    def __init__(self, at_once: int = 2, waiting: int = 60) -> None:
        self._hasher = PasswordHasher()  # the library's defaults follow RFC 9106
        self._turns = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._here: Counter[str] = Counter()
        self._nobodys: str | None = None

    async def hash(self, password: str, whose: str = "") -> str:
        """What is kept of a password.

        Raises:
            Refusal: 503, too many are being hashed or checked.
        """
        async with self._turn(whose):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, kept: str | None, whose: str = "") -> bool:
        """Whether it is that password; as long in coming for somebody who has none or does not exist.

        Raises:
            Refusal: as `hash`.
        """
        if self._nobodys is None:
            self._nobodys = await self.hash("nobody has this password")
        async with self._turn(whose):
            right = await asyncio.to_thread(self._verify, kept or self._nobodys, password)
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with weaker settings than today's."""
        return self._hasher.check_needs_rehash(kept)

    @contextlib.asynccontextmanager
    async def _turn(self, whose: str) -> AsyncIterator[None]:
        is_full = self._here.total() >= self._most
        if is_full or (whose and self._here[whose] >= max(1, self._most // SHARE)):
            detail = "Too many passwords are being checked at this moment; try again."
            raise Refusal("unavailable", detail, headers={"retry-after": str(RETRY_S)})
        self._here[whose] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._here[whose] -= 1
            if not self._here[whose]:
                del self._here[whose]

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
