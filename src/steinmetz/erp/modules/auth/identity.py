"""Who stands behind an access token, asked for by every request and every socket.

Reads ``users`` and ``session_revocations`` by primary key and nothing else (trap T15): what a sign-in or a renewal
writes can make no admission uncertain.
"""

from __future__ import annotations

from steinmetz.cache import Admission, Admitted, Principal, Refused
from steinmetz.clock import Clock
from steinmetz.erp.db import Database
from steinmetz.erp.kit.roles import Actor
from steinmetz.erp.modules.auth import repository
from steinmetz.erp.modules.auth.rules import user_room
from steinmetz.erp.modules.auth.tokens import TokenError, Tokens

BEARER = b"bearer "


class Identity:
    """The cache's `Authenticator`. It opens no scope: whose readings these are is the caller's business."""

    credential_fields = frozenset({b"authorization"})

    def __init__(self, database: Database, tokens: Tokens, clock: Clock) -> None:
        self._database = database
        self.tokens = tokens
        self._clock = clock

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """The token of ``Authorization: Bearer``; None if there is no such header."""
        for name, value in headers:
            if name == b"authorization" and value[:7].lower() == BEARER:
                return value[7:].strip()
        return None

    async def authenticate(self, credential: bytes) -> Admission:
        """Prove the token, then ask whether its user and its sign-in still stand."""
        try:
            claims = self.tokens.prove_access(credential.decode("ascii", "replace"), self._clock.now())
        except TokenError as error:
            return Refused(str(error))
        async with self._database.unit(writes=False) as unit:
            user = await repository.user(unit.session, claims.user_id)
            is_revoked = await repository.is_revoked(unit.session, claims.session_id)
        if user is None or not user.is_active:
            return Refused("Account disabled")
        if is_revoked or user.auth_version != claims.auth_version:
            return Refused("Token revoked")
        actor = Actor(user.id, user.name, user.role, claims.session_id)
        return Admitted(Principal(user_room(user.id), user.role.value, claims.expires_at, actor))
