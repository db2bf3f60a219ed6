"""The whole application, while another program writes its database (trap T11, hazard H17)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from steinmetz.cli.main import app as command
from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.migrations.transaction import in_transaction
from steinmetz.erp.settings import Settings
from steinmetz.live import PostgresStrangers, SqliteStrangers
from tests.app.conftest import SignIn, running, settings_for

pytestmark = pytest.mark.anyio

COMPANY = "/api/company"
DEPARTMENTS = "/api/departments"
ADD = "INSERT INTO departments (name, cost_center) VALUES ('Von Hand', '4711')"


async def kept(client: httpx2.AsyncClient) -> None:
    """No department, and that is kept."""
    answers = [await client.get(DEPARTMENTS) for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    assert answers[1].json()["data"] == []


async def shown(client: httpx2.AsyncClient) -> list[str]:
    """The departments once there are any; the cache gives the old answer until it has heard."""
    async with asyncio.timeout(10):
        while not (now := (await client.get(DEPARTMENTS)).json()["data"]):
            await asyncio.sleep(0)
    return [department["name"] for department in now]


async def test_t11_a_commit_made_by_hand_shows_within_the_bound(app: Application, sign_in: SignIn) -> None:
    clerk = await sign_in(Role.CLERK)
    await kept(clerk)
    database = sqlite3.connect(str(app.state.database.url.database))
    database.execute(ADD)
    database.commit()
    database.close()
    assert await shown(clerk) == ["Von Hand"]


async def test_t11_the_application_is_no_stranger_to_itself(app: Application, sign_in: SignIn) -> None:
    """Sessions, chores, audited changes: a hit survives what does not concern it."""
    strangers = app.live.strangers
    assert isinstance(strangers, SqliteStrangers)
    admin, clerk = await sign_in(Role.ADMIN), await sign_in(Role.CLERK)
    await clerk.get(COMPANY)
    for n in range(5):
        user = {"email": f"n{n}@example.com", "name": "Neu", "role": "clerk", "password": "steinmetz-demo-1"}
        assert (await admin.post("/api/users", json=user)).status_code == 201
        assert not strangers.look()
    assert strangers.noticed == 0
    assert (await clerk.get(COMPANY)).headers["X-Cache"] == "HIT"


async def test_t11_a_neighbour_who_rings_is_no_stranger(
    app: Application, sign_in: SignIn, settings: Settings, clock: FakeClock
) -> None:
    """Two servers on one file: what the one commits drops what it concerns at the other, and no more."""
    clerk, there = await sign_in(Role.CLERK), create_app(settings, clock=clock)
    await kept(clerk)
    await clerk.get(COMPANY)
    ours = app.live.strangers
    assert isinstance(ours, SqliteStrangers)
    async with running(there):
        noticed = ours.noticed
        async with there.state.database.unit() as unit:
            await unit.session.execute(text(ADD))
        assert not ours.look()
        assert ours.noticed == noticed
    assert await shown(clerk) == ["Von Hand"]
    assert (await clerk.get(COMPANY)).headers["X-Cache"] == "HIT"


def watch_table(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("STEINMETZ_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("STEINMETZ_DATABASE_URL", settings.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STEINMETZ_JWT_SECRET", "mZ0u1yqk3Rr9Xo2VtL5wC8bN4sJ7eG6h")
    return CliRunner().invoke(command, ["cache", "watch-table", *arguments])


@pytest.fixture
def watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The departments come under watch before the application starts."""
    done = watch_table(settings, monkeypatch, "departments")
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "public.departments is watched.")
    assert watch_table(settings, monkeypatch, "--list").output.split() == ["public.departments"]
    yield
    removed = watch_table(settings, monkeypatch, "departments", "--remove")
    assert removed.output.splitlines() == ["public.departments is watched no more."]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_h17_a_table_that_is_watched_by_command(
    watched: None, app: Application, sign_in: SignIn, settings: Settings, engine_name: str
) -> None:
    strangers = app.live.strangers
    assert isinstance(strangers, PostgresStrangers)
    await asyncio.wait_for(strangers.listening.wait(), 20)
    clerk = await sign_in(Role.CLERK)
    await kept(clerk)
    in_transaction(settings.url, lambda connection: connection.exec_driver_sql(ADD))
    assert await shown(clerk) == ["Von Hand"]


def test_on_sqlite_no_table_needs_to_be_watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch_table(settings, monkeypatch, "users")
    assert (done.exit_code, done.output.startswith("Not needed on SQLite")) == (0, True)


@pytest.mark.parametrize("arguments", [[], ["users", "--list"], ["--list", "--remove"]])
def test_watch_table_wants_tables_or_a_list(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    done = watch_table(settings, monkeypatch, *arguments)
    assert (done.exit_code, "name the tables, or --list alone" in done.output) == (2, True)


def test_switched_off_nobody_looks(settings: Settings) -> None:
    off = settings_for(settings.data_dir, settings.url.render_as_string(), foreign_writers="off")
    assert create_app(off).live.strangers is None
