"""Socket.IO's Admin UI in front of the application: administrators watch, and nothing secret is seen."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.erp.modules.auth.admin_screen import INVALID
from steinmetz.realtime import ConnectError, Server
from steinmetz.realtime.testing import connect
from tests.app.conftest import PASSWORD, SignIn

pytestmark = pytest.mark.anyio

ADMIN = {"username": "admin@example.com", "password": PASSWORD}


@pytest.fixture
def io(app: Application) -> Server:
    assert app.state.io is not None
    return app.state.io


async def test_an_administrator_sees_who_is_there_and_no_secret(io: Server, sign_in: SignIn) -> None:
    clerk = await sign_in("clerk")
    token = clerk.headers["Authorization"].removeprefix("Bearer ")
    async with connect(io, auth={"token": token}) as anna, connect(io, namespace="/admin", auth=ADMIN) as ui:
        assert await ui.heard("config") == [{"supportedFeatures": ["AGGREGATED_EVENTS", "ALL_EVENTS"]}]
        session = (await ui.heard("session"))[0]
        sockets = (await ui.heard("all_sockets"))[0]
        told = next(each for each in sockets if each["id"] == anna.id)
        assert told["data"]["role"] == "clerk"
        assert "dashboard-room" in told["rooms"]
        assert token not in json.dumps(sockets)
        assert session not in json.dumps(sockets)
        assert PASSWORD not in json.dumps(sockets)
        assert (await ui.call("_disconnect", "/", True))["error"]["code"] == "unknown_event"
    async with connect(io, namespace="/admin", auth={"sessionId": session}) as again:
        await again.heard("all_sockets")


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {**ADMIN, "password": "wrong"},
        {"username": "clerk@example.com", "password": PASSWORD},
        {"username": ["admin@example.com"], "password": {"$ne": ""}},
        {"sessionId": "forged"},
        {"username": "a" * 300, "password": "b" * 300},
    ],
)
async def test_nobody_else_gets_in(io: Server, auth: dict[str, Any] | None) -> None:
    with pytest.raises(ConnectError, match=INVALID):
        async with connect(io, namespace="/admin", auth=auth):
            pass


async def test_a_clerks_own_token_is_no_session_of_the_screen(io: Server, sign_in: SignIn) -> None:
    clerk = await sign_in("clerk")
    token = clerk.headers["Authorization"].removeprefix("Bearer ")
    with pytest.raises(ConnectError, match=INVALID):
        async with connect(io, namespace="/admin", auth={"sessionId": token}):
            pass


async def test_who_is_signed_out_sees_no_more(app: Application, io: Server, client: httpx2.AsyncClient) -> None:
    async with connect(io, namespace="/admin", auth=ADMIN) as ui:
        session = (await ui.heard("session"))[0]
        headers = {"Authorization": f"Bearer {session}", "Origin": "http://testserver"}
        assert (await client.post("/api/auth/logout", headers=headers)).status_code == 200
        assert await ui.disconnected() == "io server disconnect"
    with pytest.raises(ConnectError, match=INVALID):
        async with connect(io, namespace="/admin", auth={"sessionId": session}):
            pass


async def test_guessing_is_throttled_as_at_the_other_door(io: Server) -> None:
    words = INVALID
    for _ in range(30):
        with pytest.raises(ConnectError) as refused:
            async with connect(io, namespace="/admin", auth={**ADMIN, "password": "guess"}):
                pass
        words = refused.value.message
        if words != INVALID:
            break
    assert "oo many" in words
