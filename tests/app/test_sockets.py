"""Who may connect a socket, which rooms it hears, and what ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Unit
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.main import Application
from steinmetz.erp.modules.notifications.rules import Level
from steinmetz.erp.modules.notifications.schemas import NOTIFICATION, Notice
from steinmetz.realtime import ConnectError
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


def token_of(client: httpx2.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def notice(unit: Unit, title: str) -> Notice:
    return Notice(id=1, level=Level.INFO, title=title, message="", at=unit.now)


async def test_a_socket_hears_the_rooms_of_its_role(app: Application, sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    async with (
        connect(app.state.io, auth={"token": token_of(clerk)}) as clerks,
        connect(app.state.io, auth={"token": token_of(auditor)}) as auditors,
    ):
        async with app.state.database.unit() as unit:
            for room in ("role:clerk", "ops", "user:3", "dashboard-room"):
                unit.publish(announcement(NOTIFICATION, notice(unit, room), (room,)))
            unit.publish(announcement(NOTIFICATION, notice(unit, "all")))
        assert [(await clerks.heard("system:notification"))[0]["title"] for _ in range(4)] == [
            "role:clerk",
            "user:3",
            "dashboard-room",
            "all",
        ]
        assert [(await auditors.heard("system:notification"))[0]["title"] for _ in range(3)] == [
            "ops",
            "dashboard-room",
            "all",
        ]
        assert not any(room.startswith("user:") for room in app.state.io.stats()["rooms"])


@pytest.mark.parametrize(
    "auth", [None, {}, {"token": ""}, {"token": 5}, {"token": "x.y.z"}, {"token": "ü"}, {"x": 1}]
)
async def test_a_socket_without_a_good_token_is_refused(app: Application, auth: Any) -> None:
    with pytest.raises(ConnectError, match=r"^Authentication required$"):
        async with connect(app.state.io, auth=auth):
            pass


async def test_a_socket_with_an_expired_token_is_told_so(
    app: Application, sign_in: SignIn, clock: FakeClock
) -> None:
    token = token_of(await sign_in("clerk"))
    clock.advance(900)
    with pytest.raises(ConnectError, match=r"^Token expired$"):
        async with connect(app.state.io, auth={"token": token}):
            pass


async def test_a_disabled_user_loses_his_sockets_for_good(app: Application, sign_in: SignIn) -> None:
    admin, clerk = await sign_in("admin"), await sign_in("clerk")
    async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
        await admin.post("/api/users/3/disable", json={"version": 1})
        await socket.disconnected()
        assert socket.disconnect_reason == "io server disconnect"
    with pytest.raises(ConnectError, match="Authentication required"):
        async with connect(app.state.io, auth={"token": token_of(clerk)}):
            pass


async def test_signing_out_ends_the_sockets_of_this_sign_in_alone(app: Application, sign_in: SignIn) -> None:
    here, elsewhere = await sign_in("clerk"), await sign_in("clerk")
    async with (
        connect(app.state.io, auth={"token": token_of(here)}) as ended,
        connect(app.state.io, auth={"token": token_of(elsewhere)}) as stays,
    ):
        await here.post("/api/auth/logout")
        await ended.disconnected()
        assert stays.disconnect_reason is None


async def test_a_user_disabled_while_he_connects_does_not_slip_in(
    app: Application, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, token = await sign_in("admin"), token_of(await sign_in("clerk"))
    authenticate = app.state.identity.authenticate
    asked: list[Any] = []

    async def authenticate_then_disable(credential: bytes) -> Any:
        admission = await authenticate(credential)
        if credential == token.encode():
            asked.append(admission)
            if len(asked) == 1:
                answer = await admin.post("/api/users/3/disable", json={"version": 1})
                assert answer.status_code == 200
        return admission

    monkeypatch.setattr(app.state.identity, "authenticate", authenticate_then_disable)
    with pytest.raises(ConnectError, match="Authentication required"):
        async with connect(app.state.io, auth={"token": token}):
            pass
    assert len(asked) == 2


class TestRenewal:
    async def test_keeps_the_socket_open_for_longer(
        self, app: Application, sign_in: SignIn, clock: FakeClock
    ) -> None:
        clerk = await sign_in("clerk")
        async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
            clock.advance(600)
            renewed = (await clerk.post("/api/auth/refresh")).json()["data"]["accessToken"]
            assert await socket.call("auth:refresh", {"token": renewed}) == {"ok": True}
            (held,) = await app.state.io.fetch_sockets()
            assert held.expires_at == clock.now().timestamp() + 900

    async def test_takes_no_other_users_token(self, app: Application, sign_in: SignIn) -> None:
        clerk, manager = await sign_in("clerk"), await sign_in("manager")
        async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
            for renewal, code in (
                ({"token": token_of(manager)}, "unauthenticated"),
                ({"token": "x"}, "unauthenticated"),
                ({"token": "x" * 5_000}, "invalid"),
                ({"token": 5}, "invalid"),
                ({}, "invalid"),
                (None, "invalid"),
            ):
                answer = await socket.call("auth:refresh", renewal)
                assert answer["ok"] is False
                assert answer["error"]["code"] == code


async def test_a_client_enters_only_rooms_it_may_hear(app: Application, sign_in: SignIn) -> None:
    clerk = await sign_in("clerk")
    async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
        for room, is_allowed in (
            ("dashboard-room", True),
            ("role:clerk", True),
            ("role:admin", False),
            ("user:1", False),
            ("ops", False),
            ("anything", False),
        ):
            answer = await socket.call("room:join", {"room": room})
            assert answer["ok"] is is_allowed, room
