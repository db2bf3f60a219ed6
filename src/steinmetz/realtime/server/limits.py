"""What each address, user and connection has left of what it may ask for. Decides only: instants are arguments.

Every table is bounded: the rates by `Limits.keys`, the counts by the sessions that there are.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from steinmetz.addresses import place_of
from steinmetz.gcra import Denied, Gcra, Rate
from steinmetz.realtime.config import Limits
from steinmetz.realtime.errors import ConnectError, HandshakeError

Key = TypeVar("Key")

TOO_MANY_CONNECTIONS = "Too many connections"
TOO_MANY_REQUESTS = "Too many requests"
RATE_LIMITED = "rate_limited"
RETRY_S = 10.0
"""When it may be tried again where nobody can know: somebody else has to leave first."""
SILENCE_S = 2.0
"""A session that has just been opened is not ended for want of room: its CONNECT is on its way."""
PACKET_BYTES = 1_000
"""What a packet costs besides its bytes."""
CONNECTS = 200
"""So many of them are all that may come at once: each makes the middlewares read who it is."""
REFUSED_EVENT_BYTES = 20_000
"""What an event costs that comes too fast: who does not listen to refusals is cut off after a thousand of them."""


def too_many_connections(retry_after_s: float = RETRY_S) -> ConnectError:
    return ConnectError(TOO_MANY_CONNECTIONS, {"retryAfterMs": round(retry_after_s * 1000)})


def too_many_requests(retry_after_s: float) -> ConnectError:
    return ConnectError(TOO_MANY_REQUESTS, {"retryAfterMs": max(1, round(retry_after_s * 1000))})


def as_handshake_error(refusal: ConnectError) -> HandshakeError:
    """``refusal`` as an HTTP answer, for when there is no room for a session that could carry it."""
    data = refusal.data if isinstance(refusal.data, dict) else {}
    wait_ms = data.get("retryAfterMs")
    status = {TOO_MANY_CONNECTIONS: 503, TOO_MANY_REQUESTS: 429}.get(refusal.message, 403)
    return HandshakeError(
        3 if status != 403 else 4,
        refusal.message,
        status,
        retry_after_s=None if wait_ms is None else wait_ms / 1000,
    )


class Flow:
    """`Limits.bytes_per_connection` as two numbers; each connection keeps one, its theoretical arrival time."""

    __slots__ = ("burst_s", "period_s")

    def __init__(self, rate: Rate) -> None:
        self.period_s = rate.period_s
        self.burst_s = rate.burst * rate.period_s

    def arrival_s(self, arrival_s: float, now_s: float, size: int) -> float | None:
        """What to remember after ``size`` bytes more in one packet; None if that is a flood."""
        if arrival_s < now_s:
            arrival_s = now_s
        arrival_s += (size + PACKET_BYTES) * self.period_s
        return None if arrival_s - now_s > self.burst_s else arrival_s

    @property
    def connect_s(self) -> float:
        """By how much a CONNECT moves it."""
        return self.burst_s / CONNECTS

    @property
    def refusal_s(self) -> float:
        """By how much a refused event moves the arrival time."""
        return REFUSED_EVENT_BYTES * self.period_s


class Budgets:
    """The counts of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._handshakes = _gcra(limits.handshakes_per_address, limits.keys)
        self._refusals = _gcra(limits.refusals_per_address, limits.keys)
        self._user_events = _gcra(limits.events_per_user, limits.keys)
        self._events = {event: Gcra(rate, max_keys=limits.keys) for event, rate in limits.events.items()}
        self._sessions: dict[str, int] = {}
        self._silent: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """Sessions in no namespace yet, by sid, oldest first: since when, and the network they count for."""
        self._silent_of: dict[str, int] = {}
        self._sockets: dict[tuple[str, str], int] = {}
        self.flow = None if limits.bytes_per_connection is None else Flow(limits.bytes_per_connection)

    # -- sessions of an address ---------------------------------------------------------------------------------

    def handshake(self, address: str, now_s: float) -> ConnectError | None:
        """Count one more session or upgrade; why it may not be, if so."""
        network, is_local = place_of(address)
        if is_local:
            return None
        if self._handshakes is not None and (wait_s := self._handshakes.charge(network, now_s)):
            return too_many_requests(wait_s)
        if self._sessions.get(network, 0) >= self._limits.connections_per_address:
            return too_many_connections()
        return None

    def upgrade(self, address: str, now_s: float) -> float:
        """Count one more try to upgrade; the seconds to wait if it comes too soon, else 0."""
        network, is_local = place_of(address)
        return 0.0 if is_local or self._handshakes is None else self._handshakes.charge(network, now_s)

    def has_room_for_silence(self, address: str) -> bool:
        """Whether this address may have one more session that is in no namespace yet."""
        network, is_local = place_of(address)
        return is_local or self._silent_of.get(network, 0) < self._limits.unauthenticated_per_address

    def opened(self, sid: str, address: str, now_s: float) -> None:
        """A session has begun."""
        network, _ = place_of(address)
        self._sessions[network] = self._sessions.get(network, 0) + 1
        self._silent[sid] = (now_s, network)
        self._silent_of[network] = self._silent_of.get(network, 0) + 1

    @property
    def is_crowded(self) -> bool:
        """Whether as many are silent as may be."""
        return len(self._silent) >= self._limits.unauthenticated

    def most_silent(self, now_s: float) -> str | None:
        """The session that has been silent longest, if that is long enough to end it for want of room."""
        sid, (since_s, _) = next(iter(self._silent.items()))
        return sid if now_s - since_s >= SILENCE_S else None

    def authenticated(self, sid: str) -> None:
        """The session has been let into a namespace."""
        if (silent := self._silent.pop(sid, None)) is not None:
            _decrease(self._silent_of, silent[1])

    def closed(self, sid: str, address: str) -> None:
        self.authenticated(sid)
        _decrease(self._sessions, place_of(address)[0])

    # -- credentials --------------------------------------------------------------------------------------------

    def may_ask(self, address: str, now_s: float) -> ConnectError | None:
        """Why the middlewares are not asked about another credential of this address, if so."""
        network, is_local = place_of(address)
        if is_local or self._refusals is None:
            return None
        verdict = self._refusals.peek(network, now_s)
        return too_many_requests(verdict.retry_after_s) if isinstance(verdict, Denied) else None

    def credential_refused(self, address: str, now_s: float) -> None:
        network, is_local = place_of(address)
        if not is_local and self._refusals is not None:
            self._refusals.take(network, now_s)

    # -- users --------------------------------------------------------------------------------------------------

    def enter(self, namespace: str, subject: str) -> ConnectError | None:
        """One more socket of ``subject``; why not, if so."""
        count = self._sockets.get((namespace, subject), 0)
        if count >= self._limits.connections_per_user:
            return too_many_connections()
        self._sockets[namespace, subject] = count + 1
        return None

    def leave(self, namespace: str, subject: str) -> None:
        _decrease(self._sockets, (namespace, subject))

    def event(self, subject: str | None, socket_id: str, event: object, now_s: float) -> float:
        """Count one event; the seconds to wait if it comes too soon, else 0."""
        if self._events and isinstance(event, str) and (rate := self._events.get(event)) is not None:
            wait_s = rate.charge(subject or socket_id, now_s)
            if wait_s:
                return wait_s
        if subject is None or self._user_events is None:
            return 0.0
        return self._user_events.charge(subject, now_s)

    def remembered(self) -> int:
        """Entries of all tables."""
        rates = (self._handshakes, self._refusals, self._user_events, *self._events.values())
        counts = (self._sessions, self._silent, self._silent_of, self._sockets)
        return sum(len(rate) for rate in rates if rate is not None) + sum(len(count) for count in counts)


def _gcra(rate: Rate | None, keys: int) -> Gcra | None:
    return None if rate is None else Gcra(rate, max_keys=keys)


def _decrease(counts: dict[Key, int], key: Key) -> None:
    left = counts.get(key, 0) - 1
    if left > 0:
        counts[key] = left
    else:
        counts.pop(key, None)
