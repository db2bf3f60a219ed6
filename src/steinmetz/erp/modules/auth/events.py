"""Sockets: who may connect, which rooms they hear, and what the world is told after a commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, assert_never

from steinmetz.cache import Admitted
from steinmetz.erp.db import Publication, Publisher
from steinmetz.erp.kit.announcements import Announcement, Departure, Expulsion
from steinmetz.erp.kit.roles import Actor
from steinmetz.erp.modules.auth.identity import Identity
from steinmetz.erp.modules.auth.rules import may_join, rooms_of
from steinmetz.erp.modules.auth.schemas import REFRESH, SocketRenewal
from steinmetz.realtime import ConnectError, EventError, Server, Socket
from steinmetz.realtime.events import Done
from steinmetz.sql.scope import ScopeKind, open_scope

EXPIRED = "Token expired"
REQUIRED = "Authentication required"

RoomPolicy = Callable[[Actor, str], Awaitable[bool]]
"""Whether somebody may enter a room, by its name."""


class Gate:
    """Lets sockets in, renews them, and decides about rooms; `attach` does all the wiring."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._expulsions = 0
        self._departures = 0
        self._policies: dict[str, RoomPolicy] = {}

    def open_rooms(self, prefix: str, policy: RoomPolicy) -> None:
        """Let ``policy`` decide about the rooms whose names begin with ``prefix``; nobody enters any other."""
        self._policies[prefix] = policy

    def attach(self, io: Server) -> Publisher:
        """Stand before ``io``; returns what a `Database` publishes through."""
        io.use(self.authenticate_socket)
        io.on(REFRESH, self.refresh)
        io.on_room_join(self.authorise)

        def publish(publication: Publication) -> None:
            match publication:
                case Announcement(event, payload, rooms):
                    (io.to(*rooms) if rooms else io).emit(event, payload)
                case Expulsion(room):
                    self._expulsions += 1
                    io.in_(room).local.disconnect_sockets()
                case Departure(sockets, room):
                    self._departures += 1
                    io.in_(sockets).local.sockets_leave(room)
                case _:
                    assert_never(publication)

        return publish

    async def authenticate_socket(self, socket: Socket) -> None:
        """The middleware. Raises `ConnectError`: ``Authentication required`` or ``Token expired``."""
        actor, expires_at_s, problem = await self._admitted(socket.handshake.auth)
        if actor is None:
            raise ConnectError(problem)
        socket.data["user"] = actor
        socket.subject = str(actor.id)
        socket.expires_at = expires_at_s
        socket.join(*rooms_of(actor))

    async def refresh(self, socket: Socket, renewal: SocketRenewal) -> Done:
        """``auth:refresh {token}``: a newer token of the same user keeps the socket open for longer.

        Raises `EventError` with the code ``unauthenticated``.
        """
        actor, expires_at_s, problem = await self._admitted({"token": renewal.token})
        held: Actor = socket.data["user"]
        if actor is not None and (actor.id, actor.role) != (held.id, held.role):
            actor, problem = None, "The token is another user's, or of another role: connect anew."
        if actor is None:
            raise EventError("unauthenticated", problem)
        socket.expires_at = expires_at_s
        return {"ok": True}

    async def authorise(self, socket: Socket, room: str) -> bool:
        """Whether the socket may enter ``room``."""
        actor: Actor = socket.data["user"]
        if may_join(actor, room):
            return True
        for prefix, policy in self._policies.items():
            if room.startswith(prefix):
                return await self._asked(policy, actor, room)
        return False

    async def _asked(self, policy: RoomPolicy, actor: Actor, room: str) -> bool:
        while True:
            departures = self._departures
            verdict = await policy(actor, room)
            # Somebody was taken out of a room while we asked: perhaps he, who was not in it yet. Ask again.
            if departures == self._departures:
                return verdict

    async def _admitted(self, auth: Any) -> tuple[Actor | None, float | None, str]:
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            return None, None, REQUIRED
        while True:
            expulsions = self._expulsions
            with open_scope(ScopeKind.ADMISSION, "socket sign-in"):
                admission = await self._identity.authenticate(token.encode("utf-8", "replace"))
            # Somebody was expelled while we read: it may have been this user, who was in no room yet. Ask again.
            if expulsions == self._expulsions:
                break
        if not isinstance(admission, Admitted):
            return None, None, EXPIRED if admission.reason == EXPIRED else REQUIRED
        principal = admission.principal
        assert isinstance(principal.detail, Actor)
        expires_at_s = principal.expires_at.timestamp() if principal.expires_at else None
        return principal.detail, expires_at_s, ""
