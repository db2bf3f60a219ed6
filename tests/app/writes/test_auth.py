"""Writes of the user administration, against every cached GET, for every role."""

from __future__ import annotations

import pytest

from steinmetz.erp.seed import PASSWORD
from tests.app.writes.house import House

pytestmark = pytest.mark.anyio


async def test_disabling_a_user(house: House) -> None:
    admin = house.admin
    created = await admin.post(
        "/api/users",
        json={"email": "neu@steinmetz.example", "name": "Neu Hier", "role": "clerk", "password": PASSWORD * 2},
    )
    user = created.json()["data"]
    await house.verify_write(
        lambda: admin.post(f"/api/users/{user['id']}/disable", json={"version": user["version"]})
    )
