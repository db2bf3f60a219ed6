"""Who may connect a socket, which rooms it hears, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Unit
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.main import Application
from steinmetz.erp.modules.notifications.rules import Level
from steinmetz.erp.modules.notifications.schemas import NOTIFICATION, Notice
from steinmetz.erp.settings import Settings
from steinmetz.realtime import ConnectError, Socket
from steinmetz.realtime.server.remote import details
from steinmetz.realtime.testing import connect
from tests.app.conftest import settings_for

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


async def let_pass(app: Application, clock: FakeClock, seconds: float) -> None:
    """In steps in which a client answers its pings."""
    while seconds > 0:
        step = min(seconds, 10)
        seconds -= step
        clock.advance(step)
        app.state.io.wheel.run_due()
        for _ in range(4):
            await asyncio.sleep(0)


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
            assert isinstance(held, Socket)
            assert renewed not in repr(details(held)), "other servers are told of it"
            assert held.expires_at == clock.now().timestamp() + 900

    async def test_takes_no_token_of_another_sign_in_of_the_same_user(
        self, app: Application, sign_in: SignIn
    ) -> None:
        """The socket is in the room of its own sign-in: it would outlive the other one's end."""
        here, elsewhere = await sign_in("clerk"), await sign_in("clerk")
        async with connect(app.state.io, auth={"token": token_of(here)}) as socket:
            answer = await socket.call("auth:refresh", {"token": token_of(elsewhere)})
            assert answer["error"]["code"] == "unauthenticated"
            renewed = (await here.post("/api/auth/refresh")).json()["data"]["accessToken"]
            assert await socket.call("auth:refresh", {"token": renewed}) == {"ok": True}

    async def test_in_band_drops_no_event(self, app: Application, sign_in: SignIn, clock: FakeClock) -> None:
        clerk = await sign_in("clerk")
        async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
            for number in range(60):
                app.state.io.to("dashboard-room").emit("tick", number)
                if number % 20 == 10:
                    await let_pass(app, clock, 600)
                    renewed = (await clerk.post("/api/auth/refresh")).json()["data"]["accessToken"]
                    renewal = asyncio.ensure_future(socket.call("auth:refresh", {"token": renewed}))
                    app.state.io.to("dashboard-room").emit("tick", "during")
                    assert await renewal == {"ok": True}
            app.state.io.emit("end")
            await socket.heard("end")
            heard = [args[0] for name, args in socket.events if name == "tick"]
            assert [tick for tick in heard if tick != "during"] == list(range(60))
            assert heard.count("during") == 3
            assert socket.disconnect_reason is None

    async def test_cannot_be_asked_for_without_end(self, app: Application, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
            codes = [(await socket.call("auth:refresh", {"token": "x"}))["error"]["code"] for _ in range(350)]
            assert codes[:300] == ["unauthenticated"] * 300
            assert "rate_limited" in codes[300:]

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


async def test_a_token_ends_the_connection_within_a_second_of_its_end(
    app: Application, sign_in: SignIn, clock: FakeClock
) -> None:
    clerk = await sign_in("clerk")
    async with connect(app.state.io, auth={"token": token_of(clerk)}) as socket:
        await let_pass(app, clock, 899.5)
        assert socket.disconnect_reason is None
        await let_pass(app, clock, 1)
        assert socket.disconnect_reason == "transport close"
    with pytest.raises(ConnectError, match="Token expired"):
        async with connect(app.state.io, auth={"token": token_of(clerk)}):
            pass


class TestRevocation:
    async def test_a_demoted_administrator_hears_nothing_of_administrators_any_more(
        self, app: Application, sign_in: SignIn
    ) -> None:
        admin, other = await sign_in("admin"), await sign_in("manager")
        await admin.patch("/api/users/2", json={"version": 1, "role": "admin"})
        async with connect(app.state.io, auth={"token": token_of(other)}) as socket:
            answer = await admin.patch("/api/users/2", json={"version": 2, "role": "clerk"})
            assert answer.status_code == 200, answer.text
            app.state.io.to("role:admin", "ops", "user:2").emit("secret", 1)
            assert await socket.disconnected() == "io server disconnect"
            assert "secret" not in [name for name, _ in socket.events]
        async with connect(app.state.io, auth={"token": token_of(other)}) as again:
            [held] = await app.state.io.in_("user:2").fetch_sockets()
            assert held.id == again.id
            assert "role:clerk" in held.rooms
            assert not held.rooms & {"role:admin", "ops"}

    async def test_what_was_missed_while_nobody_was_heard_is_found_at_a_review(
        self, app: Application, sign_in: SignIn
    ) -> None:
        """Another process commits, and its word is lost."""
        admin, clerk, manager, auditor = [await sign_in(role) for role in ("admin", "clerk", "manager", "auditor")]
        app.state.database.publisher = lambda publication: None
        async with (
            connect(app.state.io, auth={"token": token_of(clerk)}) as disabled,
            connect(app.state.io, auth={"token": token_of(manager)}) as signed_out,
            connect(app.state.io, auth={"token": token_of(auditor)}) as demoted,
            connect(app.state.io, auth={"token": token_of(admin)}) as stays,
        ):
            assert (await admin.post("/api/users/3/disable", json={"version": 1})).status_code == 200
            await manager.post("/api/auth/logout")
            assert (await admin.patch("/api/users/4", json={"version": 1, "role": "clerk"})).status_code == 200
            assert not [one for one in (disabled, signed_out, demoted) if one.disconnect_reason]
            assert await app.state.io.review() == 3
            for ended in (disabled, signed_out, demoted):
                assert await ended.disconnected() == "io server disconnect"
            renewed = (await admin.post("/api/auth/refresh")).json()["data"]["accessToken"]
            assert await stays.call("auth:refresh", {"token": renewed}) == {"ok": True}
            assert await app.state.io.review() == 0
            assert stays.disconnect_reason is None

    async def test_one_user_has_so_many_sockets(self, app: Application, sign_in: SignIn) -> None:
        token = token_of(await sign_in("clerk"))
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(connect(app.state.io, auth={"token": token}))
            with pytest.raises(ConnectError, match="Too many connections"):
                async with connect(app.state.io, auth={"token": token}):
                    pass


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return settings_for(tmp_path, database_url, connections_per_user=3)


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
