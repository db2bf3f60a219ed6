"""The life of one Engine.IO session, as tables.

Decides only: packets and instants come in, a `Step` comes out, and whoever carries the session does what it says.
Nothing here knows what a transport is; it only knows which of the two a packet came from: the one that carries the
session, or a WebSocket that probes whether it may take over::

    POLLING ──probe connects──► PROBING ──PING "probe"──► PROBED ──UPGRADE──► WEBSOCKET
       ▲                           │                        │
       └───────── dropped, or not done within the upgrade timeout ──┘

Time: `deadline_s` says when `tick` is wanted next. All instants are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from steinmetz.realtime.engineio.packet import Packet, PacketType

MAX_LATENESS_S = 0.05
"""A ping that left later than this was late because the loop stalled: the client gets its full time to answer."""


NEVER_S = -1.0
"""Of the last PING without an answer: there is none."""


class State(Enum):
    POLLING = auto()
    PROBING = auto()
    PROBED = auto()
    WEBSOCKET = auto()
    CLOSED = auto()


_CLOSED = State.CLOSED
"""Asked for at every event; a member of an enumeration is looked up slowly."""


class Step(Enum):
    """What the carrier does next."""

    NOTHING = auto()
    DELIVER = auto()
    """Hand the packet's data to Socket.IO."""
    CLOSE = auto()
    """The peer has said goodbye: `transport close`."""
    FAIL = auto()
    """The peer broke the protocol: `parse error`."""
    SEND_PING = auto()
    TIME_OUT = auto()
    """No PONG in time: `ping timeout`."""
    ANSWER_PROBE = auto()
    """PONG "probe" on the probing WebSocket, and NOOP for a waiting poll, so that the client can pause it."""
    SWITCH = auto()
    """The probing WebSocket carries the session from now on."""
    DROP_PROBE = auto()
    """Close the probing WebSocket; polling goes on."""


_FROM_CARRIER: dict[PacketType, Step] = {
    PacketType.OPEN: Step.FAIL,
    PacketType.CLOSE: Step.CLOSE,
    # In protocol 4 "the server sends PING packets": a client's PING goes the wrong way.
    PacketType.PING: Step.FAIL,
    PacketType.PONG: Step.NOTHING,
    PacketType.MESSAGE: Step.DELIVER,
    PacketType.UPGRADE: Step.FAIL,
    PacketType.NOOP: Step.NOTHING,
}

_FROM_PROBE: dict[tuple[State, PacketType], tuple[State, Step]] = {
    (State.PROBING, PacketType.PING): (State.PROBED, Step.ANSWER_PROBE),
    (State.PROBED, PacketType.UPGRADE): (State.WEBSOCKET, Step.SWITCH),
}
_PROBE_FAILED = (State.POLLING, Step.DROP_PROBE)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Shared by all sessions of a server."""

    interval_s: float
    timeout_s: float
    upgrade_timeout_s: float


class Session:
    """One client from OPEN to CLOSED. ``sid`` is a bearer secret: whoever knows it can poll the session."""

    __slots__ = ("_beat", "_next_beat_s", "_pinged_s", "_upgrade_due_s", "sid", "state")

    def __init__(self, sid: str, heartbeat: Heartbeat, *, over_websocket: bool, now_s: float) -> None:
        self.sid = sid
        self.state = State.WEBSOCKET if over_websocket else State.POLLING
        self._beat = heartbeat
        self._pinged_s = NEVER_S
        self._next_beat_s = now_s + heartbeat.interval_s
        self._upgrade_due_s: float | None = None

    @property
    def deadline_s(self) -> float:
        """When `tick` is wanted next."""
        if self._upgrade_due_s is not None and self._upgrade_due_s < self._next_beat_s:
            return self._upgrade_due_s
        return self._next_beat_s

    @property
    def is_closed(self) -> bool:
        return self.state is _CLOSED

    def round_trip_s(self, now_s: float) -> float | None:
        """How long the PONG that has just come was awaited; None if it was not. To be asked before `receive`."""
        return None if self._pinged_s == NEVER_S else now_s - self._pinged_s

    def receive(self, kind: PacketType, now_s: float) -> Step:
        """A packet on the transport that carries the session."""
        if self.state is State.CLOSED:
            return Step.NOTHING
        if kind is PacketType.PONG and self._pinged_s != NEVER_S:
            self._pinged_s = NEVER_S
            self._next_beat_s = now_s + self._beat.interval_s
        return _FROM_CARRIER[kind]

    def open_probe(self, now_s: float) -> bool:
        """A WebSocket asks to take over; False if the session is not polling, or is being probed already."""
        if self.state is not State.POLLING:
            return False
        self.state = State.PROBING
        self._upgrade_due_s = now_s + self._beat.upgrade_timeout_s
        return True

    def receive_probe(self, packet: Packet) -> Step:
        """A packet on the probing WebSocket."""
        known = _FROM_PROBE.get((self.state, packet.type), _PROBE_FAILED)
        if packet.type is PacketType.PING and packet.data != "probe":
            known = _PROBE_FAILED
        if self.state in (State.PROBING, State.PROBED):
            self.state, step = known
            if step is not Step.ANSWER_PROBE:
                self._upgrade_due_s = None
            return step
        return Step.DROP_PROBE

    def lose_probe(self) -> None:
        """The probing WebSocket went away before it took over."""
        if self.state in (State.PROBING, State.PROBED):
            self.state = State.POLLING
            self._upgrade_due_s = None

    def tick(self, now_s: float) -> Step:
        """What has become due; ask again until it says NOTHING."""
        if self.state is State.CLOSED:
            return Step.NOTHING
        if self._upgrade_due_s is not None and now_s >= self._upgrade_due_s:
            self.lose_probe()
            return Step.DROP_PROBE
        if now_s < self._next_beat_s:
            return Step.NOTHING
        if self._pinged_s != NEVER_S:
            return Step.TIME_OUT
        due_s = self._next_beat_s if now_s - self._next_beat_s <= MAX_LATENESS_S else now_s
        self._pinged_s = now_s
        self._next_beat_s = due_s + self._beat.timeout_s
        return Step.SEND_PING

    def challenge(self, within_s: float, now_s: float) -> Step:
        """Somebody says that the peer has gone elsewhere: it has ``within_s`` seconds to say PONG."""
        if self.state is State.CLOSED:
            return Step.NOTHING
        due_s = now_s + within_s
        if self._pinged_s != NEVER_S:
            self._next_beat_s = min(self._next_beat_s, due_s)
            return Step.NOTHING
        self._pinged_s = now_s
        self._next_beat_s = due_s
        return Step.SEND_PING

    def close(self) -> None:
        self.state = State.CLOSED
        self._upgrade_due_s = None
