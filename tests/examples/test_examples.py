"""The examples do what their first lines say, and stay short."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.monitor import query_monitor
from steinmetz.realtime import ConnectError
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def load(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import an example afresh, with ``folder`` as the current one: that is where it keeps its file."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@pytest.fixture(autouse=True)
def forget_examples() -> Iterator[None]:
    yield
    for example in EXAMPLES.glob("*.py"):
        sys.modules.pop(example.stem, None)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_has_forty_lines_at_most(example: Path) -> None:
    lines = [line for line in example.read_text().splitlines() if line.strip()]
    assert len(lines) <= 40


def client(app: object) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://example")  # type: ignore[arg-type]


async def test_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load("all_three", tmp_path, monkeypatch)
    await example.app.start()
    async with client(example.app) as http, connect(example.io) as listener:
        await http.post("/notes", params={"text": "one"})
        await http.get("/notes")
        assert (await http.get("/notes")).headers["X-Cache"] == "HIT"
        await example.app.settled()
        answer = await listener.call("live:subscribe", {"path": "/notes"})
        assert (answer["ok"], answer["body"]) == (True, ["one"])
        await http.post("/notes", params={"text": "two"})
        await example.app.settled()
        while (await listener.heard("notes:update")) != [["one", "two"]]:
            pass
        third = await http.get("/notes")
        assert (third.headers["X-Cache"], third.json()) == ("MISS", ["one", "two"])
        [update] = await listener.heard("live:update")
        assert update == {"path": "/notes", "etag": third.headers["ETag"], "body": ["one", "two"]}
    assert example.monitor.query_stats()["totalQueries"] > 0
    await example.app.stop()
    await example.engine.dispose()


async def test_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load("chat", tmp_path, monkeypatch)
    with pytest.raises(ConnectError, match="Say who you are"):
        async with connect(example.io):
            pass
    async with connect(example.io, auth={"name": "Ada"}) as ada, connect(example.io, auth={"name": "Bo"}) as bo:
        assert await ada.call("chat:message", "Hallo") == {"ok": True}
        assert await bo.heard("chat:message") == [{"user": "Ada", "text": "Hallo"}]
        assert (await ada.call("chat:message", "  "))["ok"] is False
        ada.emit("chat:typing")
        assert await bo.heard("chat:typing") == [{"user": "Ada"}]
        assert [name for name, _ in ada.events] == ["chat:message"]
    await example.io.shutdown()
    assert len([line for line in (EXAMPLES / "chat.py").read_text().splitlines() if line.strip()]) <= 25


async def test_cached_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load("cached_api", tmp_path, monkeypatch)
    async with client(example.app) as http:
        await http.put("/prices/100")
        assert [(await http.get("/prices")).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
        await http.put("/prices/50")
        answer = await http.get("/prices")
        assert (answer.headers["X-Cache"], answer.json()) == ("MISS", [50, 100])
    await example.engine.dispose()


def test_watch_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    query_monitor.configure(clock=FakeClock())  # whatever other tests have counted
    load("watch_queries", tmp_path, monkeypatch)
    one, many = capsys.readouterr().out.splitlines()
    assert one.startswith("getUserById  ")
    assert "  1 x  p95" in one
    assert "100 x  p95" in many


def test_know_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load("know_statements", tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    assert printed == "GET /dear read: orders\ncommitted: log, orders\n"
    howto = EXAMPLES.parent / "docs" / "howto" / "know-what-statements-touch.md"
    assert all(f"    {line}\n" in howto.read_text() for line in printed.splitlines())
