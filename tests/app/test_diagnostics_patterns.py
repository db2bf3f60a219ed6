"""What operators see of the way the application asks its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.sql import ScopeKind, open_scope

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]


async def ask_in_loops(app: Application) -> None:
    """A unit of work with a loop over each of three statements."""
    with open_scope(ScopeKind.REQUEST, "GET /api/test"):
        async with app.state.database.engine.connect() as connection:
            for number in range(8):
                await connection.execute(text("SELECT name FROM users WHERE id = :id"), {"id": number})
            for number in range(6):
                await connection.execute(text("SELECT id FROM customers WHERE number = :n"), {"n": f"K-{number}"})
            for number in range(9):
                await connection.execute(text("DELETE FROM customers WHERE id = :id"), {"id": -number})
            await connection.rollback()


@pytest.fixture
def clear(app: Application) -> None:
    assert app.state.monitor is not None
    app.state.monitor.patterns.clear()


@pytest.mark.usefixtures("clear")
async def test_a_loop_is_shown_with_its_line_and_remedy(app: Application, sign_in: SignIn) -> None:
    auditor = await sign_in(Role.AUDITOR)
    await ask_in_loops(app)
    answer = (await auditor.get("/api/diagnostics/n-plus-one")).json()
    assert answer["success"] is True
    assert answer["page"] == {"next": None, "total": 2}
    found: dict[str, Any] = next(one for one in answer["data"] if "users" in one["statement"])
    assert found["pattern"] == "n-plus-one"
    assert found["line"].startswith("tests/app/test_diagnostics_patterns.py:")
    assert found["line"].endswith(" in ask_in_loops")
    assert found["remedy"] == "Collect the keys and ask once: one query with WHERE id IN (...)."
    assert (found["times"], found["runs"], found["worst"], found["routes"]) == (1, 8, 8, ["GET /api/test"])
    assert 0 < found["savedMs"] < found["totalMs"]
    assert found["firstSeen"] == "2026-03-02T09:00:00Z"


@pytest.mark.usefixtures("clear")
async def test_all_kinds_are_paged_and_can_be_chosen(app: Application, sign_in: SignIn) -> None:
    admin = await sign_in(Role.ADMIN)
    await ask_in_loops(app)
    seen, cursor = [], None
    for _ in range(3):
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await admin.get("/api/diagnostics/patterns", params=query)).json()
        seen += [one["id"] for one in page["data"]]
        cursor = page["page"]["next"]
    assert cursor is None
    assert len(set(seen)) == page["page"]["total"] == 3
    chosen = await admin.get("/api/diagnostics/patterns", params={"kind": ["write-loop", "cartesian-join"]})
    assert [one["pattern"] for one in chosen.json()["data"]] == ["write-loop"]
    assert (await admin.get("/api/diagnostics/patterns", params={"kind": "nonsense"})).status_code == 422
    assert (await admin.get("/api/diagnostics/patterns", params={"cursor": "nonsense"})).status_code == 422


@pytest.mark.usefixtures("clear")
async def test_statements_are_ranked(app: Application, sign_in: SignIn) -> None:
    admin = await sign_in(Role.ADMIN)
    await ask_in_loops(app)
    rankings = (await admin.get("/api/diagnostics/rankings", params={"limit": 2})).json()["data"]
    assert set(rankings) == {"mostFrequent", "mostTime", "mostPerRequest"}
    assert all(len(ranked) <= 2 for ranked in rankings.values())
    first = rankings["mostPerRequest"][0]
    assert (first["route"], first["perRequest"], first["count"]) == ("GET /api/test", 9, 9)


@pytest.mark.parametrize("path", ["n-plus-one", "patterns", "rankings"])
async def test_operators_only(sign_in: SignIn, path: str) -> None:
    clerk = await sign_in(Role.CLERK)
    assert (await clerk.get(f"/api/diagnostics/{path}")).status_code == 403


class TestWithoutTheMonitor:
    @pytest.fixture
    def settings(self, settings: Any) -> Any:
        return settings.model_copy(update={"monitor": False})

    async def test_it_says_that_it_is_off(self, app: Application, sign_in: SignIn) -> None:
        admin = await sign_in(Role.ADMIN)
        await ask_in_loops(app)
        answer = await admin.get("/api/diagnostics/n-plus-one")
        assert answer.status_code == 503
        assert "STEINMETZ_MONITOR=off" in answer.json()["detail"]
