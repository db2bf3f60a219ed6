"""Every write of notifications, against every cached GET, for every role."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.erp.kit.roles import Role
from tests.app.writes.house import House, quietly
from tests.app.writes.paths.notifications import NOTIFICATIONS

pytestmark = pytest.mark.anyio

TO_CLERKS = {"audience": "role", "role": "clerk", "title": "Inventur", "message": "Am Freitag ab zwölf."}


async def a_notice(house: House) -> dict[str, Any]:
    notice: dict[str, Any] = (await house.manager.post(NOTIFICATIONS, json=TO_CLERKS)).json()["data"]
    house.forget(NOTIFICATIONS)
    return notice


@pytest.mark.both_databases(long=True)
async def test_telling_a_role(house: House) -> None:
    await house.verify_write(lambda: house.manager.post(NOTIFICATIONS, json=TO_CLERKS))
    heard = {reader.role: reader.heard()["system:notification"] for reader in house.readers}
    assert heard == {Role.CLERK: 1, Role.MANAGER: 0, Role.ADMIN: 0, Role.AUDITOR: 0}


async def test_telling_everybody(house: House) -> None:
    await house.verify_write(
        lambda: house.admin.post(
            NOTIFICATIONS, json={"audience": "all", "title": "Wartung", "message": "Heute Abend um acht."}
        )
    )


async def test_telling_one_user(house: House) -> None:
    auditor = (await house.auditor.get("/api/auth/me")).json()["data"]
    message = {"audience": "user", "userId": auditor["id"], "title": "Belege", "message": "Sie liegen bereit."}
    await house.verify_write(lambda: house.manager.post(NOTIFICATIONS, json=message))
    heard = {reader.role: reader.heard()["system:notification"] for reader in house.readers}
    assert heard == {Role.CLERK: 0, Role.MANAGER: 0, Role.ADMIN: 0, Role.AUDITOR: 1}


@pytest.mark.both_databases(long=True)
async def test_reading_is_told_to_nobody(house: House) -> None:
    notice = await a_notice(house)
    quiet = quietly(house)
    await quiet.verify_write(lambda: house.clerk.post(f"{NOTIFICATIONS}/{notice['id']}/read"))
    await quiet.verify_write(lambda: house.auditor.post(f"{NOTIFICATIONS}/read-all"))


async def test_deleting_is_told_to_nobody(house: House) -> None:
    """Who saw it pop up has seen it; the lists are without it from now on."""
    notice = await a_notice(house)
    await quietly(house).verify_write(lambda: house.manager.delete(f"{NOTIFICATIONS}/{notice['id']}"))


async def test_a_refused_notice_changes_nothing_and_says_nothing(house: House) -> None:
    await house.verify_write(
        lambda: house.manager.post(NOTIFICATIONS, json={**TO_CLERKS, "audience": "all", "role": None}),
        succeeds=False,
    )
