"""What every store of the monitor's figures promises: in memory, in a database (SQLite, PostgreSQL), in Redis.

Several stores over one place stand for several processes; each test has a place of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.analysis.statistics import OTHER
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores import memory
from steinmetz.monitor.stores.base import StatisticsStore
from steinmetz.monitor.stores.database import DatabaseShelf
from steinmetz.monitor.stores.memory import MemoryStore
from steinmetz.monitor.stores.redis import RedisShelf
from steinmetz.monitor.stores.shared import SharedStore
from steinmetz.monitor.stores.shelf import DEAD_AFTER_MS, SILENT_AFTER_MS, Shelf
from steinmetz.monitor.stores.tables import statistics
from steinmetz.sql import hook
from tests.servers import _database, _execute

pytestmark = pytest.mark.anyio

MS = 1_000_000
DATABASES = ["sqlite", "sqlite_async", "postgresql"]
SHARED = [*DATABASES, "redis"]

MakeShelf = Callable[[], Shelf]
MakeStore = Callable[[], Awaitable[SharedStore]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def module_database(postgres_url: str, database_names: Iterator[str]) -> Iterator[str]:
    with _database(postgres_url, next(database_names)) as url:
        yield url


@pytest.fixture
def bare_postgres_url(module_database: str) -> Iterator[str]:
    """A database without tables."""
    yield module_database
    _execute(module_database, "DROP TABLE IF EXISTS monitor_statistics, monitor_processes")


@pytest.fixture(params=SHARED)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_shelf(place: str, request: pytest.FixtureRequest, tmp_path: Path) -> MakeShelf:
    if place == "redis":
        url = request.getfixturevalue("redis_url")
        prefix = f"{{{uuid.uuid4().hex}}}"
        return lambda: RedisShelf(url, prefix=prefix)
    if place == "postgresql":
        url = request.getfixturevalue("bare_postgres_url")
        return lambda: DatabaseShelf(create_async_engine(url), owned=True)
    is_async = place == "sqlite_async"
    return lambda: DatabaseShelf(sqlite_engine(tmp_path / "monitor.db", is_async=is_async), owned=True)


def sqlite_engine(path: Path, *, is_async: bool) -> Any:
    """Without waiting for the disk: what is tested outlives processes, not machines."""
    made: Any = (
        create_async_engine(f"sqlite+aiosqlite:///{path}") if is_async else create_engine(f"sqlite:///{path}")
    )
    event.listen(
        made.sync_engine if is_async else made, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF")
    )
    return made


@pytest.fixture
async def make_store(make_shelf: MakeShelf, clock: FakeClock) -> AsyncIterator[MakeStore]:
    made: list[SharedStore] = []

    async def make() -> SharedStore:
        store = SharedStore(clock, make_shelf())
        await store.refresh()
        made.append(store)
        return store

    yield make
    for store in made:
        await store.shelf.aclose()


def count(store: StatisticsStore, window_s: float | None = None) -> int:
    return sum(found.count for found in store.table(window_s).names.values())


def run(store: StatisticsStore, times: int = 1, key: str = "f", duration_ns: int = 3 * MS) -> None:
    store.turn()
    meter = store.meter(key, f"select {key}", f"SELECT {key}")
    for _ in range(times):
        meter.add(duration_ns)


@pytest.mark.parametrize("kept", ["memory", *SHARED])
async def test_every_store_counts_alike(
    kept: str, clock: FakeClock, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """One story, told to each: the figures that come out are the same, since the start and of windows."""
    store: StatisticsStore
    if kept == "memory":
        store = MemoryStore(clock)
    elif kept == "redis":
        store = SharedStore(clock, RedisShelf(request.getfixturevalue("redis_url"), prefix=uuid.uuid4().hex))
    else:
        if kept == "postgresql":
            engine = create_async_engine(request.getfixturevalue("bare_postgres_url"))
        else:
            engine = sqlite_engine(tmp_path / "m.db", is_async=kept == "sqlite_async")
        store = SharedStore(clock, DatabaseShelf(engine, owned=True))
    meter = store.meter("f", "select f", "SELECT f")
    for minute in range(130):
        store.turn()
        meter.add(minute * MS)
        meter.inside(MS)
        if minute % 50 == 0:
            meter.failed(200 * MS)
            meter.slow()
            store.route("GET /f", 300 * MS, 4, 200 * MS)
            store.timing("pool wait").add(7 * MS)
            store.add("getUserById", 9 * MS, failed=False, slow=False)
            if isinstance(store, SharedStore):
                assert await store.flush()
        clock.advance(60)
    names = store.table().names
    assert (names["select f"].count, names["getUserById"].count, len(names)) == (133, 3, 2)
    assert {name: found.count for name, found in store.table(300).names.items()} == {"select f": 5}
    assert count(store, 3_600) == 60 + 2
    statement = store.figures(Kind.STATEMENT)["f"]
    found = statement.statistics
    assert statement.text == "SELECT f"
    assert (found.count, found.errors, found.slow) == (263, 3, 3)
    assert found.total_ns == MS * (sum(range(130)) + 130 + 600)
    assert store.figures(Kind.ROUTE)["GET /f"].statistics.statements == 12
    assert store.figures(Kind.TIMING)["pool wait"].statistics.count == 3
    assert [pattern.count for pattern in store.patterns(5)] == [263]
    assert store.table().slowest()[0].duration_ns == 200 * MS
    history = store.history(Kind.STATEMENT, "f", clock.now() - timedelta(hours=1))
    assert [moment.statistics.count for moment in history].count(2) >= 58
    store.clear()
    assert count(store) == 0
    if isinstance(store, SharedStore):
        await store.aclose()


async def test_several_processes_show_one_total(make_store: MakeStore, clock: FakeClock) -> None:
    one, other = await make_store(), await make_store()
    expected = Histogram()
    for minute in range(80):
        for store, duration_ns in ((one, 3 * MS + minute), (other, 70 * MS + minute)):
            run(store, 2, duration_ns=duration_ns)
            expected.add_all([duration_ns] * 2)
        if minute % 7 == 0:
            await one.flush()
            await other.flush()
        clock.advance(60)
    run(one)
    run(other, key="g")
    expected.add(3 * MS)
    for store in (one, other):
        await store.flush()
    for store in (one, other):
        await store.refresh()
        assert count(store) == 322
        assert store.figures(Kind.STATEMENT)["f"].statistics.histogram == expected
        assert store.figures(Kind.STATEMENT)["g"].text == "SELECT g"
        assert store.figures(Kind.STATEMENT)["f"].text == "SELECT f"
        assert count(store, 300) == 5 * 4 + 2
        assert count(store, 3_600) == 60 * 4 + 2
        assert count(store, 86_400) == 322
        history = store.history(Kind.NAME, "select f", clock.now() - timedelta(minutes=10))
        assert [moment.statistics.count for moment in history] == [4] * 10 + [1]
    assert one.table().slowest()[0].duration_ns >= 70 * MS
    assert one.table(300).slowest()[0].duration_ns == other.table(300).slowest()[0].duration_ns


async def test_a_dead_process_stays_in_the_total_and_a_restarted_one_is_not_counted_twice(
    make_store: MakeStore, clock: FakeClock
) -> None:
    first = await make_store()
    for _ in range(3):
        run(first, 10)
        clock.advance(60)
    run(first, 5)
    await first.flush()  # and here it is killed
    second = await make_store()
    assert count(second) == count(second, 3_600) == 35
    run(second, 1)
    await second.flush()
    third = await make_store()
    assert count(third) == 36
    # Days later nothing has been lost, not even its last half minute, and nothing is kept twice.
    for passed_ms in (SILENT_AFTER_MS, SILENT_AFTER_MS, DEAD_AFTER_MS, DEAD_AFTER_MS, DEAD_AFTER_MS):
        clock.advance(passed_ms / 1_000 + 61)
        await third.flush()
        assert count(await make_store()) == 36
    assert count(third) == 36
    assert count(await make_store(), 86_400) == 0


async def test_a_machine_that_slept_for_days_is_not_counted_twice(make_store: MakeStore, clock: FakeClock) -> None:
    sleeper = await make_store()
    run(sleeper, 10)
    await sleeper.flush()
    clock.advance(2 * DEAD_AFTER_MS / 1_000)
    await (await make_store()).refresh()  # which archives
    run(sleeper, 1)
    await sleeper.refresh()
    assert count(sleeper) in (10, 11)  # what was counted between waking and the next write is given up
    run(sleeper, 5)
    await sleeper.flush()
    assert count(await make_store()) == count(sleeper) >= 15


async def test_resetting_resets_all(make_store: MakeStore, clock: FakeClock) -> None:
    one, other = await make_store(), await make_store()
    run(one, 3)
    run(other, 4)
    await one.refresh()
    await other.refresh()
    clock.advance(1)
    one.clear()
    assert count(one) == 0
    await one.refresh()
    assert count(one) == 0
    await other.refresh()
    assert count(other) == 0
    run(other, 2)
    await other.refresh()
    await one.refresh()
    assert count(one) == count(other) == count(await make_store()) == 2


async def test_who_makes_room_is_not_counted_twice(
    make_store: MakeStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements come, are told of, leave their figures to (other), and come back."""
    monkeypatch.setitem(memory.CAPACITIES, Kind.STATEMENT, 12)
    one = await make_store()
    watcher = await make_store()
    heavy = one.meter("heavy", "heavy", "text")
    expected = 0
    for number in range(160):
        one.turn()
        run(one, key=f"light{number % 50}", duration_ns=1_000 + number)
        heavy.add(50 * MS)
        expected += 2
        if number % 3 == 0:
            assert await one.flush()
        if number % 5 == 0:
            clock.advance(70)
        if number % 20 == 0:
            await one.flush()
            await watcher.refresh()
            assert count(watcher) == count(one) == expected
            assert count(watcher, 3_600) == expected
    clock.advance(60)
    await one.flush()
    await watcher.refresh()
    for store in (one, watcher):
        figures = store.figures(Kind.STATEMENT)
        assert figures["heavy"].statistics.count == 160
        assert figures[OTHER].statistics.count > 100
        for window_s in (None, 3_600, 86_400):
            assert count(store, window_s) == expected
    newcomer = await make_store()
    assert count(newcomer) == expected


async def test_an_unreachable_place_is_told_of_once_and_nothing_is_lost(
    make_store: MakeStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Log:
        def warning(self, text: str, **_: object) -> None:
            told.append(text)

        info = warning

    monkeypatch.setattr("steinmetz.monitor.stores.shared.log", Log())
    store = await make_store()

    async def gone(*_: object) -> None:
        raise OSError("no route to host")

    with monkeypatch.context() as outage:
        outage.setattr(store.shelf, "write", gone)
        for _ in range(5):
            run(store, 2)
            assert not await store.flush()
            assert not await store.refresh()
            clock.advance(60)
        assert count(store) == 10
        assert len(told) == 1
        assert "kept in memory" in told[0]
    assert await store.flush()
    assert len(told) == 2
    again = await make_store()
    assert count(again) == count(again, 3_600) == 10


async def test_old_rows_are_dropped(make_store: MakeStore, clock: FakeClock) -> None:
    store = await make_store()
    for _ in range(30):
        run(store)
        await store.flush()
        clock.advance(3_700)
    rows = [row async for part in store.shelf.read(0, int(clock.now().timestamp() * 1_000)) for row in part]
    assert len([row for row in rows if row.span == 1]) <= 25
    assert len([row for row in rows if row.span == 0]) == 1
    assert count(await make_store()) == 30


async def reviewed(store: SharedStore, since: datetime) -> int:
    """How many runs the review of the time from ``since`` on tells of."""
    assert isinstance(store.shelf, DatabaseShelf)
    return sum(period.statistics.count for period in await store.shelf.periods(since) if period.start >= since)


@pytest.mark.parametrize("place", DATABASES, indirect=True)
async def test_the_review_is_whole_to_the_last_second_written(make_store: MakeStore, clock: FakeClock) -> None:
    """The open minute is in it, minutes that no hour tells are, and none is told twice."""
    clock.advance(-clock.now().timestamp() % 3_600)
    began = clock.now()
    first = await make_store()
    total = 0
    for _ in range(130):
        run(first, 10)
        total += 10
        await first.flush()
        assert await reviewed(first, began) == total
        clock.advance(60)
    run(first, 5)
    await first.flush()  # and here it is killed
    second = await make_store()
    run(second, 7)
    await second.flush()
    assert await reviewed(second, began) == 1_312
    # Hours that begin before the stretch are told by their minutes.
    assert await reviewed(second, began + timedelta(minutes=31)) == 1_002
    assert await reviewed(second, clock.now() - timedelta(minutes=3)) == 42


@pytest.mark.parametrize("place", DATABASES, indirect=True)
async def test_a_week_has_the_hours_of_processes_that_are_gone(make_store: MakeStore, clock: FakeClock) -> None:
    began = clock.now()
    first = await make_store()
    for _ in range(3):
        run(first, 10)
        clock.advance(60)
    run(first, 5)
    await first.flush()  # and here it is killed
    second = await make_store()
    for _ in range(6):
        clock.advance(86_400)
        run(second, 1)
        await second.flush()
        clock.advance(61)
        await second.flush()
    assert await reviewed(second, began - timedelta(hours=1)) == 35 + 6
    assert count(await make_store()) == 35 + 6
    clock.advance(3 * 86_400)
    await second.flush()
    assert await reviewed(second, began - timedelta(hours=1)) < 35  # eight days are kept


@pytest.mark.parametrize("url", ["sqlite:///{folder}/m.db", "sqlite+aiosqlite:///{folder}/m.db"])
async def test_its_own_statements_are_not_counted(url: str, tmp_path: Path, clock: FakeClock) -> None:
    from steinmetz.monitor import QueryMonitor

    address = url.format(folder=tmp_path)
    engine: Any = create_async_engine(address) if "aio" in url else create_engine(address)
    store = SharedStore(clock, DatabaseShelf(engine, owned=True))
    monitor = QueryMonitor(clock, store=store)
    monitor.attach(hook(engine))
    run(store)
    await store.refresh()
    assert monitor.query_stats()["totalQueries"] == 1
    await store.aclose()


async def test_a_database_that_cannot_be_written_to_leaves_all_in_memory(tmp_path: Path, clock: FakeClock) -> None:
    store = SharedStore(clock, DatabaseShelf(create_engine(f"sqlite:///{tmp_path}/no/such/folder/m.db")))
    await store.start()
    run(store, 3)
    await store.aclose()
    assert count(store) == 3


async def test_a_database_without_an_upsert_of_its_own_keeps_the_same(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/m.db")
    monkeypatch.setattr(engine.dialect, "name", "unheard of")
    store = SharedStore(clock, DatabaseShelf(engine))
    for _ in range(3):
        run(store, 2)
        assert await store.flush()
        clock.advance(60)
    await store.aclose()
    with engine.connect() as connection:
        rows = connection.execute(
            statistics.select().where(statistics.c.span == 1).order_by(statistics.c.start)
        ).all()
    assert [row.count for row in rows] == [2, 2, 2]


KILLED = """
import os, signal, sys, time
from sqlalchemy import create_engine
from steinmetz.clock import SystemClock
from steinmetz.monitor.stores.database import DatabaseShelf
from steinmetz.monitor.stores.shared import SharedStore

store = SharedStore(SystemClock(), DatabaseShelf(create_engine(sys.argv[1])))
store.start_thread()
meter = store.meter("f", "select f", "SELECT f")
while True:
    meter.add(3_000_000)
    print(time.time(), flush=True)
    time.sleep(0.005)
"""


def test_kill_9_loses_at_most_a_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/m.db"
    process = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    moments: list[float] = []
    while not moments or moments[-1] - moments[0] < 1.5:
        moments.append(float(process.stdout.readline()))
    os.kill(process.pid, signal.SIGKILL)
    moments += map(float, process.stdout.read().split())
    process.wait()
    process.stdout.close()
    with create_engine(url).connect() as connection:
        kept = connection.scalar(text("SELECT sum(count) FROM monitor_statistics WHERE span = 1"))
    assert kept is not None
    assert moments[-1] - moments[kept - 1] <= 1.0
    assert kept <= len(moments)
