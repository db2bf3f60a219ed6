"""Who stands behind an access token, asked for by every request and every socket.

Reads ``users`` and ``session_revocations`` by primary key and nothing else (trap T15): what a sign-in or a renewal
writes can make no admission uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence

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

    async def stands(self, held: Sequence[tuple[bytes, Actor]]) -> list[bool]:
        """Whether each of these credentials, proven before, still proves the same."""
        actors = await self.actors(held)
        return [
            actor is not None and (actor.id, actor.role) == (before.id, before.role)
            for actor, (_, before) in zip(actors, held, strict=True)
        ]

    async def actors(self, held: Sequence[tuple[bytes, Actor]]) -> list[Actor | None]:
        """Who stands behind each of these credentials now, proven before, in two questions for all.

        That one has expired meanwhile is not asked: whoever holds it open ends it at its time.
        """
        claims = [self.tokens.prove_once(credential.decode("ascii", "replace")) for credential, _ in held]
        async with self._database.unit(writes=False) as unit:
            ids = sorted({claim.user_id for claim in claims if claim is not None})
            users = {user.id: user for user in await repository.users_with(unit.session, ids)}
            sessions = sorted({claim.session_id for claim in claims if claim is not None})
            revoked = await repository.revoked_among(unit.session, sessions)
        standing: list[Actor | None] = []
        for claim, (_, actor) in zip(claims, held, strict=True):
            user = None if claim is None else users.get(claim.user_id)
            stands = (
                claim is not None
                and user is not None
                and user.is_active
                and (user.id, user.auth_version) == (actor.id, claim.auth_version)
                and claim.session_id not in revoked
            )
            standing.append(Actor(user.id, user.name, user.role, actor.session_id) if stands and user else None)
        return standing
