"""Every write of chat, against every cached GET, for every role."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.seed import PASSWORD
from tests.app.writes.house import House, quietly
from tests.app.writes.paths.chat import CHANNELS, a_private_channel

pytestmark = pytest.mark.anyio


async def said(house: House, channel: str = "general", text: str = "Der Prüfstand ist frei.") -> dict[str, Any]:
    answer = await house.clerk.post("/api/chat/messages", json={"channel": channel, "text": text})
    message: dict[str, Any] = answer.json()["data"]
    house.forget("/api/chat")
    return message


@pytest.mark.both_databases(long=True)
async def test_saying_something_to_everybody(house: House) -> None:
    await house.verify_write(
        lambda: house.clerk.post(f"{CHANNELS}/general/messages", json={"text": "Der Prüfstand ist frei."})
    )


async def test_saying_something_in_private_is_told_to_members_alone(house: House) -> None:
    private = await a_private_channel(house)
    await house.verify_write(
        lambda: house.clerk.post("/api/chat/messages", json={"channel": private, "text": "Prüfstand: geheim"})
    )
    heard = {reader.role: reader.heard()["chat:message"] for reader in house.readers}
    assert heard == {Role.CLERK: 1, Role.MANAGER: 0, Role.ADMIN: 0, Role.AUDITOR: 0}


async def test_saying_something_by_socket(house: House) -> None:
    clerk = next(reader for reader in house.readers if reader.role is Role.CLERK)

    async def say() -> httpx2.Response:
        answer = await clerk.socket.call("chat:message", {"channel": "general", "text": "Vom Prüfstand"})
        return httpx2.Response(200 if answer["ok"] else 400)

    await house.verify_write(say)


async def test_saying_it_twice_is_told_once(house: House) -> None:
    message = {"channel": "general", "text": "Nur einmal am Prüfstand", "key": "write-1"}
    await house.verify_write(lambda: house.clerk.post("/api/chat/messages", json=message))
    await house.verify_write(lambda: house.clerk.post("/api/chat/messages", json=message))
    assert [reader.heard()["chat:message"] for reader in house.readers] == [0, 0, 0, 0]


async def test_changing_and_deleting_a_message(house: House) -> None:
    message = await said(house)
    where = f"/api/chat/messages/{message['id']}"
    await house.verify_write(
        lambda: house.clerk.patch(where, json={"version": message["version"], "text": "Der Prüfstand ist belegt."})
    )
    await house.verify_write(lambda: house.manager.delete(where))
    await house.verify_write(lambda: house.manager.delete(where))


async def test_opening_changing_and_archiving_a_channel(house: House) -> None:
    await house.verify_write(lambda: house.manager.post(CHANNELS, json={"name": "Sommerfest"}))
    where = f"{CHANNELS}/sommerfest"
    await house.verify_write(lambda: house.manager.patch(where, json={"version": 1, "topic": "Grill und Musik"}))
    await house.verify_write(lambda: house.manager.post(f"{where}/archive", json={"version": 2}))


async def test_opening_a_private_channel_changes_nothing_for_others(house: House) -> None:
    await house.verify_write(
        lambda: house.manager.post(CHANNELS, json={"name": "Nur für Leitende", "isPrivate": True})
    )


async def test_letting_somebody_in_and_out(house: House) -> None:
    private = await a_private_channel(house)
    new = {"email": "neu@steinmetz.example", "name": "Neu Hier", "role": "clerk", "password": PASSWORD * 2}
    user = (await house.admin.post("/api/users", json=new)).json()["data"]
    where = f"{CHANNELS}/{private}/members/{user['id']}"
    await house.verify_write(lambda: house.clerk.put(where))
    await house.verify_write(lambda: house.clerk.delete(where))


async def test_reading_is_told_to_nobody(house: House) -> None:
    message = await said(house)
    await quietly(house).verify_write(
        lambda: house.manager.post(f"{CHANNELS}/general/read", json={"messageId": message["id"]})
    )


async def test_a_refused_message_changes_nothing_and_says_nothing(house: House) -> None:
    private = await a_private_channel(house)
    await house.verify_write(
        lambda: house.manager.post(f"{CHANNELS}/{private}/messages", json={"text": "Darf ich?"}), succeeds=False
    )
