"""The port towards whatever holds the cluster's log of writes: what is asked of it, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from steinmetz.cache.policy.change_log import LogEntry, Op, Position
from steinmetz.cache.policy.consistency import Token
from steinmetz.sql.effects import WriteSet


class UnreachableError(Exception):
    """No answer, none in time, or a refusal; holds no address and no secret."""


@dataclass(frozen=True, slots=True)
class Looked:
    """How far the log goes, None if there is none, and the next entries that the asker does not know."""

    position: Position | None
    entries: list[LogEntry]


@dataclass(frozen=True, slots=True)
class OpenMark:
    """A mark that was up when a node joined."""

    node: str
    mark: int
    lease_s: float
    writes: WriteSet


@dataclass(frozen=True, slots=True)
class Joined:
    position: Position
    marks: list[OpenMark]


@dataclass(frozen=True, slots=True)
class Offered:
    """An answer of another node: good at ``number`` of the log, with ``life_s`` left."""

    number: int
    packed: bytes
    life_s: float


class Link(Protocol):
    """Everything raises `UnreachableError` within a fixed short time. ``tell`` blocks and may be called on any
    thread; all else is called on one event loop."""

    def tell(self, op: Op, mark: int, writes: WriteSet) -> Token:
        """Append one entry in this node's name; returns where the log then stood."""

    async def look(self, number: int) -> Looked:
        """How far the log goes now; the entries after ``number``."""

    async def join(self) -> Joined:
        """How far the log goes, and the marks that are up; begins a log if there is none."""

    async def wait(self, number: int) -> None:
        """Return when there is an entry after ``number``, or after a heartbeat."""

    async def fetch(self, key: bytes) -> Offered | None:
        """What was offered under ``key``."""

    async def offer(self, key: bytes, boot: bytes, number: int, packed: bytes, life_s: float) -> None:
        """Keep ``packed`` for others, unless the log has begun anew or a newer one is there."""

    async def aclose(self) -> None:
        """Let go of all connections."""

    def close(self) -> None:
        """Let go of the connections of ``tell``."""
