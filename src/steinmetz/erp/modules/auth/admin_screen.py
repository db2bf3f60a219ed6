"""Socket.IO's Admin UI in front of this application: administrators may watch the sockets with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from steinmetz.cache import Admitted
from steinmetz.clock import Clock
from steinmetz.erp.errors import Problem, Unauthenticated
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.auth.doorkeeper import Caller, Doorkeeper
from steinmetz.erp.modules.auth.identity import Identity
from steinmetz.erp.modules.auth.rules import session_room, user_room
from steinmetz.erp.modules.auth.schemas import MAX_EMAIL_CHARS
from steinmetz.realtime import ConnectError, Socket
from steinmetz.sql.scope import ScopeKind, open_scope

INVALID = "invalid credentials"
"""The words at which the UI asks again."""
WATCHED_S = 8 * 3_600
"""A shift; then the UI signs in anew. A sign-in that is ended ends the screen at once."""
MAX_PASSWORD_CHARS = 200


class AdminScreen:
    """Lets administrators in, with the e-mail address and the password that they sign in with everywhere."""

    def __init__(self, doorkeeper: Doorkeeper, identity: Identity, clock: Clock) -> None:
        self._doorkeeper = doorkeeper
        self._identity = identity
        self._clock = clock

    async def admit(self, socket: Socket) -> str:
        """What the UI shows instead of the password while it is good: an access token. Raises `ConnectError`."""
        shown = socket.handshake.auth
        with open_scope(ScopeKind.ADMISSION, "admin screen"):
            token = _text(shown.get("sessionId")) or await self._signed_in(socket, shown)
            # Asked again, the same sign-in is shown again, and the password is not kept.
            shown.clear()
            shown["sessionId"] = token
            actor = await self._administrator(token)
        socket.data["user"] = actor
        socket.data["renewal"] = SecretStr(token)
        socket.subject = user_room(actor.id)
        socket.expires_at = self._clock.now().timestamp() + WATCHED_S
        socket.join(user_room(actor.id), session_room(actor.id, actor.session_id))
        return token

    async def _signed_in(self, socket: Socket, shown: Mapping[str, Any]) -> str:
        email, password = _text(shown.get("username")), _text(shown.get("password"))
        if not 0 < len(email) <= MAX_EMAIL_CHARS or not 0 < len(password) <= MAX_PASSWORD_CHARS:
            raise ConnectError(INVALID)
        agent = socket.handshake.headers.get("user-agent", "")
        caller = Caller(address=socket.handshake.address, user_agent=agent)
        try:
            given = await self._doorkeeper.sign_in(email, SecretStr(password), caller)
        except Unauthenticated:
            raise ConnectError(INVALID) from None
        except Problem as problem:
            raise ConnectError(problem.detail) from None
        if given.user.role is not Role.ADMIN:
            await self._doorkeeper.sign_out(given.refresh_token, None, caller)
            raise ConnectError(INVALID)
        return given.access_token

    async def _administrator(self, token: str) -> Actor:
        admission = await self._identity.authenticate(token.encode("utf-8", "replace"))
        actor = admission.principal.detail if isinstance(admission, Admitted) else None
        if not isinstance(actor, Actor) or actor.role is not Role.ADMIN:
            raise ConnectError(INVALID)
        return actor


def shown(socket: Socket) -> dict[str, Any]:
    """What the screen shows as the data of a socket."""
    user = socket.data.get("user")
    return {"id": user.id, "name": user.name, "role": user.role.value} if isinstance(user, Actor) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
