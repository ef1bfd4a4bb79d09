"""Passwords: argon2id, in threads, a few at a time."""

from __future__ import annotations

import asyncio
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from msgspec import Meta

SHORTEST, LONGEST = 12, 256

Password = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST, description="12 to 256 characters.")]
AnyPassword = Annotated[str, Meta(max_length=LONGEST)]


class Passwords:
    """Hashes and checks. Each takes tens of megabytes and milliseconds, on purpose."""

    def __init__(self, at_once: int = 2) -> None:
        self._hasher = PasswordHasher()  # the library's defaults follow RFC 9106
        self._turns = asyncio.Semaphore(at_once)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, password: str, kept: str | None) -> bool:
        """Whether it is that password; as long in coming for somebody who has none or does not exist."""
        if self._nobodys is None:
            self._nobodys = await self.hash("nobody has this password")
        async with self._turns:
            right = await asyncio.to_thread(self._verify, kept or self._nobodys, password)
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with weaker settings than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
