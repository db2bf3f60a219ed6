"""Switching maintenance, against every cached GET, for every role."""

from __future__ import annotations

import pytest

from tests.app.writes.house import House

pytestmark = pytest.mark.anyio

PATH = "/api/system/maintenance"
ANNOUNCED = {"enabled": True, "message": "Neue Version", "until": "2026-03-02T12:00:00Z"}


@pytest.mark.both_databases(long=True)
async def test_switching_maintenance_on_and_off(house: House) -> None:
    await house.verify_write(lambda: house.admin.put(PATH, json=ANNOUNCED))
    heard = [arguments[0] for name, arguments in house.readers[0].socket.events if name == "system:maintenance"]
    assert heard == [ANNOUNCED]
    await house.verify_write(
        lambda: house.admin.put(PATH, json=ANNOUNCED | {"until": None, "message": "Es dauert länger"})
    )
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": False}))


async def test_what_stands_already_is_not_said_again(house: House) -> None:
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": True}))
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": True}))
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": False}))


async def test_a_write_that_maintenance_refuses_changes_nothing_and_says_nothing(house: House) -> None:
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": True}))
    await house.verify_write(lambda: house.clerk.post("/api/customers", json={"name": "Aalener"}), succeeds=False)
    await house.verify_write(lambda: house.admin.put(PATH, json={"enabled": False}))
