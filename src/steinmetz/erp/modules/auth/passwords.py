"""Argon2id (RFC 9106) in threads: few at a time, so that a flood of sign-ins cannot take the machine's memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import Argon2Error, InvalidHashError

from steinmetz.erp.errors import Unavailable
from steinmetz.erp.settings import Settings


class PasswordHasher:
    """Hashes and checks passwords, ``at_once`` at a time, at most ``max_waiting`` waiting."""

    def __init__(self, settings: Settings, *, at_once: int = 2, max_waiting: int = 200) -> None:
        self._argon2 = Argon2(
            settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism, type=Type.ID
        )
        self._slots = asyncio.Semaphore(at_once)
        self._max_waiting = max_waiting
        self._waiting = 0
        # Checked when there is nothing to check against: an unknown address must take as long as a wrong password.
        self._nobody = self._argon2.hash("nobody has this password")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one of the few turns to work in a thread. Raises `Unavailable` if too many are waiting."""
        if self._waiting >= self._max_waiting:
            raise Unavailable(5, "Too many sign-ins at the same time.")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def hash(self, password: str) -> str:
        """The hash to keep, its parameters included. Raises `Unavailable`."""
        async with self.turn():
            return await asyncio.to_thread(self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """As `hash`, blocking: for commands and seeding."""
        return self._argon2.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` belongs to the hash ``kept``; blocking, and equally long if there is none."""
        try:
            return self._argon2.verify(kept or self._nobody, password) and kept is not None
        except (Argon2Error, InvalidHashError):
            return False
