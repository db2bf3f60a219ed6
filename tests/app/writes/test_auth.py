"""Writes of signing in and of the user administration, against every cached GET, for every role."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.seed import PASSWORD
from tests.app.writes.house import House, sign_in

pytestmark = pytest.mark.anyio

NEW = {"email": "neu@steinmetz.example", "name": "Neu Hier", "role": "clerk", "password": PASSWORD * 2}


async def test_a_user_is_created_changed_given_a_password_disabled_and_enabled(house: House) -> None:
    user: dict[str, Any] = {}

    async def done(answer: httpx2.Response) -> httpx2.Response:
        user.update(answer.json()["data"])
        return answer

    async def create() -> httpx2.Response:
        return await done(await house.admin.post("/api/users", json=NEW))

    async def change() -> httpx2.Response:
        changes = {"version": user["version"], "role": "manager", "name": "Schon Länger Hier"}
        return await done(await house.admin.patch(f"/api/users/{user['id']}", json=changes))

    async def set_password() -> httpx2.Response:
        body = {"newPassword": PASSWORD * 3}
        return await done(await house.admin.post(f"/api/users/{user['id']}/password", json=body))

    async def disable() -> httpx2.Response:
        body = {"version": user["version"]}
        return await done(await house.admin.post(f"/api/users/{user['id']}/disable", json=body))

    async def enable() -> httpx2.Response:
        body = {"version": user["version"]}
        return await done(await house.admin.post(f"/api/users/{user['id']}/enable", json=body))

    for act in (create, change, set_password, disable, enable):
        await house.verify_write(act)


async def test_t15_a_sign_in_leaves_every_kept_answer(house: House) -> None:
    await house.verify_kept()
    transport = httpx2.ASGITransport(house.app, client=("127.0.0.1", 40_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
        await sign_in(http, Role.CLERK)
        assert (await http.post("/api/auth/refresh")).status_code == 200
        assert (await http.post("/api/auth/logout")).status_code == 200
    house.forget("/api/users")  # which says when everybody has signed in last
    await house.verify_kept()
