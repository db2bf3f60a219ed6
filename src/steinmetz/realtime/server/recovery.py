"""Connection state recovery, carried: who comes back, whether he may have his old socket again, what he missed.

All or nothing: a client is told that it is recovered only if it has what a client would have that had stayed, each
event once. Whatever stands in the way of that makes it a new client, and is counted by its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2s
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import Unstamped
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.base import Log, Reading, Sessions, SharedLog
from steinmetz.realtime.recovery.memory import MemoryLog, MemorySessions
from steinmetz.realtime.server.call import is_own_end
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.socketio.recovery import BLANK, Entry, Replay, Session

if TYPE_CHECKING:
    from steinmetz.realtime.config import ConnectionStateRecovery
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

log = structlog.get_logger("steinmetz.realtime")

RECOVERABLE = frozenset(
    {
        Reason.TRANSPORT_ERROR,
        Reason.TRANSPORT_CLOSE,
        Reason.FORCED_CLOSE,
        Reason.PING_TIMEOUT,
        Reason.SERVER_SHUTTING_DOWN,
        Reason.FORCED_SERVER_CLOSE,
    }
)
"""Ends after which a client may have its socket again; after the others it was meant to go."""


_NO_NUMBERS: Mapping[str, int] = {}
MAX_READINGS = 100
"""Of one replay, while it takes the client into further rooms, or this process has trouble with its log."""


class Outcome(StrEnum):
    """What became of a client that came back."""

    RECOVERED = "recovered"
    UNKNOWN_PID = "unknown pid"
    """Not made by this epoch: forged, or the memory has been lost."""
    IN_USE = "in use"
    """Its socket is connected, and the client of that answers."""
    UNKNOWN_SESSION = "unknown session"
    """Too long away, taken already, or gone for want of room."""
    FOREIGN_SUBJECT = "foreign subject"
    FORBIDDEN_ROOM = "forbidden room"
    """One of its rooms is not open to it any more."""
    UNKNOWN_OFFSET = "unknown offset"
    INCOMPLETE = "incomplete"
    """Something it has missed is not kept any more."""
    UNSURE = "unsure"
    """Redis was away or slow: something has been told out of order, or has perhaps not arrived here yet."""
    TOO_MUCH = "too much"
    """More than `Config.client_queue_bytes` would have to be sent."""
    EXPELLED = "expelled"
    """It was told to stay away while it was not there to hear it."""
    UNREACHABLE = "unreachable"
    """The memory could not be asked."""


class _NotRecoveredError(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client shows that comes back; whatever it was that came in its `auth`."""

    pid: object
    offset: object


@dataclass(frozen=True, slots=True)
class Restored:
    """A session that has been taken, and everything its client has missed."""

    session: Session
    replay: Replay
    numbers: Mapping[str, int]
    """See `Reading.numbers`."""


class Recovery:
    """Of one namespace. Bound: what its log and its sessions say; here a few ids of those who just came back."""

    def __init__(
        self,
        namespace: Namespace,
        kept: tuple[Log, Sessions],
        config: ConnectionStateRecovery,
        *,
        is_shared: bool,
    ) -> None:
        self.log, self.sessions = kept
        self.is_shared = is_shared
        in_cluster = namespace.server.cluster is not None
        self.shared: SharedLog | None = self.log if in_cluster and isinstance(self.log, SharedLog) else None
        """The log, if a cluster's adapter records in it what is said."""
        self._namespace = namespace
        self._config = config
        self._replayed: dict[str, tuple[str, int]] = {}
        self._numbers: dict[str, Mapping[str, int]] = {}
        """Of what each node has recorded, what came before a socket, or was told to it by its replay."""
        self._changed: set[str] = set()
        self._plain: set[str] = set()
        """The sockets whose clients keep no offsets."""

    def in_process(self) -> tuple[MemoryLog | None, Callable[[str], bool] | None]:
        """For an adapter that gives the positions itself."""
        if isinstance(self.log, MemoryLog) and isinstance(self.sessions, MemorySessions):
            return self.log, self.sessions.has_room
        return None, None

    @property
    def awaited_until_s(self) -> float | None:
        """Until when somebody may come back who is remembered with this namespace, and nowhere else."""
        return self.sessions.awaited_until_s if isinstance(self.sessions, MemorySessions) else None

    def tear(self) -> None:
        """Something that was said is missing in the log of this process: nobody is whole across this point."""
        if isinstance(self.log, MemoryLog):
            self.log.tear()

    def pid(self, sid: str) -> str:
        """What the client of the socket ``sid`` shows when it comes back."""
        return self.log.epoch.pid(sid)

    def is_for(self, socket: Socket) -> bool:
        """Whether the client of ``socket`` keeps offsets, and can come back."""
        return self._config.keeps_offsets(socket.client.request.raw_query)

    def claim(self, auth: dict[str, Any]) -> Claim | None:
        """Take ``pid`` and ``offset`` out of ``auth``: they are ours, and no handler needs a secret."""
        pid, offset = auth.pop("pid", None), auth.pop("offset", None)
        return None if pid is None else Claim(pid, offset)

    # -- back again ---------------------------------------------------------------------------------------------

    async def restore(self, socket: Socket, claim: Claim) -> Restored | None:
        """What ``claim`` entitles ``socket`` to, which has passed the middlewares; None: it is a new client.

        When this returns, nothing has been emitted since the replay was read, unless the log is shared.
        """
        try:
            restored = await self._restored(socket, claim)
            outcome = Outcome.RECOVERED
        except _NotRecoveredError as error:
            restored, outcome = None, error.outcome
        except OSError as error:
            log.warning("Sessions cannot be recovered", error=type(error).__name__, remedy="is Redis up?")
            restored, outcome = None, Outcome.UNREACHABLE
        except Exception as error:  # of what the memory has answered; whoever comes back is let in all the same
            log.error("A session could not be recovered", error=type(error).__name__)
            restored, outcome = None, Outcome.UNREACHABLE
        self._namespace.server.statistics.recoveries[outcome] += 1
        return restored

    async def _restored(self, socket: Socket, claim: Claim) -> Restored:
        if not self._namespace.adapter.is_recording:
            raise _NotRecoveredError(Outcome.INCOMPLETE if self.shared is None else Outcome.UNSURE)
        sid = self.log.epoch.sid(claim.pid)
        if sid is None:
            await self.log.position()  # perhaps it has begun a new life, of which nothing has been heard here
            sid = self.log.epoch.sid(claim.pid)
        if sid is None:
            raise _NotRecoveredError(Outcome.UNKNOWN_PID)
        here = self._namespace.sockets.get(sid)
        if here is not None and here.subject != socket.subject:
            raise _NotRecoveredError(Outcome.FOREIGN_SUBJECT)
        if not await self.let_go(sid):
            raise _NotRecoveredError(Outcome.IN_USE)
        if await self.sessions.is_held(sid) and not await self._namespace.adapter.let_go(sid):
            raise _NotRecoveredError(Outcome.IN_USE)
        session = await self.sessions.take(sid)
        if session is None or session.epoch_id != self.log.epoch.id or sid in self._namespace.sockets:
            raise _NotRecoveredError(Outcome.UNKNOWN_SESSION)
        if session.subject != socket.subject:
            self.sessions.give_back(session)
            raise _NotRecoveredError(Outcome.FOREIGN_SUBJECT)
        await self._authorise(socket, session)
        return await self._missed(session, claim.offset)

    async def let_go(self, sid: str) -> bool:
        """Trap T30: a half-open socket gives way to its client's new connection, but not to a second client.

        The old connection is asked whether somebody is there (PING). If nobody answers, it ends like any other
        that has timed out, and its session is kept; if somebody does, whoever showed the pid is somebody else.
        """
        socket = self._namespace.sockets.get(sid)
        if socket is not None and await socket.client.answers(within_s=self._config.takeover_timeout_s):
            return False
        await self.sessions.saved()
        return True

    async def _authorise(self, socket: Socket, session: Session) -> None:
        """What the middlewares let it into, and what it asked for itself, it must be allowed again, all of it."""
        granted = set(socket.early_rooms or ())
        if not granted.issuperset(session.granted):
            raise _NotRecoveredError(Outcome.FORBIDDEN_ROOM)
        for room in session.requested:
            if room in session.history.rooms and not await self._may_join(socket, room):
                raise _NotRecoveredError(Outcome.FORBIDDEN_ROOM)

    async def _may_join(self, socket: Socket, room: str) -> bool:
        try:
            return await self._namespace.server.may_join(socket, room)
        except (Exception, asyncio.CancelledError) as error:
            if is_own_end(error):
                raise
            log.error("Whether a room is open could not be found out", error=type(error).__name__)
            return False

    async def _missed(self, session: Session, offset: object) -> Restored:
        if offset == BLANK:
            raise _NotRecoveredError(Outcome.UNSURE)
        position = self.log.epoch.position(offset)
        # No offset: it has heard nothing yet. One from before this session: it has heard nothing *in* it.
        replay = Replay(session, max(position or 0, session.since))
        if session.history.whole_from > replay.start:
            raise _NotRecoveredError(Outcome.INCOMPLETE)
        numbers = await self._read(replay, session.as_of)
        if session.epoch_id != self.log.epoch.id:
            raise _NotRecoveredError(Outcome.INCOMPLETE)
        if replay.is_expelled:
            raise _NotRecoveredError(Outcome.EXPELLED)
        if position is None and offset is not None and self._may_have_heard(session, replay.heard):
            raise _NotRecoveredError(Outcome.UNKNOWN_OFFSET)
        if _size(replay.heard) > self._namespace.server.config.client_queue_bytes:
            raise _NotRecoveredError(Outcome.TOO_MUCH)
        return Restored(session, replay, numbers)

    async def _read(self, replay: Replay, as_of: int) -> Mapping[str, int]:
        """Until it is whole, with what has been delivered here meanwhile: its client was not there yet.

        A log that is behind what has been delivered already counts anew, by a clock that has been put back: what
        is known of its rooms means nothing in it.
        """
        adapter = self._namespace.adapter
        for _ in range(MAX_READINGS):
            await adapter.listen([room for room in replay.wanted if room is not None])
            disorder, delivered = adapter.disorder, max(adapter.position, as_of)
            reading = await self.log.read(replay.wanted)
            if reading is None:
                break
            if not adapter.is_recording or reading.position < delivered:
                raise _NotRecoveredError(Outcome.UNSURE)
            told = adapter.told_behind(reading.position)
            # What was told at once, as it did not return, has returned perhaps behind what was read.
            if told is None or adapter.disorder != disorder:
                continue
            if replay.feed(max(reading.position, adapter.position), [*reading.lanes.values(), told]):
                return reading.numbers
        raise _NotRecoveredError(Outcome.INCOMPLETE)

    @staticmethod
    def _may_have_heard(session: Session, heard: Sequence[Entry]) -> bool:
        """Whether anything was said to it while it was connected, of which we cannot tell if it arrived."""
        if not heard:
            return False
        return session.is_connected or heard[0].position <= session.as_of

    def resume(self, socket: Socket, session: Session) -> None:
        """``socket``, not admitted yet, goes on where its session was left. What the middlewares said stands."""
        self.abandon(socket)
        socket.id = session.sid
        socket.recovered = True
        socket.since = session.since
        socket.requested_rooms = set(session.requested) or None
        news = dict(socket.data)
        socket.data.update(session.data)
        socket.data.update(news)

    async def begin(self, socket: Socket) -> None:
        """A new ``socket``: it hears what comes behind this position, even if older news arrive late here."""
        adapter = self._namespace.adapter
        reading: Reading | None = None
        try:
            await adapter.listen(socket.early_rooms or ())
            reading = await self.log.read({})
        except OSError:
            """It is let in all the same, and hears what comes."""
        except Exception as error:  # of what the memory has answered
            log.error("The log of a namespace could not be read", error=type(error).__name__)
        socket.since = adapter.position if reading is None else reading.position
        if reading is not None and reading.numbers:
            self._numbers[socket.id] = reading.numbers
        if socket.since > adapter.position:
            self._replayed[socket.id] = (self.log.epoch.id, socket.since)

    def abandon(self, socket: Socket, restored: Restored | None = None) -> None:
        """``socket`` is not let in after all: what was looked up for it, or taken, is for somebody else again."""
        self._replayed.pop(socket.id, None)
        self._numbers.pop(socket.id, None)
        if restored is not None:
            self.sessions.give_back(restored.session)

    def unheard(self, members: Sequence[Socket], position: int | Unstamped) -> Sequence[Socket]:
        """Those of ``members`` that have not been told the emission at ``position`` by a replay."""
        if isinstance(position, Unstamped):
            if not self._numbers:
                return members
            node, number = position
            return [each for each in members if number > self._numbers.get(each.id, _NO_NUMBERS).get(node, 0)]
        if not self._replayed:
            return members
        epoch_id = self.log.epoch.id
        self._replayed = {
            sid: (known, end)
            for sid, (known, end) in self._replayed.items()
            if known == epoch_id and end >= position
        }
        return [member for member in members if member.id not in self._replayed]

    def split(self, members: Sequence[Socket]) -> tuple[Sequence[Socket], Sequence[Socket]]:
        """``members`` whose clients keep offsets, and the others."""
        if not self._plain:
            return members, ()
        kept = [member for member in members if member.id not in self._plain]
        return kept, [member for member in members if member.id in self._plain]

    # -- away ---------------------------------------------------------------------------------------------------

    def admitted(self, socket: Socket, restored: Restored | None) -> None:
        """``socket`` is in its rooms: say what it has missed, before anything new is said to it.

        A process may end without a word: between processes a session is kept from the beginning.
        """
        if not self.is_for(socket):
            self._plain.add(socket.id)
            return
        if restored is None and not self.is_shared:
            socket.since = self._namespace.adapter.position
        elif restored is not None:
            end = restored.replay.end
            if end > self._namespace.adapter.position:
                self._replayed[socket.id] = (self.log.epoch.id, end)
            if restored.numbers:
                self._numbers[socket.id] = restored.numbers
            for entry in restored.replay.heard:
                socket.client.send(Outgoing(*entry.packets))
        if self.is_shared:
            self._save(socket, is_connected=True)

    def changed(self, sid: str) -> None:
        """The rooms of ``sid`` are others now."""
        if self.is_shared and sid in self._namespace.sockets and sid not in self._plain:
            if not self._changed:
                self._namespace.server.call_soon(self._save_changed)
            self._changed.add(sid)

    def _save_changed(self) -> None:
        changed, self._changed = self._changed, set()
        for sid in changed:
            socket = self._namespace.sockets.get(sid)
            if socket is not None:
                self._save(socket, is_connected=True)

    def left(self, socket: Socket, reason: str) -> None:
        """``socket`` is about to leave its rooms."""
        self._replayed.pop(socket.id, None)
        self._numbers.pop(socket.id, None)
        if socket.id in self._plain:
            self._plain.discard(socket.id)
        elif reason in RECOVERABLE:
            self._save(socket, is_connected=False)
        else:
            self.sessions.forget(socket.id)

    def _save(self, socket: Socket, *, is_connected: bool) -> None:
        """What cannot be kept (`socket.data` is the application's) is forgotten: it must not keep a socket from
        leaving."""
        try:
            self.sessions.save(self._session(socket, is_connected=is_connected), _owner(socket))
        except Exception as error:
            log.error("A session could not be kept", error=type(error).__name__)
            self.sessions.forget(socket.id)

    def _session(self, socket: Socket, *, is_connected: bool) -> Session:
        adapter = self._namespace.adapter
        return Session(
            sid=socket.id,
            epoch_id=self.log.epoch.id,
            subject=socket.subject,
            since=socket.since,
            as_of=adapter.position,
            history=adapter.history(socket.id),
            is_connected=is_connected,
            granted=socket.granted,
            requested=tuple(socket.requested_rooms or ()),
            data=socket.data,
        )


def _owner(socket: Socket) -> str:
    """The name of a connection. Its session's id is a secret and stays here."""
    return blake2s(socket.client.session.sid.encode(), digest_size=8).hexdigest()


def _size(entries: Sequence[Entry]) -> int:
    return sum(len(packet.data) + 40 for entry in entries for packet in entry.packets)
