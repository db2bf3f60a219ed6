"""The administration of users, and how long ended sign-ins are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, NotFound
from steinmetz.erp.kit.announcements import Expulsion
from steinmetz.erp.kit.language import Phrase
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import READS_AS, WRITES_AS, Role
from steinmetz.erp.modules.auth import repository, texts
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.modules.auth.rules import leaves_no_administrator, user_room
from steinmetz.erp.modules.auth.schemas import RoleView, UserChangeInput, UserListView, UserView
from steinmetz.erp.modules.notifications import service as notifications
from steinmetz.erp.modules.system.service import audit


async def delete_ended_sign_ins(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of the sign-ins that ended before that instant."""
    return await repository.delete_ended_sign_ins(unit.session, before, limit)


async def delete_revocations(unit: Unit, before: datetime, limit: int) -> int:
    """At most ``limit`` of the revocations from before that instant that keep nobody out any more.

    An access token lasts a day at the longest, and no retention is shorter.
    """
    return await repository.delete_revocations(unit.session, before, unit.now, limit)


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
    return UserView.model_validate(await existing(unit, user_id))


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
    user = await existing(unit, user_id, version=change.version, lock=True)
    before = told(user)
    has_new_role = change.role is not None and change.role is not user.role
    if change.role is not None and has_new_role:
        await _keep_an_administrator(unit, user, stays=change.role is Role.ADMIN)
        user.role = change.role
    user.name = change.name or user.name
    user.locale = change.locale or user.locale
    await unit.session.flush()
    if has_new_role:
        await tell(unit, user, notifications.Level.INFO, texts.ROLE_TITLE, texts.ROLE, role=user.role.value)
        unit.publish(Expulsion(user_room(user.id)))
    if (after := told(user)) != before:
        audit.record(unit, "user.change", "user", user.id, user.name, *audit.differences(before, after))
    return UserView.model_validate(user)


async def tell(
    unit: Unit, user: User, level: notifications.Level, title: Phrase, message: Phrase, **values: str
) -> None:
    """Before the sockets are sent away: their user hears why."""
    await notifications.notify(
        unit, notifications.ToUser(user.id), level, title, message, values={"by": unit.actor.name, **values}
    )


async def disable_user(unit: Unit, user_id: int, version: int) -> UserView:
    """Void all tokens of the user and end his sockets. Raises as `change_user`."""
    user = await existing(unit, user_id, version=version, lock=True)
    if user.is_active:
        await _keep_an_administrator(unit, user, stays=False)
        user.is_active = False
        user.auth_version += 1
        unit.publish(Expulsion(user_room(user.id)))
        audit.record(unit, "user.disable", "user", user.id, user.name, {"isActive": True}, {"isActive": False})
        await unit.session.flush()
    return UserView.model_validate(user)


async def enable_user(unit: Unit, user_id: int, version: int) -> UserView:
    """Let the user sign in again; tokens from before stay void. Raises `NotFound`, `Conflict`."""
    user = await existing(unit, user_id, version=version, lock=True)
    if not user.is_active:
        user.is_active = True
        audit.record(unit, "user.enable", "user", user.id, user.name, {"isActive": False}, {"isActive": True})
        await unit.session.flush()
    return UserView.model_validate(user)


async def existing(unit: Unit, user_id: int, *, version: int | None = None, lock: bool = False) -> User:
    user = await repository.user(unit.session, user_id, lock=lock)
    if user is None:
        raise NotFound("user", user_id)
    if version is not None and user.version != version:
        raise Conflict(f"The user was changed meanwhile: version {user.version}, not {version}.", told(user))
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
            told(user),
        )


def told(user: User) -> dict[str, Any]:
    return UserView.model_validate(user).model_dump(mode="json", by_alias=True)
