from __future__ import annotations

import asyncio
import gc
import importlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from steinmetz.cli import serve
from steinmetz.cli.database import revision
from steinmetz.cli.main import app
from steinmetz.erp.main import Application
from steinmetz.erp.migrations import head
from steinmetz.erp.settings import Settings, load_settings
from steinmetz.realtime.server import collector


@pytest.mark.parametrize(
    ("redis_url", "reason"), [("", "stale answers"), ("redis://127.0.0.1:1/0", "not supported yet")]
)
def test_more_than_one_worker_is_refused_with_the_reason(
    redis_url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEINMETZ_REDIS_URL", redis_url)
    done = CliRunner().invoke(app, ["serve", "--workers", "2"])
    assert done.exit_code == 2
    assert reason in done.stderr


def test_a_port_in_use_is_one_line_before_anything_else_happens(tmp_path: Path) -> None:
    with serve.listen("127.0.0.1", 0) as taken:
        done = CliRunner().invoke(app, ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 2
    assert "in use" in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_address_that_is_not_ours_is_one_line() -> None:
    with pytest.raises(typer.Exit):
        serve.listen("192.0.2.1", 0)


def test_an_embedded_database_is_made_and_migrated_but_not_filled_unasked() -> None:
    settings = load_settings()
    serve.prepare(settings, no_seed=True)
    assert revision(settings) == head()
    assert serve.demo_logins(settings) == []


def test_a_database_at_its_head_is_opened_without_alembic() -> None:
    serve.prepare(load_settings(), no_seed=True)
    script = (
        "import sys; from steinmetz.cli.serve import prepare; from steinmetz.erp.settings import load_settings;"
        "prepare(load_settings(), no_seed=True); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_postgresql_behind_the_migrations_is_refused_and_named_the_way_out(
    empty_postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        serve.prepare(load_settings(database_url=empty_postgres_url), no_seed=False)
    assert "steinmetz migrate" in capsys.readouterr().err


def test_postgresql_is_never_filled_unasked(clean_postgres_url: str) -> None:
    settings = load_settings(database_url=clean_postgres_url)
    serve.prepare(settings, no_seed=False)
    assert serve.demo_logins(settings) == []


@pytest.mark.anyio
async def test_a_write_that_ends_on_the_loop_does_not_wait_for_the_greeting(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = load_settings()
    serve.prepare(settings, no_seed=True)
    writer = sqlite3.connect(settings.url.database or "", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.01, writer.rollback)
    async with asyncio.timeout(30):
        await serve.announce(settings, 3000)
    writer.close()
    assert "http://localhost:3000" in capsys.readouterr().err


def test_the_application_is_imported_without_looking_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = dict[str, bool]()
    monkeypatch.setattr(importlib, "import_module", lambda name: looking.setdefault(name, gc.isenabled()))
    serve.load()
    assert looking == {"uvicorn": False, "steinmetz.erp.main": False}
    assert gc.isenabled()

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError):
        serve.load()
    assert gc.isenabled()


def test_t23_the_collector_has_a_policy_while_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = [gc.get_threshold()]

    async def nothing(server: uvicorn.Server, sockets: object = None) -> None:
        server.started = True

    async def greeting(settings: Settings, port: int) -> None:
        policies.append(gc.get_threshold())

    def run(server: uvicorn.Server, sockets: object = None) -> None:
        async def from_start_to_end() -> None:
            await server.startup()
            await server.shutdown()
            policies.append(gc.get_threshold())

        asyncio.run(from_start_to_end())

    monkeypatch.setattr(uvicorn.Server, "startup", nothing)
    monkeypatch.setattr(uvicorn.Server, "shutdown", nothing)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(serve, "announce", greeting)
    with serve.listen("127.0.0.1", 0) as door:
        serve._serve(load_settings(), door)
    gc.freeze()  # as the suite has it
    before, serving, after = policies
    assert serving[0] == collector.YOUNG
    assert before == after


@pytest.mark.parametrize("is_patient", [True, False])
def test_t28_sockets_leave_before_anything_else_unless_somebody_is_in_a_hurry(
    monkeypatch: pytest.MonkeyPatch, is_patient: bool
) -> None:
    order: list[str] = []

    async def nothing(server: uvicorn.Server, sockets: object = None) -> None:
        server.started = True

    async def ending(server: uvicorn.Server, sockets: object = None) -> None:
        order.append("the rest")

    async def leaving(application: Application) -> None:
        await asyncio.sleep(0 if is_patient else 3_600)
        order.append("sockets")

    def run(server: uvicorn.Server, sockets: object = None) -> None:
        server.started, server.force_exit = True, not is_patient
        asyncio.run(server.shutdown())

    monkeypatch.setattr(uvicorn.Server, "startup", nothing)
    monkeypatch.setattr(uvicorn.Server, "shutdown", ending)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(Application, "drain", leaving)
    with serve.listen("127.0.0.1", 0) as door:
        serve._serve(load_settings(), door)
    assert order == (["sockets", "the rest"] if is_patient else ["the rest"])


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("erp.example", False)],
)
def test_who_can_reach_a_host(host: str, is_ours: bool) -> None:
    assert serve.is_loopback(host) is is_ours
