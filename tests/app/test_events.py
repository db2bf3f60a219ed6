"""The events of the house and their two documents: what is said fits what was promised."""

from __future__ import annotations

from typing import Any

import httpx2
import jsonschema_rs
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.settings import Environment, Settings
from steinmetz.realtime import PayloadError
from tests.app.conftest import settings_for
from tests.app.people import Arrive, data

pytestmark = pytest.mark.anyio


@pytest.fixture
async def document(client: httpx2.AsyncClient) -> dict[str, Any]:
    """As anybody gets it: it holds no secret, and who writes a client wants it before he can sign in."""
    answer = await client.get("/asyncapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    told: dict[str, Any] = answer.json()
    return told


def validator(document: dict[str, Any], message: str) -> Any:
    """Of the payload of ``message``, with strictness that the document itself has not: no field that it lacks."""
    payload = document["components"]["messages"][message]["payload"]
    return jsonschema_rs.validator_for({**payload, "components": document["components"]})


async def test_the_document_is_served_to_who_wants_to_write_a_client(document: dict[str, Any]) -> None:
    assert document["asyncapi"].startswith("3.")
    assert document["info"]["title"] == "SteinmetZ, events"


async def test_what_is_heard_fits_the_document(document: dict[str, Any], app: Application, arrive: Arrive) -> None:
    clerk, admin = await arrive("clerk"), await arrive("admin")
    said = await clerk.socket.call("chat:message", {"channel": "general", "text": "Hallo"})
    validator(document, "receive.chat.message.ack").validate(said)
    edit = {"version": said["message"]["version"], "text": "Hallo!"}
    where = f"/api/chat/messages/{said['message']['id']}"
    await data(clerk.http.patch(where, json=edit))
    assert await clerk.socket.call("chat:typing", {"channel": "general"}) == {"ok": True}
    notice = {"audience": "all", "level": "info", "title": "Inventur", "message": "Um 18 Uhr"}
    await data(admin.http.post("/api/notifications", json=notice), 201)
    until = "2099-01-01T00:00:00Z"
    await data(admin.http.put("/api/system/maintenance", json={"enabled": True, "message": "", "until": until}))
    await app.live.settled()
    await admin.socket.call("room:join", "dashboard-room")

    validators = {
        event: validator(document, f"send.{event.replace(':', '.')}") for event, _ in admin.socket.events
    }
    assert {"chat:message", "chat:typing", "system:notification", "system:maintenance"} <= set(validators)
    for event, (payload,) in admin.socket.events:
        validators[event].validate(payload)
    edited = admin.heard("chat:message")[1]
    assert set(edited) == {"id", "channel", "user", "text", "at", "editedAt"}
    (typing,) = admin.heard("chat:typing")
    assert typing == {"channel": "general", "user": {"id": clerk.id, "name": clerk.name}}


async def test_what_is_refused_fits_the_document(document: dict[str, Any], arrive: Arrive) -> None:
    clerk = await arrive("clerk")
    for event, payload, field in (
        ("chat:message", {"channel": "general", "text": 5}, "text"),
        ("chat:message", {"channel": "general", "text": "x", "evil": 1}, "evil"),
        ("chat:typing", {}, "channel"),
        ("auth:refresh", {"token": ""}, "token"),
        ("room:join", {"room": ""}, ""),
        ("room:leave", 7, ""),
    ):
        answer = await clerk.socket.call(event, payload)
        validator(document, f"receive.{event.replace(':', '.')}.ack").validate(answer)
        assert answer["error"]["code"] == "invalid"
        assert answer["error"]["fields"][0]["field"] == field


async def test_a_broken_emission_raises_while_developing_and_is_counted_in_production(
    settings: Settings, clock: FakeClock, database_url: str
) -> None:
    broken = {"enabled": "yes", "message": "", "until": None}
    developing = create_app(
        settings_for(settings.data_dir, database_url, environment=Environment.DEVELOPMENT), clock=clock
    ).state.io
    assert developing is not None
    with pytest.raises(PayloadError, match='"system:maintenance" breaks its schema: enabled'):
        developing.emit("system:maintenance", broken)
    serving = create_app(settings, clock=clock).state.io
    assert serving is not None
    serving.emit("system:maintenance", broken)
    assert serving.statistics.broken_payloads == {"system:maintenance": 1}
