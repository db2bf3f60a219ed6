"""Answers of the application that clients have subscribed to: who may, what they hear, and what is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.live import subscriptions
from steinmetz.live.merge_patch import applied
from steinmetz.monitor import assert_queries
from tests.app.people import Arrive, Person, data

pytestmark = pytest.mark.anyio

OVERVIEW = "/api/dashboard/overview"
SUBSCRIBE, UNSUBSCRIBE = "live:subscribe", "live:unsubscribe"


async def subscribed(person: Person, path: str, etag: str | None = None) -> Any:
    asked = {"path": path} if etag is None else {"path": path, "etag": etag}
    answer = await person.socket.call(SUBSCRIBE, asked)
    assert answer["ok"] is True, answer
    return answer


async def refused(person: Person, path: Any) -> str:
    answer = await person.socket.call(SUBSCRIBE, {"path": path})
    assert answer["ok"] is False
    assert answer["error"]["message"]
    code: str = answer["error"]["code"]
    return code


async def a_customer(http: httpx2.AsyncClient, name: str = "Muster") -> dict[str, Any]:
    made: dict[str, Any] = await data(http.post("/api/customers", json={"name": name}), 201)
    return made


async def settled(app: Application) -> None:
    """All have been told, and have heard it."""
    await app.live.settled()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def shown(answer: dict[str, Any], updates: list[dict[str, Any]]) -> Any:
    """What a screen shows that had ``answer`` first; every patch must fit what it shows."""
    etag, body = answer["etag"], answer["body"]
    for update in updates:
        if "patch" in update:
            assert update["base"] == etag
            body = applied(body, update["patch"])
        else:
            body = update["body"]
        etag = update["etag"]
    return body


@pytest.mark.both_databases
async def test_a_screen_hears_the_commit_that_changes_what_it_shows(
    app: Application, arrive: Arrive, engine_name: str
) -> None:
    clerk, admin = await arrive("clerk"), await arrive("admin")
    answers = {}
    for path in ("/api/customers?limit=2", "/api/invoices", OVERVIEW):
        answer = answers[path] = await subscribed(admin, path)
        asked = await admin.http.get(path)
        assert (answer["body"], answer["etag"]) == (asked.json(), asked.headers["etag"])
    for name in ("Muster", "Beispiel"):
        customer = await a_customer(clerk.http, name)
        items = [{"description": "Wartung", "unitPriceCents": 10_000}]
        await data(clerk.http.post("/api/invoices", json={"customerId": customer["id"], "items": items}), 201)
        await settled(app)
        for path, answer in answers.items():
            now = await clerk.http.get(path)
            assert now.headers["x-cache"] == "HIT"
            updates = [update for update in admin.heard("live:update") if update["path"] == path]
            assert shown(answer, updates) == now.json()
    assert clerk.heard("live:update") == []


async def test_a_path_is_told_as_each_client_has_spelled_it_and_computed_once(
    app: Application, arrive: Arrive
) -> None:
    clerk, admin = await arrive("clerk"), await arrive("admin")
    spellings = {clerk: "/api/customers?limit=5&sort=name", admin: "/api/customers?sort=name&limit=5"}
    answers = app.live.answers
    assert answers is not None
    for person, path in spellings.items():
        await subscribed(person, path)
    before = answers.computations
    await a_customer(clerk.http)
    await settled(app)
    for person, path in spellings.items():
        assert [update["path"] for update in person.heard("live:update")] == [path]
    # The overview, which the room of the dashboard hears of, and the list.
    assert answers.computations - before == 2


async def test_a_body_that_the_screen_has_is_not_sent_again(app: Application, arrive: Arrive) -> None:
    clerk = await arrive("clerk")
    asked = await clerk.http.get("/api/customers")
    assert await subscribed(clerk, "/api/customers", asked.headers["etag"]) == {
        "ok": True,
        "etag": asked.headers["etag"],
    }
    await a_customer(clerk.http)
    await settled(app)
    [update] = clerk.heard("live:update")
    assert update["etag"] == (await clerk.http.get("/api/customers")).headers["etag"]
    assert "body" in await subscribed(clerk, "/api/customers", asked.headers["etag"])


async def test_nothing_is_asked_of_the_database_while_nothing_changes(app: Application, arrive: Arrive) -> None:
    clerk, admin = await arrive("clerk"), await arrive("clerk", "Ben")
    paths = ("/api/customers", OVERVIEW, "/api/dashboard")
    for path in paths:
        await subscribed(clerk, path)
    await subscribed(admin, "/api/company")
    assert app.live.answers is not None
    assert app.live.rights is not None
    before = (app.live.answers.computations, app.live.rights.questions)
    with assert_queries(max=0):
        # Others who come for the same, and time that passes.
        for path in paths:
            await subscribed(admin, path)
        await settled(app)
    assert (app.live.answers.computations, app.live.rights.questions) == before


async def test_who_has_cancelled_hears_no_more(app: Application, arrive: Arrive) -> None:
    clerk = await arrive("clerk")
    await subscribed(clerk, "/api/customers")
    for _ in range(2):
        assert await clerk.socket.call(UNSUBSCRIBE, {"path": "/api/customers"}) == {"ok": True}
    await a_customer(clerk.http)
    await settled(app)
    assert clerk.heard("live:update") == []


REFUSED = {
    "/api/nothing": "not_live",
    "/healthz": "not_live",
    "/api/auth/me": "not_live",
    "/api/users": "forbidden",
    "/api/accounts": "forbidden",
    "/api/invoices/4711": "not_found",
    "/api/invoices?colour=red": "invalid",
    "api/invoices": "invalid",
    "": "invalid",
    "/api/invoices#x": "invalid",
    "/api/invoices?q=ü": "invalid",
    "/api/invoices\r\nx: y": "invalid",
    "/" + "a" * 2_000: "invalid",
    7: "invalid",
    None: "invalid",
}


async def test_a_clerk_is_refused_what_is_not_for_him_or_is_no_live_answer(
    app: Application, arrive: Arrive
) -> None:
    clerk = await arrive("clerk")
    assert {path: await refused(clerk, path) for path in REFUSED} == REFUSED
    await settled(app)
    assert app.live.subscriptions is not None
    assert len(app.live.subscriptions) == 0
    assert app.live.answers is not None
    assert len(app.live.answers) == 1  # the overview, which the application has bound


async def test_no_client_gives_itself_the_marks_of_a_request_from_within(app: Application, arrive: Arrive) -> None:
    """T33: what it sends are texts; the marks are objects in a scope."""
    clerk = await arrive("clerk")
    answer = await clerk.socket.call(
        SUBSCRIBE,
        {"path": "/api/users", "steinmetz.cache": "recompute", "steinmetz.admission": {"role": "admin"}},
    )
    assert answer["ok"] is False
    inside = {"steinmetz.cache": "recompute", "steinmetz.admission": "admin", "Authorization": "Bearer x"}
    assert (await clerk.http.get("/api/users", headers=inside)).status_code == 401


async def test_t32_a_private_answer_is_only_said_to_be_stale(app: Application, arrive: Arrive) -> None:
    clerk = await arrive("clerk", "Ben")
    path = "/api/notifications"
    await subscribed(clerk, path)
    answers = app.live.answers
    assert answers is not None
    before = answers.computations
    await data(
        (await arrive("admin")).http.post(
            "/api/notifications", json={"audience": "user", "userId": clerk.id, "title": "Hallo", "message": "Ben"}
        ),
        201,
    )
    await settled(app)
    assert clerk.heard("live:stale") == [{"path": path}]
    assert clerk.heard("live:update") == []
    again = await subscribed(clerk, path)
    assert again["body"] == (await clerk.http.get(path)).json()
    assert answers.computations - before <= 2


@pytest.mark.both_databases
async def test_a_demoted_user_loses_what_is_not_for_him_any_more(
    app: Application, arrive: Arrive, engine_name: str
) -> None:
    """His socket is sent away by the application; here it is kept, so that the subscriptions alone are seen."""
    admin, other = await arrive("admin"), await arrive("admin", "Eva")
    for path in ("/api/users", "/api/customers", "/api/notifications"):
        await subscribed(other, path)
    assert app.state.io is not None
    app.state.database.publisher = lambda publication: None
    user = await data(admin.http.get(f"/api/users/{other.id}"))
    await data(admin.http.patch(f"/api/users/{other.id}", json={"version": user["version"], "role": "clerk"}))
    async with asyncio.timeout(10):
        while len(other.heard("live:ended")) < 2:
            await asyncio.sleep(0.01)
    assert {(ended["path"], ended["error"]["code"]) for ended in other.heard("live:ended")} == {
        ("/api/users", "forbidden"),
        ("/api/notifications", "forbidden"),
    }
    assert await refused(other, "/api/users") == "forbidden"
    await subscribed(other, "/api/notifications")
    before = len(other.heard("live:update"))
    await a_customer(admin.http)
    await settled(app)
    assert [update["path"] for update in other.heard("live:update")[before:]] == ["/api/customers"]


async def test_a_disabled_user_loses_all(app: Application, arrive: Arrive) -> None:
    admin, clerk = await arrive("admin"), await arrive("clerk", "Ben")
    await subscribed(clerk, "/api/customers")
    app.state.database.publisher = lambda publication: None
    user = await data(admin.http.get(f"/api/users/{clerk.id}"))
    await data(admin.http.post(f"/api/users/{clerk.id}/disable", json={"version": user["version"]}))
    async with asyncio.timeout(10):
        while not clerk.heard("live:ended"):
            await asyncio.sleep(0.01)
    assert clerk.heard("live:ended")[0]["error"]["code"] == "unauthenticated"
    assert await refused(clerk, "/api/customers") == "unauthenticated"


async def test_a_role_that_changes_ends_socket_and_subscription(app: Application, arrive: Arrive) -> None:
    admin, other = await arrive("admin"), await arrive("admin", "Eva")
    await subscribed(other, "/api/users")
    user = await data(admin.http.get(f"/api/users/{other.id}"))
    await data(admin.http.patch(f"/api/users/{other.id}", json={"version": user["version"], "role": "clerk"}))
    async with asyncio.timeout(10):
        while other.socket.disconnect_reason is None:
            await asyncio.sleep(0.01)
    assert other.socket.disconnect_reason == "io server disconnect"
    assert app.live.subscriptions is not None
    assert len(app.live.subscriptions) == 0


async def test_a_record_that_is_deleted_ends_the_subscription(app: Application, arrive: Arrive) -> None:
    manager = await arrive("manager")
    department = await data(
        manager.http.post("/api/departments", json={"name": "Lager", "costCenter": "LAG"}), 201
    )
    path = f"/api/departments/{department['id']}"
    await subscribed(manager, path)
    version = department["version"]
    answer = await manager.http.delete(path, params={"version": version})
    assert answer.status_code < 300, answer.text
    await settled(app)
    [ended] = manager.heard("live:ended")
    assert (ended["path"], ended["error"]["code"]) == (path, "not_found")


async def test_a_slow_reader_gets_the_whole_in_place_of_a_patch(app: Application, arrive: Arrive) -> None:
    """T31: and ends with the newest, each message of which fits what he has."""
    clerk, admin = await arrive("clerk"), await arrive("admin")
    answer = await subscribed(admin, OVERVIEW)
    for number in range(4):
        if number == 1:
            admin.socket.stall()
        await a_customer(clerk.http, f"Muster {number}")
        await settled(app)
    admin.socket.resume()
    await settled(app)
    updates = [update for update in admin.heard("live:update") if update["path"] == OVERVIEW]
    assert "body" in updates[-1]
    assert shown(answer, updates) == (await clerk.http.get(OVERVIEW)).json()


async def test_who_comes_back_recovered_has_his_subscriptions_and_the_newest(
    app: Application, arrive: Arrive
) -> None:
    clerk, admin = await arrive("clerk"), await arrive("admin")
    await subscribed(admin, "/api/customers")
    await subscribed(admin, "/api/users")
    await admin.socket.call(UNSUBSCRIBE, {"path": "/api/users"})
    admin.socket.drop()
    await a_customer(clerk.http, "Indes")
    await settled(app)
    assert app.live.subscriptions is not None
    assert len(app.live.subscriptions) == 0
    await admin.socket.reconnect()
    assert admin.socket.recovered
    async with asyncio.timeout(10):
        while not admin.heard("live:update"):
            await asyncio.sleep(0)
    [update] = admin.heard("live:update")
    assert update["body"] == (await admin.http.get("/api/customers")).json()
    assert len(app.live.subscriptions) == 1
    await a_customer(clerk.http, "Danach")
    await settled(app)
    assert admin.heard("live:update")[-1]["etag"] == (await admin.http.get("/api/customers")).headers["etag"]


async def test_nothing_is_left_of_many_subscriptions(
    app: Application, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_SUBSCRIPTIONS", 10)
    answers, subscribed_to, rights = app.live.answers, app.live.subscriptions, app.live.rights
    assert answers is not None
    assert subscribed_to is not None
    assert rights is not None
    clerk, admin = await arrive("clerk"), await arrive("admin")
    paths = [f"/api/customers?limit={number}" for number in range(1, 12)]
    for _ in range(3):
        for path in paths[:10]:
            await subscribed(clerk, path)
        assert await refused(clerk, paths[10]) == "too_many"
        await a_customer(admin.http)
        for path in paths[:5]:
            assert await clerk.socket.call(UNSUBSCRIBE, {"path": path}) == {"ok": True}
        clerk.socket.drop()
        await clerk.socket.reconnect()
        async with asyncio.timeout(10):
            while len(subscribed_to) < 5:
                await asyncio.sleep(0)
        for path in paths:
            assert await clerk.socket.call(UNSUBSCRIBE, {"path": path}) == {"ok": True}
        assert len(subscribed_to) == 0
    await subscribed(clerk, "/api/notifications")
    await subscribed(clerk, OVERVIEW)
    clerk.socket.drop()
    await settled(app)
    await a_customer(admin.http)
    await settled(app)
    # The overview stays, which the application has bound.
    assert (len(answers), len(answers._turns), len(subscribed_to), len(rights)) == (1, 0, 0, 0)
    assert len(answers._turns._arrivals_s) <= 1
    assert [handle for heard in answers._heard.values() for handle in (heard.retry,) if handle] == []


async def test_with_the_switch_off_nobody_subscribes(app: Application, arrive: Arrive) -> None:
    clerk = await arrive("clerk")
    assert app.live.subscriptions is not None
    app.live.subscriptions.is_open = False
    assert await refused(clerk, "/api/customers") == "unavailable"
