"""Answers that no write changes, but time does; and writes that change no answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from tests.app.conftest import PASSWORD, SignIn

pytestmark = pytest.mark.anyio

OVERVIEW = "/api/dashboard/overview"


async def test_t14_an_answer_that_depends_on_the_day_ends_at_midnight(sign_in: SignIn, clock: FakeClock) -> None:
    clock.advance(13 * 3600 + 3570)  # 2026-03-02T22:59:30Z: half a minute before midnight in Berlin
    clerk = await sign_in(Role.CLERK)
    first, second = await clerk.get(OVERVIEW), await clerk.get(OVERVIEW)
    clock.advance(31)
    third = await clerk.get(OVERVIEW)
    assert [answer.headers["X-Cache"] for answer in (first, second, third)] == ["MISS", "HIT", "MISS"]
    assert first.json()["data"]["businessDate"] == "2026-03-02"
    assert third.json()["data"]["businessDate"] == "2026-03-03"


async def test_t15_a_hundred_logins_drop_nobody_s_answers(
    app: Application, sign_in: SignIn, clock: FakeClock, clients: Callable[[], Awaitable[httpx2.AsyncClient]]
) -> None:
    readers = [await sign_in(role) for role in Role]
    for reader in readers:
        await reader.get(OVERVIEW)
    assert app.state.cache is not None
    asked, stranger, signed_in = app.state.cache.stats()["authentications"], await clients(), 0
    for _ in range(100):
        clock.advance(2)
        answer = await stranger.post("/api/auth/login", json={"email": "clerk@example.com", "password": PASSWORD})
        signed_in += answer.status_code == 200
    assert signed_in == 100
    for reader in readers:
        assert (await reader.get(OVERVIEW)).headers["X-Cache"] == "HIT"
    assert app.state.cache.stats()["authentications"] == asked, "a login made an admission uncertain"


async def test_t16_a_new_access_token_finds_the_answers_of_the_old_one(
    app: Application, clients: Callable[[], Awaitable[httpx2.AsyncClient]], clock: FakeClock
) -> None:
    """Answers are kept by user, not by token: renewing the token empties nothing."""
    client = await clients()
    given = await client.post("/api/auth/login", json={"email": "clerk@example.com", "password": PASSWORD})
    first = given.json()["data"]["accessToken"]
    paths = ["/api/notifications", OVERVIEW, "/api/company"]
    for path in paths:
        await client.get(path, headers={"Authorization": f"Bearer {first}"})
    clock.advance(60)
    renewed = await client.post("/api/auth/refresh")
    second = renewed.json()["data"]["accessToken"]
    assert second != first
    for token in (second, first):
        for path in paths:
            answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.headers["X-Cache"]) == (200, "HIT"), path


async def test_t8_no_write_of_the_application_commits_after_its_answer(app: Application, sign_in: SignIn) -> None:
    admin = await sign_in(Role.ADMIN)
    answers = [
        await admin.post("/api/customers", json={"name": "Beispiel GmbH"}),
        await admin.post(
            "/api/users",
            json={"email": "neu@example.com", "name": "Neu", "role": "clerk", "password": "steinmetz-demo-1"},
        ),
        await admin.post("/api/auth/logout"),
    ]
    assert [answer.status_code for answer in answers[:2]] == [201, 201]
    assert app.state.cache is not None
    assert app.state.cache.stats()["commits"] >= 3
    assert app.state.cache.stats()["lateCommits"] == 0
