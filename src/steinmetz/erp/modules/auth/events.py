"""Sockets: who may connect, which rooms they hear, and what the world is told after a commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, assert_never

from pydantic import SecretStr

from steinmetz.cache import Admitted, Principal
from steinmetz.erp.db import Publication, Publisher
from steinmetz.erp.kit.announcements import Announcement, Departure, Expulsion
from steinmetz.erp.kit.roles import Actor
from steinmetz.erp.modules.auth.identity import Identity
from steinmetz.erp.modules.auth.rules import may_join, rooms_of, user_room
from steinmetz.erp.modules.auth.schemas import REFRESH, SocketRenewal
from steinmetz.gcra import Rate
from steinmetz.realtime import ConnectError, EventError, Server, Socket
from steinmetz.realtime.events import Done
from steinmetz.sql.scope import ScopeKind, open_scope

EVENT_RATES = {
    "auth:refresh": Rate(300, 0.1),
    "room:join": Rate(300, 0.1),
    "room:leave": Rate(300, 0.1),
    "live:subscribe": Rate(600, 0.05),
}
"""Of one user: each of these may ask the database. A page enters a handful of rooms and shows some dozen
answers, in each of its tabs; a workshop's terminals that share one account renew their tokens at one moment."""

EXPIRED = "Token expired"
REQUIRED = "Authentication required"

RoomPolicy = Callable[[Actor, str], Awaitable[bool]]
"""Whether somebody may enter a room, by its name."""


class Gate:
    """Lets sockets in, renews them, and decides about rooms; `attach` does all the wiring."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._policies: dict[str, RoomPolicy] = {}

    def open_rooms(self, prefix: str, policy: RoomPolicy) -> None:
        """Let ``policy`` decide about the rooms whose names begin with ``prefix``; nobody enters any other."""
        self._policies[prefix] = policy

    def attach(self, io: Server) -> Publisher:
        """Stand before ``io``; returns what a `Database` publishes through."""
        io.use(self.authenticate_socket)
        io.on(REFRESH, self.refresh)
        io.on_room_join(self.authorise)
        io.on_review(self.examine)

        def publish(publication: Publication) -> None:
            match publication:
                case Announcement(event, payload, rooms):
                    (io.to(*rooms) if rooms else io).emit(event, payload)
                case Expulsion(room):
                    io.revoke(room, is_local=True)  # every process publishes it
                case Departure(sockets, room):
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
        socket.subject = user_room(actor.id)
        socket.expires_at = expires_at_s
        socket.join(*rooms_of(actor))

    async def refresh(self, socket: Socket, renewal: SocketRenewal) -> Done:
        """``auth:refresh {token}``: a newer token of the same sign-in keeps the socket open for longer.

        One of another sign-in does not: the socket would outlive the sign-in whose end is to end it. Raises
        `EventError` with the code ``unauthenticated``.
        """
        actor, expires_at_s, problem = await self._admitted({"token": renewal.token})
        held: Actor = socket.data["user"]
        if actor is not None and (actor.id, actor.role, actor.session_id) != (held.id, held.role, held.session_id):
            actor, problem = None, "The token is of another user, role or sign-in: connect anew."
        if actor is None:
            raise EventError("unauthenticated", problem)
        # No JSON value: what of `socket.data` is one may go to other servers, and into Redis.
        socket.data["renewal"] = SecretStr(renewal.token)
        socket.expires_at = expires_at_s
        return {"ok": True}

    async def authorise(self, socket: Socket, room: str) -> bool:
        """Whether the socket may enter ``room``."""
        actor: Actor = socket.data["user"]
        if may_join(actor, room):
            return True
        for prefix, policy in self._policies.items():
            if room.startswith(prefix):
                return await policy(actor, room)
        return False

    async def examine(self, sockets: Sequence[Socket]) -> list[Socket]:
        """Those of ``sockets`` whose user or sign-in does not stand any more."""
        held = [_held(socket) for socket in sockets]
        with open_scope(ScopeKind.ADMISSION, "socket review"):
            standing = await self._identity.stands(held)
        return [socket for socket, stands in zip(sockets, standing, strict=True) if not stands]

    async def principals(self, sockets: Sequence[Socket]) -> list[Principal | None]:
        """Who stands behind each of ``sockets`` now; None for a sign-in that stands no more."""
        actors = await self._identity.actors([_held(socket) for socket in sockets])
        return [
            None if actor is None else Principal(user_room(actor.id), actor.role.value, None, actor)
            for actor in actors
        ]

    async def _admitted(self, auth: Any) -> tuple[Actor | None, float | None, str]:
        token = _token_of(auth)
        if not token:
            return None, None, REQUIRED
        with open_scope(ScopeKind.ADMISSION, "socket sign-in"):
            admission = await self._identity.authenticate(token.encode("utf-8", "replace"))
        if not isinstance(admission, Admitted):
            return None, None, EXPIRED if admission.reason == EXPIRED else REQUIRED
        principal = admission.principal
        assert isinstance(principal.detail, Actor)
        expires_at_s = principal.expires_at.timestamp() if principal.expires_at else None
        return principal.detail, expires_at_s, ""


def _shown(socket: Socket) -> Any:
    """What the client has shown last to prove who it is."""
    renewal: SecretStr | None = socket.data.get("renewal")
    return socket.handshake.auth if renewal is None else {"token": renewal.get_secret_value()}


def _held(socket: Socket) -> tuple[bytes, Actor]:
    return _token_of(_shown(socket)).encode("utf-8", "replace"), socket.data["user"]


def _token_of(auth: Any) -> str:
    token = auth.get("token") if isinstance(auth, dict) else None
    return token if isinstance(token, str) else ""
