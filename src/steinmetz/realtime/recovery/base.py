"""The port of connection state recovery: a log of emissions and a box of sessions, for one namespace each.

An emission that may be recovered has a *position*: 1, 2, 3 ... in the one order of its namespace. Whoever delivers
it gives it the position (`MemoryLog.append` in one process; with Redis the script that publishes it), and every
process delivers its recoverable emissions to its own members in that order. What changes who hears what (a join, a
leave or a disconnection of many) is an `Entry` in the same order, so that a replay ends where a client that had
stayed connected would be.

Positions mean something in one `Epoch` only: one life of the memory that counts them. When that memory is lost, so
is the epoch, and whoever comes back from an earlier one is told `recovered: false`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from steinmetz.realtime.socketio.recovery import Entry, Epoch, Lane, Session


@dataclass(frozen=True, slots=True)
class Reading:
    """What the lanes asked for hold, up to ``position``, which is the newest of the namespace."""

    position: int
    lanes: Mapping[Lane, Sequence[Entry]]
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Of each node that writes to the log, the number of the last thing it has written."""


class Log(Protocol):
    """The recoverable emissions of one namespace, bounded; the oldest go first."""

    @property
    def epoch(self) -> Epoch:
        """The life that positions count in now."""

    async def position(self) -> int:
        """The newest position of the namespace, wherever it was given. 0 before the first."""

    async def read(self, lanes: Mapping[Lane, int]) -> Reading | None:
        """The entries of each lane behind its position, in order, events with their offsets.

        None if one of the lanes has lost any of them.

        Raises `OSError` while the memory cannot be asked.
        """


@runtime_checkable
class SharedLog(Log, Protocol):
    """One that several processes write to."""

    life_s: float
    """How long a lane is kept in which nothing is said, in seconds."""

    takeover_s: float
    """How long a client has to answer when somebody else shows its pid, in seconds."""

    def lives(self, life: bytes) -> None:
        """The epoch of what is heard now (`Stamp.life`)."""


class Sessions(Protocol):
    """The sessions of one namespace by socket id: of those who are away, and (between processes) of all."""

    def save(self, session: Session, owner: str) -> None:
        """Keep ``session``, instead of an earlier one of its socket. A plain call: see `saved`.

        ``owner`` names the connection: a session that somebody else has taken meanwhile is not kept again.
        """

    def give_back(self, session: Session) -> None:
        """Keep ``session`` again, which was taken and is not used."""

    async def saved(self) -> None:
        """Wait until everything saved so far is kept, or could not be."""

    async def is_held(self, sid: str) -> bool:
        """Whether another process may have the socket ``sid``. Raises `OSError` like `take`."""

    async def take(self, sid: str) -> Session | None:
        """The session of the socket ``sid``, and forget it: of several who ask, one gets it.

        Raises `OSError` while the memory cannot be asked.
        """

    def forget(self, sid: str) -> None:
        """The socket has left for good."""


class Store(Protocol):
    """Where the logs and the sessions of one server are kept."""

    def open(self, namespace: str) -> tuple[Log, Sessions]:
        """Those of ``namespace``; called once for each."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes write to it, too: sessions are then saved at connect, not only at disconnect."""

    async def aclose(self) -> None:
        """Save what waits to be saved, and leave."""
