"""Signing in, staying signed in, being signed out; and the administration of users.

Passwords are hashed and checked outside any transaction: on SQLite a writer holds the only pen.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import SecretStr

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import Conflict, NotFound, Unauthenticated, Unprocessable
from steinmetz.erp.kit.announcements import Expulsion
from steinmetz.erp.kit.language import Phrase
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import READS_AS, WRITES_AS, Actor, Role
from steinmetz.erp.modules.auth import repository, texts
from steinmetz.erp.modules.auth.models import Session, SessionRevocation, User
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.auth.rules import (
    Repeat,
    Reuse,
    Rotate,
    leaves_no_administrator,
    password_flaw,
    rotation,
    session_room,
    user_room,
)
from steinmetz.erp.modules.auth.schemas import (
    NewUserInput,
    RoleView,
    UserChangeInput,
    UserListView,
    UserView,
)
from steinmetz.erp.modules.auth.throttle import LoginThrottle
from steinmetz.erp.modules.auth.tokens import InvalidTokenError, Tokens, seconds_left
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system.service import Outcome, differences, record, record_sign_in
from steinmetz.gcra import Allowed, Gcra, Rate

log = structlog.get_logger("steinmetz.auth")

SIGN_IN_AGAIN = "Sign in again with POST /api/auth/login."
WRONG_CREDENTIALS = "E-mail address or password is wrong"
TRY_AGAIN = "Check both and try again; an administrator can set a new password."
TOKEN_REUSED = "refresh token used twice"
WRITTEN_REFUSALS = Rate(burst=100, period_s=1)
"""Refused sign-ins of all addresses together that are written into the log; it is kept for long, so a crowd of
guessers must not fill it. What is left out is counted in the next one that is written."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in or its renewal gives: both tokens and how long they last, in seconds."""

    user: UserView
    access_token: str
    access_s: int
    refresh_token: str
    refresh_s: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from, for the log of sign-ins."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


def _note(unit: Unit, outcome: Outcome, user: User | None, detail: str, caller: Caller) -> None:
    user_id, name = (user.id, user.name) if user is not None else (None, "")
    record_sign_in(unit, outcome, user_id, name, detail, caller.address, caller.user_agent)


class Doorkeeper:
    """Sign-ins: made, renewed, ended."""

    def __init__(
        self,
        database: Database,
        hasher: PasswordHasher,
        tokens: Tokens,
        throttle: LoginThrottle,
        *,
        session_s: int,
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._tokens = tokens
        self._throttle = throttle
        self._session_life = timedelta(seconds=session_s)
        self._refusals = Gcra(WRITTEN_REFUSALS, max_keys=1)
        self._unwritten = 0

    async def sign_in(self, email: str, password: SecretStr, caller: Caller) -> SignIn:
        """Sign in. Raises `Unauthenticated`, `TooManyRequests`, `Unavailable`."""
        email = email.strip().lower()
        proven = await self._proven(email, password, caller)
        async with self._unit(caller) as unit:
            user = await repository.user(unit.session, proven.id, lock=True)
            # Disabled or given another password while Argon2 was working: what was proven is void.
            is_void = user is None or not user.is_active or user.password_hash != proven.password_hash
            given = None if user is None or is_void else await self._opened(unit, user, caller)
        if given is None:
            await self._note_refusal(proven, "changed meanwhile", caller)
            raise Unauthenticated(WRONG_CREDENTIALS, how=TRY_AGAIN)
        log.info("Signed in", user=proven.id, address=caller.address)
        return given

    def _unit(self, caller: Caller) -> AbstractAsyncContextManager[Unit]:
        """For signing in and out, which goes on under maintenance: reading needs it."""
        return self._database.unit(request_id=caller.request_id, despite_maintenance=True)

    async def vouch_for(self, email: str, user_agent: str) -> SignIn:
        """A sign-in without a password, for whoever holds the machine. Raises `NotFound`, `Conflict`."""
        caller = Caller(user_agent=user_agent)
        async with self._unit(caller) as unit:
            user = await repository.user_by_email(unit.session, email.strip().lower())
            if user is None:
                raise NotFound("user", email)
            if not user.is_active:
                raise Conflict(f"{email} is disabled.")
            return await self._opened(unit, user, caller)

    async def _opened(self, unit: Unit, user: User, caller: Caller) -> SignIn:
        await repository.forget_ended_sign_ins(unit.session, user.id, unit.now)
        session = Session(
            id=secrets.token_hex(16),
            user_id=user.id,
            generation=1,
            rotated_at=unit.now,
            created_at=unit.now,
            expires_at=unit.now + self._session_life,
            user_agent=caller.user_agent[:200],
        )
        unit.session.add(session)
        _note(unit, Outcome.SIGNED_IN, user, "", caller)
        return self._given(user, session, unit.now)

    async def _proven(self, email: str, password: SecretStr, caller: Caller) -> User:
        address = caller.address
        now_s = self._database.clock.monotonic_s
        self._throttle.check(address, email, now_s())
        async with self._database.unit(writes=False) as unit:
            user = await repository.user_by_email(unit.session, email)
        kept = user.password_hash if user is not None and user.is_active else None
        async with self._hasher.turn():
            # Charged inside the turn: only so many can be charged at once, so right sign-ins in a crowd all pass.
            self._throttle.charge(address, email, now_s())
            is_right = await asyncio.to_thread(self._hasher.matches, kept, password.get_secret_value())
        if user is None or not is_right:
            log.warning("Sign-in refused", address=address)
            why = "no such user" if user is None else "wrong password" if user.is_active else "disabled"
            await self._note_refusal(user, why, caller)
            raise Unauthenticated(WRONG_CREDENTIALS, how=TRY_AGAIN)
        self._throttle.give_back(address, email)
        return user

    async def _note_refusal(self, user: User | None, why: str, caller: Caller) -> None:
        if not isinstance(self._refusals.take("all", self._database.clock.monotonic_s()), Allowed):
            self._unwritten += 1
            return
        unwritten, self._unwritten = self._unwritten, 0
        detail = f"{why}; {unwritten} refusals before it were not written" if unwritten else why
        async with self._unit(caller) as unit:
            _note(unit, Outcome.REFUSED, user, detail, caller)

    def _given(self, user: User, session: Session, now: datetime) -> SignIn:
        return SignIn(
            user=UserView.model_validate(user),
            access_token=self._tokens.issue_access(user.id, session.id, user.auth_version, now),
            access_s=self._tokens.access_s,
            refresh_token=self._tokens.issue_refresh(session.id, session.generation),
            refresh_s=seconds_left(session.expires_at, now),
        )

    async def renew(self, refresh_token: str, caller: Caller) -> SignIn:
        """New tokens for a refresh token. One that was used up ends its whole sign-in.

        Raises `Unauthenticated`.
        """
        try:
            claims = self._tokens.prove_refresh(refresh_token)
        except InvalidTokenError:
            raise Unauthenticated("Not signed in", how=SIGN_IN_AGAIN) from None
        given: SignIn | None = None
        async with self._unit(caller) as unit:
            session = await repository.sign_in(unit.session, claims.session_id)
            if session is None or session.expires_at <= unit.now:
                raise Unauthenticated("Sign-in ended", how=SIGN_IN_AGAIN)
            user = await repository.user(unit.session, session.user_id)
            is_revoked = await repository.is_revoked(unit.session, session.id)
            if user is None or not user.is_active or is_revoked:
                raise Unauthenticated("Sign-in ended", how=SIGN_IN_AGAIN)
            match rotation(claims.generation, session.generation, session.rotated_at, unit.now):
                case Rotate():
                    session.generation += 1
                    session.rotated_at = unit.now
                    given = self._given(user, session, unit.now)
                case Repeat():
                    given = self._given(user, session, unit.now)
                case Reuse():
                    await self._revoke(unit, user.id, session.id, TOKEN_REUSED)
                    _note(unit, Outcome.REUSED, user, "the sign-in was ended", caller)
                    record(unit, "session.revoke", "user", user.id, user.name, after={"reason": TOKEN_REUSED})
        if given is None:  # said after the commit: the revocation must stand
            log.warning("Refresh token used twice; sign-in ended", user=user.id)
            raise Unauthenticated("Refresh token used twice", how=f"The sign-in was ended. {SIGN_IN_AGAIN}")
        return given

    async def sign_out(self, refresh_token: str | None, actor: Actor | None, caller: Caller) -> None:
        """End the sign-in of the refresh token, or that of ``actor``. Nothing to end is fine."""
        session_id = actor.session_id if actor is not None else ""
        if refresh_token:
            with suppress(InvalidTokenError):
                session_id = self._tokens.prove_refresh(refresh_token).session_id
        if not session_id:
            return
        async with self._unit(caller) as unit:
            session = await repository.sign_in(unit.session, session_id)
            if session is not None and not await repository.is_revoked(unit.session, session_id):
                await self._revoke(unit, session.user_id, session_id, "signed out")
                user = await repository.user(unit.session, session.user_id)
                _note(unit, Outcome.SIGNED_OUT, user, "", caller)

    async def change_password(
        self, actor: Actor, current: SecretStr, new: SecretStr, *, address: str, request_id: str
    ) -> SignIn:
        """The user's own change: all his other sign-ins end, this one gets new tokens.

        Raises `Unprocessable` for a wrong current or an unusable new password, `TooManyRequests`, `Unavailable`.
        """
        assert actor.id is not None
        async with self._database.unit(writes=False) as unit:
            user = await repository.user(unit.session, actor.id)
        if user is None:
            raise NotFound("user", actor.id)
        now_s = self._database.clock.monotonic_s
        self._throttle.check(address, user.email, now_s())
        async with self._hasher.turn():
            self._throttle.charge(address, user.email, now_s())
            is_right = await asyncio.to_thread(
                self._hasher.matches, user.password_hash, current.get_secret_value()
            )
        if not is_right:
            raise Unprocessable("The current password is wrong.", "currentPassword")
        self._throttle.give_back(address, user.email)
        hashed = await self._hashed(new, user.email)
        async with self._database.unit(actor=actor, request_id=request_id) as unit:
            user = await self._with_password(unit, actor.id, hashed)
            session = await repository.sign_in(unit.session, actor.session_id)
            if session is None:
                raise Unauthenticated("Sign-in ended", how=SIGN_IN_AGAIN)
            await self._revoke_all(unit, user.id, "password changed", keep=session.id)
            session.generation += 1
            session.rotated_at = unit.now
            record(unit, "user.password", "user", user.id, f"{user.name} changed the password")
            await unit.session.flush()
            return self._given(user, session, unit.now)

    async def set_password(self, actor: Actor, user_id: int, new: SecretStr, *, request_id: str) -> UserView:
        """An administrator's change: all sign-ins of the user end. Raises `NotFound`, `Unprocessable`."""
        async with self._database.unit(writes=False) as unit:
            user = await _existing(unit, user_id)
        hashed = await self._hashed(new, user.email)
        async with self._database.unit(actor=actor, request_id=request_id) as unit:
            user = await self._with_password(unit, user_id, hashed)
            await _tell(unit, user, notifications.Level.WARNING, texts.PASSWORD_TITLE, texts.PASSWORD)
            await self._revoke_all(unit, user_id, "password set")
            unit.publish(Expulsion(user_room(user_id)))
            record(unit, "user.password", "user", user_id, f"New password for {user.name}")
            await unit.session.flush()
            return UserView.model_validate(user)

    async def create_user(self, actor: Actor, new: NewUserInput, *, request_id: str = "") -> UserView:
        """A new user. Raises `Conflict` if the address is taken, `Unprocessable` for an unusable password."""
        hashed = await self._hashed(new.password, new.email, field="password")
        async with self._database.unit(actor=actor, request_id=request_id) as unit:
            taken = await repository.user_by_email(unit.session, new.email)
            if taken is not None:
                raise Conflict("A user with this e-mail address exists.", _told(taken))
            user = User(
                email=new.email,
                name=new.name,
                role=new.role,
                locale=new.locale,
                password_hash=hashed,
                created_at=unit.now,
            )
            unit.session.add(user)
            await unit.session.flush()
            record(unit, "user.create", "user", user.id, f"{user.name} ({user.role})", after=_told(user))
            return UserView.model_validate(user)

    async def _hashed(self, password: SecretStr, email: str, *, field: str = "newPassword") -> str:
        flaw = password_flaw(password.get_secret_value(), email)
        if flaw is not None:
            raise Unprocessable(flaw, field)
        return await self._hasher.hash(password.get_secret_value())

    async def _with_password(self, unit: Unit, user_id: int, hashed: str) -> User:
        user = await _existing(unit, user_id, lock=True)
        user.password_hash = hashed
        user.auth_version += 1
        return user

    async def _revoke(self, unit: Unit, user_id: int, session_id: str, reason: str) -> None:
        """Access tokens of the sign-in are void at once, its refresh tokens too, and its sockets close."""
        await repository.forget_revocations(unit.session, user_id, unit.now - self._session_life)
        unit.session.add(
            SessionRevocation(session_id=session_id, user_id=user_id, revoked_at=unit.now, reason=reason)
        )
        unit.publish(Expulsion(session_room(user_id, session_id)))

    async def _revoke_all(self, unit: Unit, user_id: int, reason: str, *, keep: str = "") -> None:
        for session_id in await repository.sign_ins_of(unit.session, user_id):
            if session_id != keep:
                await self._revoke(unit, user_id, session_id, reason)


# -- retention ----------------------------------------------------------------------------------------------


async def delete_ended_sign_ins(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of the sign-ins that ended before that instant."""
    return await repository.delete_ended_sign_ins(unit.session, before, limit)


async def delete_revocations(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of the revocations from before that instant that keep nobody out any more.

    An access token lasts a day at the longest, and no retention is shorter.
    """
    return await repository.delete_revocations(unit.session, before, unit.now, limit)


# -- administration of users --------------------------------------------------------------------------------


async def users(
    unit: Unit, page: PageQuery, *, search: str | None, role: Role | None, is_active: bool | None
) -> tuple[list[UserListView], str | None, int]:
    """One page of users by name, the cursor of the next, and how many there are."""
    rows, total = await repository.users(
        unit.session,
        search=search,
        role=role,
        is_active=is_active,
        after=page.after(str, int),
        limit=page.limit + 1,
    )
    shown = [
        UserListView(**UserView.model_validate(user).model_dump(), last_sign_in_at=signed_in)
        for user, signed_in in rows[: page.limit]
    ]
    last = shown[-1] if len(rows) > page.limit else None
    return shown, encode_cursor(last.name, last.id) if last else None, total


async def user(unit: Unit, user_id: int) -> UserView:
    """Raises `NotFound`."""
    return UserView.model_validate(await _existing(unit, user_id))


async def users_with(unit: Unit, ids: Sequence[int]) -> dict[int, UserView]:
    """Those of ``ids`` who exist, by their id."""
    return {user.id: UserView.model_validate(user) for user in await repository.users_with(unit.session, ids)}


async def people(
    unit: Unit, page: PageQuery, *, search: str, roles: Sequence[Role]
) -> tuple[list[tuple[int, str]], str | None, int]:
    """Id and name of those who may sign in and have one of ``roles``, by name; nothing else of them."""
    rows, total = await repository.people(
        unit.session, search=search, roles=roles, after=page.after(str, int), limit=page.limit + 1
    )
    shown = list(rows[: page.limit])
    following = encode_cursor(shown[-1][1], shown[-1][0]) if len(rows) > page.limit else None
    return shown, following, total


def roles() -> list[RoleView]:
    """All roles and what they include."""
    return [
        RoleView(
            role=role,
            reads_as=[other for other in Role if other in READS_AS[role]],
            writes_as=[other for other in Role if other in WRITES_AS[role]],
        )
        for role in Role
    ]


async def change_user(unit: Unit, user_id: int, change: UserChangeInput) -> UserView:
    """Name, role or language. A new role ends the user's sockets: their rooms were those of the old one.

    Raises `NotFound`, `Conflict` for another version or the last administrator.
    """
    user = await _existing(unit, user_id, version=change.version, lock=True)
    before = _told(user)
    has_new_role = change.role is not None and change.role is not user.role
    if change.role is not None and has_new_role:
        await _keep_an_administrator(unit, user, stays=change.role is Role.ADMIN)
        user.role = change.role
    user.name = change.name or user.name
    user.locale = change.locale or user.locale
    await unit.session.flush()
    if has_new_role:
        await _tell(unit, user, notifications.Level.INFO, texts.ROLE_TITLE, texts.ROLE, role=user.role.value)
        unit.publish(Expulsion(user_room(user.id)))
    if (after := _told(user)) != before:
        record(unit, "user.change", "user", user.id, user.name, *differences(before, after))
    return UserView.model_validate(user)


async def _tell(
    unit: Unit, user: User, level: notifications.Level, title: Phrase, message: Phrase, **values: str
) -> None:
    """Before the sockets are sent away: their user hears why."""
    await notifications.notify(
        unit, notifications.ToUser(user.id), level, title, message, values={"by": unit.actor.name, **values}
    )


async def disable_user(unit: Unit, user_id: int, version: int) -> UserView:
    """Void all tokens of the user and end his sockets. Raises as `change_user`."""
    user = await _existing(unit, user_id, version=version, lock=True)
    if user.is_active:
        await _keep_an_administrator(unit, user, stays=False)
        user.is_active = False
        user.auth_version += 1
        unit.publish(Expulsion(user_room(user.id)))
        record(unit, "user.disable", "user", user.id, user.name, {"isActive": True}, {"isActive": False})
        await unit.session.flush()
    return UserView.model_validate(user)


async def enable_user(unit: Unit, user_id: int, version: int) -> UserView:
    """Let the user sign in again; tokens from before stay void. Raises `NotFound`, `Conflict`."""
    user = await _existing(unit, user_id, version=version, lock=True)
    if not user.is_active:
        user.is_active = True
        record(unit, "user.enable", "user", user.id, user.name, {"isActive": False}, {"isActive": True})
        await unit.session.flush()
    return UserView.model_validate(user)


async def _existing(unit: Unit, user_id: int, *, version: int | None = None, lock: bool = False) -> User:
    user = await repository.user(unit.session, user_id, lock=lock)
    if user is None:
        raise NotFound("user", user_id)
    if version is not None and user.version != version:
        raise Conflict(f"The user was changed meanwhile: version {user.version}, not {version}.", _told(user))
    return user


async def _keep_an_administrator(unit: Unit, user: User, *, stays: bool) -> None:
    administrators = await repository.administrators(unit.session)
    if leaves_no_administrator(
        is_administrator=user.id in administrators,
        stays_administrator=stays,
        other_administrators=len([one for one in administrators if one != user.id]),
    ):
        raise Conflict(
            "This is the last administrator who can sign in; make somebody else administrator first.",
            _told(user),
        )


def _told(user: User) -> dict[str, Any]:
    return UserView.model_validate(user).model_dump(mode="json", by_alias=True)
