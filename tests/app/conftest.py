"""The whole application behind its ASGI door, on a database of its own for each test.

SQLite by default; a test marked ``both_databases`` runs on PostgreSQL too. Time stands still at 2026-03-02T09:00Z
(a Monday) unless the test moves ``clock``.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import _IncludedRouter
from sqlalchemy import insert
from starlette.routing import BaseRoute

from steinmetz.clock import FakeClock
from steinmetz.erp.api import ROUTERS
from steinmetz.erp.chores import chores
from steinmetz.erp.db import Publication
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.migrations.transaction import in_transaction
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.system.models import ChoreRun
from steinmetz.erp.seed import TINY, seed
from steinmetz.erp.settings import Settings, load_settings
from steinmetz.monitor import query_monitor
from tests.app.people import Arrive, Person, arrived, data
from tests.servers import PostgresCopies
from tests.sharing import Shared

PASSWORD = "steinmetz-demo-1"
SECRET = "mZ0u1yqk3Rr9Xo2VtL5wC8bN4sJ7eG6h"

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_databases: run on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_databases") and "engine_name" in metafunc.fixturenames:
        metafunc.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session", autouse=True)
def routes_built_once() -> Iterator[None]:
    """FastAPI builds the routes of an included router anew for every application, 70 ms of each test. Ours include
    the same routers in the same way, so one result does for all."""
    build, built = _IncludedRouter._build_effective_context, dict[int, Any]()

    def build_once(self: _IncludedRouter, route: BaseRoute) -> Any:
        if self.original_router not in ROUTERS:
            return build(self, route)
        return built.get(id(route)) or built.setdefault(id(route), build(self, route))

    _IncludedRouter._build_effective_context = build_once  # type: ignore[method-assign]
    yield
    _IncludedRouter._build_effective_context = build  # type: ignore[method-assign]


def settings_for(folder: Path, database_url: str, **changes: Any) -> Settings:
    """Settings of a test: cheap password hashes, no log line a request."""
    return load_settings(
        **{
            "data_dir": folder,
            "database_url": database_url,
            "jwt_secret": SECRET,
            "argon2_memory_kib": 8,
            "argon2_time_cost": 1,
            "access_log": False,
            "log_level": "warning",
            "monitor_history": False,
            **changes,
        }
    )


@pytest.fixture(scope="session")
def user_rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """One user of each role, with the same password."""
    folder = tmp_path_factory.mktemp("hash")
    hashed = PasswordHasher(settings_for(folder, "sqlite:///none.db")).hash_now(PASSWORD)
    return [
        {
            "email": f"{role.value}@example.com",
            "name": f"{role.value.title()} Beispiel",
            "role": role,
            "password_hash": hashed,
            "created_at": FakeClock().now(),
        }
        for role in Role
    ]


def add_users(url: str, rows: list[dict[str, Any]]) -> None:
    in_transaction(url, lambda connection: connection.execute(insert(User), rows))


@pytest.fixture(scope="session")
def sqlite_template(
    sqlite_migrated: Path, tmp_path_factory: pytest.TempPathFactory, user_rows: list[dict[str, Any]]
) -> Path:
    """A migrated SQLite file with the users in it, made once and copied for each test.

    Its chores are done for the day: to find nothing to do in each of them would take as long as many a test.
    """
    path = tmp_path_factory.mktemp("template") / "template.db"
    shutil.copy(sqlite_migrated, path)
    add_users(f"sqlite:///{path}", user_rows)
    now = FakeClock().now()
    done = {"tried_at": now, "done_at": now}
    rows = [{"name": chore.name, **done} for chore in chores(load_settings())]
    in_transaction(f"sqlite:///{path}", lambda connection: connection.execute(insert(ChoreRun), rows))
    return path


def _fill(url: str) -> None:
    hasher = PasswordHasher(settings_for(Path("."), "sqlite:///none.db"))
    seed(url, scale=TINY, today=company_date(FakeClock().now()), password_hasher=hasher.hash_now)


@pytest.fixture(scope="session")
def sqlite_company(sqlite_migrated: Path, shared: Shared) -> Path:
    """A SQLite file with the tiny company of the seed, made once; to be copied."""

    def make(folder: Path) -> None:
        shutil.copy(sqlite_migrated, folder / "company.db")
        _fill(f"sqlite:///{folder}/company.db")

    return shared("company", make) / "company.db"


@pytest.fixture(scope="session")
def postgres_company(postgres_copies: PostgresCopies) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """Makes databases with the same company on PostgreSQL, which last as long as the block."""
    with postgres_copies.migrated() as url:
        _fill(url)
        yield lambda: postgres_copies.copy(url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine_name: str, tmp_path: Path) -> str:
    if engine_name == "postgresql":
        url: str = request.getfixturevalue("clean_postgres_url")
        add_users(url, request.getfixturevalue("user_rows"))
        return url
    path = tmp_path / "steinmetz.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Override it in a test file to run the application with other settings."""
    return settings_for(tmp_path, database_url)


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[None]:
    """The lifespan of an ASGI application: started up inside, shut down after."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def live() -> None:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, incoming.get, outgoing.put)

    async def step(name: str) -> None:
        await incoming.put({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(outgoing.get())
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise AssertionError(f"the lifespan ended before {name}") from task.exception()
        assert answer.result()["type"] == f"lifespan.{name}.complete", answer.result()

    task = asyncio.create_task(live())
    await step("startup")
    try:
        yield
    finally:
        await step("shutdown")
        await task


@asynccontextmanager
async def strict(application: Application) -> AsyncIterator[None]:
    """An event that breaks its schema fails the test, by whoever it was said."""
    io = application.state.io
    assert io is not None
    for registry in io.registries.values():
        registry.is_strict = True
    yield
    assert io.statistics.broken_payloads == {}


@pytest.fixture
async def app(settings: Settings, clock: FakeClock) -> AsyncIterator[Application]:
    """The real application, started, in a process whose monitor remembers no other."""
    query_monitor.reset()
    query_monitor.advisor.advice = None
    application = create_app(settings, clock=clock)
    async with running(application), strict(application):
        yield application


@pytest.fixture
async def clients(app: Application) -> AsyncIterator[Callable[[], Awaitable[httpx2.AsyncClient]]]:
    """Makes clients, each with cookies of its own."""
    async with AsyncExitStack() as stack:

        async def make() -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 40_000))
            return await stack.enter_async_context(
                httpx2.AsyncClient(transport=transport, base_url="http://testserver")
            )

        yield make


@pytest.fixture
async def client(clients: Callable[[], Awaitable[httpx2.AsyncClient]]) -> httpx2.AsyncClient:
    """Nobody in particular: not signed in."""
    return await clients()


@pytest.fixture
def sign_in(clients: Callable[[], Awaitable[httpx2.AsyncClient]]) -> SignIn:
    """``await sign_in("manager")``: a client that is signed in as the user of that role."""

    async def enter(role: Role | str) -> httpx2.AsyncClient:
        client = await clients()
        answer = await client.post(
            "/api/auth/login", json={"email": f"{Role(role).value}@example.com", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        return client

    return enter


@pytest.fixture
async def arrive(
    app: Application, clients: Callable[[], Awaitable[httpx2.AsyncClient]], sign_in: SignIn
) -> AsyncIterator[Arrive]:
    """``await arrive("clerk")``: the user of that role; ``await arrive("clerk", "Ben")``: a new one called so."""
    async with AsyncExitStack() as stack:

        async def come(role: Role | str, name: str = "", **more: Any) -> Person:
            email = f"{name.lower() or Role(role).value}@example.com"
            if name:
                new = {"email": email, "name": name, "role": role, "password": PASSWORD, **more}
                await data((await sign_in("admin")).post("/api/users", json=new), 201)
            return await arrived(stack, app, await clients(), email, PASSWORD)

        yield come


@pytest.fixture
def published(app: Application) -> list[Publication]:
    """What has been announced since, in order; it still reaches the sockets."""
    heard: list[Publication] = []
    onward = app.state.database.publisher

    def publish(publication: Publication) -> None:
        heard.append(publication)
        onward(publication)

    app.state.database.publisher = publish
    return heard
