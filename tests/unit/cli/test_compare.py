"""Before and after, and the review of the week, at the command line."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from steinmetz.cli.main import app
from steinmetz.clock import FakeClock
from steinmetz.monitor.changes.change import Cause, Change, Entry
from steinmetz.monitor.changes.log import DatabaseChangeLog
from steinmetz.monitor.stores.database import DatabaseShelf
from steinmetz.monitor.stores.shared import SharedStore

RUN = CliRunner()
TEXT = "SELECT a FROM invoices WHERE status = ?"


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("STEINMETZ_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("STEINMETZ_DATABASE_URL", raising=False)
    return tmp_path


def served(folder: Path, *minutes_ago_and_ms: tuple[int, float]) -> None:
    """Figures as a server writes them: so long ago the statement took about so many ms, a thousand times each."""

    async def write() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'monitor.sqlite3'}")
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        generator = random.Random(7)
        clock = FakeClock(now - timedelta(minutes=minutes_ago_and_ms[0][0]))
        store = SharedStore(clock, DatabaseShelf(engine))
        await store.refresh()
        meter = store.meter("f" * 16, "invoices.list", TEXT)
        for minutes_ago, middle_ms in minutes_ago_and_ms:
            clock.advance((now - timedelta(minutes=minutes_ago) - clock.now()).total_seconds())
            store.turn()
            for _ in range(1_000):
                meter.add(int(middle_ms * 1e6 * generator.lognormvariate(0, 0.3)))
            store.turn()
            clock.advance(60)
            store.turn()
            assert await store.flush()
        await engine.dispose()

    asyncio.run(write())


def changed(folder: Path, minutes_ago: int, note: str) -> None:
    async def write() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'monitor.sqlite3'}")
        at = datetime.now(UTC).replace(second=30) - timedelta(minutes=minutes_ago)
        change = Change("c" * 32, at, Cause.MARK, note, "erika", tables=("invoices",))
        await DatabaseChangeLog(engine).put(Entry(change))
        await engine.dispose()

    asyncio.run(write())


def run(*arguments: str) -> str:
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_change_that_helped_is_shown_with_its_figures(data_dir: Path) -> None:
    served(data_dir, (20, 10), (5, 2))
    changed(data_dir, 10, "an index on status")
    told = run("compare", "show")
    assert "an index on status" in told
    assert "improved so far" in told
    assert "invoices.list" in told
    (document,) = json.loads(run("compare", "show", "cccc", "--json"))
    assert document["statements"][0]["ratio"] == pytest.approx(0.2, rel=0.1)
    assert "improved" in run("compare", "log")
    (logged,) = json.loads(run("compare", "log", "--json"))
    assert (logged["author"], logged["note"], logged["verdict"]) == ("erika", "an index on status", "improved")


def test_a_mark_is_kept_with_its_author() -> None:
    assert "Marked as" in run("compare", "mark", "new release", "--author", "max")
    told = run("compare", "log")
    assert "new release" in told
    assert "max" in told
    assert "too few so far" in told


def test_nothing_yet_and_nothing_such() -> None:
    assert "No change is known yet" in run("compare", "log")
    for arguments, said in (
        (("compare", "show"), "no change is known yet"),
        (("compare", "show", "abc"), "there is no such change"),
        (("compare", "mark", " "), "a mark has a note"),
        (("report", "--since", "9d"), "no stretch like 7d or 24h"),
        (("report", "--since", "soon"), "no stretch like 7d or 24h"),
    ):
        done = RUN.invoke(app, arguments)
        assert done.exit_code == 2
        assert said in done.output


def test_the_report_tells_where_time_went(data_dir: Path) -> None:
    served(data_dir, (3_000, 2), (100, 10), (30, 10))
    changed(data_dir, 60, "another release")
    told = run("report")
    assert "3,000 queries" in told
    assert "invoices.list" in told
    assert "another release" in told
    assert "regressed" in told
    document = json.loads(run("report", "--since", "7d", "--json"))
    assert document["names"][0]["count"] == 3_000
    assert document["moved"][0]["ratio"] == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("since", ["7d", "24h", "1h"])
def test_the_report_has_what_was_written_a_second_ago(data_dir: Path, since: str) -> None:
    async def write() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{data_dir / 'monitor.sqlite3'}")
        store = SharedStore(FakeClock(datetime.now(UTC)), DatabaseShelf(engine))
        store.meter("f" * 16, "invoices.list", TEXT).add(3_000_000)
        assert await store.flush()
        await engine.dispose()

    asyncio.run(write())
    assert json.loads(run("report", "--since", since, "--json"))["queries"] == 1


def test_an_empty_report_says_how_to_fill_it() -> None:
    assert "STEINMETZ_MONITOR_HISTORY" in run("report")
