"""Notifications over HTTP and sockets: who is told, in which language, and what counts as unread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.language import Language, Phrase
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.notifications import service as notifications
from tests.app.people import Arrive, Person, data, problem

pytestmark = pytest.mark.anyio

Clients = Callable[[], Awaitable[httpx2.AsyncClient]]

NOTIFICATIONS = "/api/notifications"
EVENT = "system:notification"


async def inbox(person: Person, **query: Any) -> dict[str, Any]:
    answer = await person.http.get(NOTIFICATIONS, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def titles(person: Person, **query: Any) -> list[str]:
    return [each["title"] for each in (await inbox(person, **query))["data"]]


async def send(person: Person, title: str, **more: Any) -> dict[str, Any]:
    body = {"audience": "all", "title": title, "message": "Näheres folgt.", **more}
    sent: dict[str, Any] = await data(person.http.post(NOTIFICATIONS, json=body), 201)
    return sent


class TestAudiences:
    @pytest.mark.both_databases
    async def test_a_notice_is_read_and_heard_by_exactly_those_it_is_for(
        self, arrive: Arrive, engine_name: str
    ) -> None:
        people = {role: await arrive(role) for role in Role}
        ben = await arrive("clerk", "Ben")
        admin, manager = people[Role.ADMIN], people[Role.MANAGER]
        await send(admin, "an alle")
        await send(manager, "an die Sachbearbeitung", audience="role", role="clerk", level="success")
        mine = await send(manager, "an Ben", audience="user", userId=ben.id, level="warning", link="/invoices")

        expected = {
            ben: ["an alle", "an die Sachbearbeitung", "an Ben"],
            people[Role.CLERK]: ["an alle", "an die Sachbearbeitung"],
            manager: ["an alle"],
            admin: ["an alle"],
            people[Role.AUDITOR]: ["an alle"],
        }.items()
        for person, told in expected:
            assert [heard["title"] for heard in person.heard(EVENT)] == told
            assert await titles(person) == told[::-1]
            assert (await inbox(person))["unreadCount"] == len(told)
        assert ben.heard(EVENT)[-1] == {
            "id": mine["id"],
            "level": "warning",
            "title": "an Ben",
            "message": "Näheres folgt.",
            "at": "2026-03-02T09:00:00Z",
        }
        assert (await inbox(ben))["data"][0] == {**mine, "unread": True}
        assert mine["link"] == "/invoices"

    async def test_who_may_tell_whom(self, arrive: Arrive) -> None:
        clerk, manager, auditor = await arrive("clerk"), await arrive("manager"), await arrive("auditor")
        everybody = {"audience": "all", "title": "x", "message": "x"}
        assert (await problem(manager.http.post(NOTIFICATIONS, json=everybody), 403))["neededRole"] == "admin"
        to_clerks = {**everybody, "audience": "role", "role": "clerk"}
        for person in (clerk, auditor):
            refused = await problem(person.http.post(NOTIFICATIONS, json=to_clerks), 403)
            assert refused["neededRole"] == "manager"
        assert await titles(clerk) == []
        assert clerk.heard(EVENT) == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"audience": "role"},
            {"audience": "user"},
            {"audience": "all", "role": "clerk"},
            {"audience": "role", "role": "clerk", "userId": 1},
            {"audience": "role", "role": "chef"},
            {"audience": "user", "userId": 4711},
            {"audience": "nobody"},
            {"level": "fatal"},
            {"title": ""},
            {"title": "x" * 121},
            {"message": "x" * 2_001},
            {"message": "a\x00b"},
            {"link": "https://example.com"},
            {"link": "//example.com"},
            {"link": "/\\example.com"},
            {"link": "javascript:alert(1)"},
            {"expiresAt": "2026-03-02T09:00:00Z"},
            {"expiresAt": "2026-03-02T10:00:00"},
            {"at": "2020-01-01T00:00:00Z"},
        ],
    )
    async def test_what_makes_no_sense_is_refused(self, arrive: Arrive, wrong: dict[str, Any]) -> None:
        admin = await arrive("admin")
        body = {"audience": "all", "title": "x", "message": "x", **wrong}
        await problem(admin.http.post(NOTIFICATIONS, json=body), 422)
        assert await titles(admin) == []
        assert admin.heard(EVENT) == []


class TestReading:
    @pytest.mark.both_databases
    async def test_each_reader_has_marks_of_his_own(self, arrive: Arrive, engine_name: str) -> None:
        admin, clerk, auditor = await arrive("admin"), await arrive("clerk"), await arrive("auditor")
        first, second = await send(admin, "eins"), await send(admin, "zwei")
        assert (await inbox(clerk))["unreadCount"] == 2
        where = f"{NOTIFICATIONS}/{first['id']}/read"
        assert await data(clerk.http.post(where)) == {"read": 1, "unreadCount": 1}
        assert await data(clerk.http.post(where)) == {"read": 0, "unreadCount": 1}
        assert await titles(clerk, unread=True) == ["zwei"]
        assert [row["unread"] for row in (await inbox(clerk))["data"]] == [True, False]
        assert (await inbox(clerk, unread=True))["page"]["total"] == 1
        assert (await inbox(auditor))["unreadCount"] == 2
        assert await data(auditor.http.post(f"{NOTIFICATIONS}/{second['id']}/read")) == {
            "read": 1,
            "unreadCount": 1,
        }
        assert await data(clerk.http.post(f"{NOTIFICATIONS}/read-all")) == {"read": 1, "unreadCount": 0}
        assert await data(clerk.http.post(f"{NOTIFICATIONS}/read-all")) == {"read": 0, "unreadCount": 0}
        assert await titles(clerk, unread=True) == []
        assert await titles(clerk) == ["zwei", "eins"]

    async def test_what_is_for_others_does_not_exist(self, arrive: Arrive) -> None:
        manager, clerk = await arrive("manager"), await arrive("clerk")
        sent = await send(manager, "intern", audience="role", role="manager")
        where = f"{NOTIFICATIONS}/{sent['id']}"
        await problem(clerk.http.post(f"{where}/read"), 404)
        await problem(clerk.http.delete(where), 404)
        await problem(clerk.http.post(f"{NOTIFICATIONS}/4711/read"), 404)

    @pytest.mark.both_databases
    async def test_what_was_said_before_somebody_came_is_there_and_read(
        self, arrive: Arrive, clock: FakeClock, engine_name: str
    ) -> None:
        admin = await arrive("admin")
        await send(admin, "vorher")
        clock.advance(60)
        dora = await arrive("clerk", "Dora")
        assert await titles(dora) == ["vorher"]
        assert (await inbox(dora))["unreadCount"] == 0
        assert await titles(dora, unread=True) == []
        await send(admin, "nachher")
        assert await titles(dora, unread=True) == ["nachher"]

    @pytest.mark.both_databases
    async def test_a_new_role_sees_what_the_role_is_told(self, arrive: Arrive, engine_name: str) -> None:
        admin, ben, manager = await arrive("admin"), await arrive("clerk", "Ben"), await arrive("manager")
        await send(manager, "an Leitende", audience="role", role="manager")
        await send(manager, "an Sachbearbeiter", audience="role", role="clerk")
        assert await titles(ben) == ["an Sachbearbeiter"]
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 1, "role": "manager"}))
        assert await titles(ben) == ["Ihre Rolle wurde geändert", "an Leitende"]

    @pytest.mark.both_databases
    async def test_an_expired_notice_is_shown_to_nobody(
        self, arrive: Arrive, clock: FakeClock, engine_name: str
    ) -> None:
        admin, clerk = await arrive("admin"), await arrive("clerk")
        brief = await send(admin, "bis gleich", expiresAt="2026-03-02T09:01:00Z")
        await send(admin, "bleibt")
        assert await titles(clerk) == ["bleibt", "bis gleich"]
        assert (await clerk.http.get(NOTIFICATIONS)).headers["X-Cache"] == "HIT"
        clock.advance(59)
        assert await titles(clerk) == ["bleibt", "bis gleich"]
        clock.advance(1)
        assert await titles(clerk) == ["bleibt"], "kept answers end with it"
        assert (await inbox(clerk))["unreadCount"] == 1
        await problem(clerk.http.post(f"{NOTIFICATIONS}/{brief['id']}/read"), 404)

    async def test_notices_come_in_pages(self, arrive: Arrive) -> None:
        admin = await arrive("admin")
        for number in range(5):
            await send(admin, f"Nummer {number}")
        first = await inbox(admin, limit=3)
        await send(admin, "dazwischen")
        second = await inbox(admin, limit=3, cursor=first["page"]["next"])
        assert [row["title"] for row in first["data"] + second["data"]] == [
            f"Nummer {number}" for number in (4, 3, 2, 1, 0)
        ]
        assert second["page"] == {"next": None, "total": 6}


class TestDeleting:
    @pytest.mark.both_databases
    async def test_is_for_the_author_and_the_administrator(self, arrive: Arrive, engine_name: str) -> None:
        admin, manager, clerk = await arrive("admin"), await arrive("manager"), await arrive("clerk")
        own = await send(manager, "eigene", audience="role", role="clerk")
        other = await send(admin, "fremde", audience="role", role="manager")
        await data(clerk.http.post(f"{NOTIFICATIONS}/{own['id']}/read"))
        assert (await problem(clerk.http.delete(f"{NOTIFICATIONS}/{own['id']}"), 403))["neededRole"] == "admin"
        await problem(manager.http.delete(f"{NOTIFICATIONS}/{other['id']}"), 403)
        assert await data(manager.http.delete(f"{NOTIFICATIONS}/{own['id']}")) == {"deleted": own["id"]}
        assert await titles(clerk) == []
        await problem(manager.http.delete(f"{NOTIFICATIONS}/{own['id']}"), 404)
        await data(admin.http.delete(f"{NOTIFICATIONS}/{other['id']}"))
        log = await data(admin.http.get("/api/audit", params={"entity": "notification"}))
        assert [entry["action"] for entry in log] == [
            *["notification.delete"] * 2,
            *["notification.create"] * 2,
        ]


class TestLanguages:
    @pytest.mark.both_databases
    async def test_each_reads_and_hears_his_own(self, app: Application, arrive: Arrive, engine_name: str) -> None:
        emma, karl = await arrive("clerk", "Emma", locale="en"), await arrive("clerk", "Karl", locale="de-AT")
        title = Phrase(en="Report of {day}", de="Bericht vom {day}")
        values = {"day": lambda language: "2 March" if language is Language.EN else "2. März"}
        async with app.state.database.unit() as unit:
            for to in (
                notifications.ToUser(emma.id),
                notifications.ToUser(karl.id),
                notifications.ToRole(Role.CLERK),
            ):
                await notifications.notify(
                    unit, to, notifications.Level.INFO, title, "{stays as it is}", values=values
                )
        assert await titles(emma) == ["Report of 2 March"] * 2
        assert await titles(karl) == ["Bericht vom 2. März"] * 2
        assert [heard["title"] for heard in emma.heard(EVENT)] == ["Report of 2 March", "Bericht vom 2. März"]
        assert [heard["title"] for heard in karl.heard(EVENT)] == ["Bericht vom 2. März"] * 2
        assert {heard["message"] for heard in karl.heard(EVENT)} == {"{stays as it is}"}

    async def test_another_language_is_read_at_once(self, arrive: Arrive) -> None:
        admin, ben = await arrive("admin"), await arrive("clerk", "Ben")
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 1, "role": "manager"}))
        assert await titles(ben) == ["Ihre Rolle wurde geändert"]
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 2, "locale": "en"}))
        assert await titles(ben) == ["Your role has changed"]

    async def test_what_must_not_be_said_twice_is_not(self, app: Application, arrive: Arrive) -> None:
        manager = await arrive("manager")
        ids = []
        for _ in range(2):
            async with app.state.database.unit() as unit:
                to, level = notifications.ToRole(Role.MANAGER), notifications.Level.INFO
                ids.append(await notifications.notify(unit, to, level, "Einmal", "x", once="test:2026-03-02"))
        assert ids == [1, None]
        assert await titles(manager) == ["Einmal"]
        assert len(manager.heard(EVENT)) == 1


class TestAccounts:
    @pytest.mark.both_databases
    async def test_a_user_is_told_of_his_new_role_before_his_sockets_go(
        self, arrive: Arrive, engine_name: str
    ) -> None:
        admin, ben = await arrive("admin"), await arrive("clerk", "Ben")
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 1, "role": "manager"}))
        await ben.socket.disconnected()
        (told,) = ben.heard(EVENT)
        assert told["title"] == "Ihre Rolle wurde geändert"
        assert "manager" in told["message"]
        assert admin.name in told["message"]
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 2, "name": "Benedikt"}))
        assert len(await titles(ben)) == 1
        assert await titles(admin) == []

    async def test_a_user_is_told_that_an_administrator_has_set_his_password(
        self, arrive: Arrive, clients: Clients
    ) -> None:
        admin, emma = await arrive("admin"), await arrive("clerk", "Emma", locale="en")
        await data(admin.http.post(f"/api/users/{emma.id}/password", json={"newPassword": "ganz-neu-2026"}))
        await emma.socket.disconnected()
        assert [heard["title"] for heard in emma.heard(EVENT)] == ["Your password was set"]
        http = await clients()
        given = await data(
            http.post("/api/auth/login", json={"email": "emma@example.com", "password": "ganz-neu-2026"})
        )
        http.headers["Authorization"] = f"Bearer {given['accessToken']}"
        (row,) = await data(http.get(NOTIFICATIONS))
        assert (row["level"], row["unread"]) == ("warning", True)
        assert "ganz-neu-2026" not in str(row)


class TestOverdueInvoices:
    @pytest.mark.both_databases
    async def test_managers_hear_of_them_once_a_day(
        self, app: Application, arrive: Arrive, clock: FakeClock, engine_name: str
    ) -> None:
        scheduler = app.state.scheduler
        assert scheduler is not None
        clerk, manager = await arrive("clerk"), await arrive("manager")
        customer = await data(clerk.http.post("/api/customers", json={"name": "Muster", "paymentDays": 0}), 201)
        items = [{"description": "Wartung", "unitPriceCents": 10_000}]
        for _ in range(3):
            draft = {"customerId": customer["id"], "items": items}
            drafted = await data(clerk.http.post("/api/invoices", json=draft), 201)
            await data(clerk.http.post(f"/api/invoices/{drafted['id']}/send", json={"version": 1}))
        clock.advance(86_400)
        assert await scheduler.run_due(clock.now()) == 3
        assert await scheduler.run_due(clock.now()) == 0
        (told,) = manager.heard(EVENT)
        assert told["title"] == "Überfällig seit 03.03.2026"
        assert told["message"] == "3 Rechnungen sind überfällig geworden."
        assert told["level"] == "warning"
        assert clerk.heard(EVENT) == []
