"""The cells of the run: which processes over which database, what is done to them, and what is judged."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.stale.clients import Client, InProcess, Notes, OverHttp, Truth, run, truth
from benchmarks.stale.cluster import why_not
from benchmarks.stale.histories import LINEARIZABLE, SESSION, Fault, Level, Verdict, Write, judge, lost
from benchmarks.stale.servers import Deaths, Redis, keep_killing, servers
from benchmarks.stale.shop import Shop, fill, made_engine
from steinmetz.clock import SystemClock

CLIENTS = 24
WRITE_SHARE = 0.012
CANCEL_SHARE = 0.01
PAUSE_CHANCE = 0.2
PROCESSES = 3
LEASE_S = 2.0
"""Shorter than by default: what a killed writer had announced gives no hits for so long."""
REDIS_LEASE_S = 5.0
POINTS = ("committed", "marked")


@dataclass(frozen=True, slots=True)
class Cell:
    """``share`` of the run's million operations, in thousands. ``levels``: what must hold at every read."""

    name: str
    database: str
    share: int
    processes: int = 1
    redis: bool = False
    consistency: str = "strong"
    levels: tuple[Level, ...] = (LINEARIZABLE, SESSION)
    kills: bool = False

    @property
    def lease_s(self) -> float:
        return REDIS_LEASE_S if self.redis else LEASE_S


CELLS = (
    Cell("1 process, SQLite", "sqlite", 450),
    Cell("1 process, PostgreSQL", "postgresql", 130),
    Cell("3 processes, SQLite, doorbell", "sqlite", 60, PROCESSES),
    Cell("3 processes, PostgreSQL, doorbell", "postgresql", 60, PROCESSES),
    Cell("3 processes, SQLite, doorbell, writers killed", "sqlite", 50, PROCESSES, kills=True),
    Cell("3 processes, PostgreSQL, doorbell, writers killed", "postgresql", 50, PROCESSES, kills=True),
    Cell("3 processes, PostgreSQL, Redis strong", "postgresql", 50, PROCESSES, redis=True),
    Cell("3 processes, SQLite, Redis strong, writers killed", "sqlite", 50, PROCESSES, redis=True, kills=True),
    Cell(
        "3 processes, PostgreSQL, Redis session, writers killed", "postgresql", 100, PROCESSES,
        redis=True, consistency="session", levels=(SESSION,), kills=True,
    ),
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What became of one cell. ``after_kill_s``: the oldest past shown after a writer's death, if any died."""

    cell: Cell
    notes: Notes
    verdicts: dict[str, Verdict]
    others: Verdict
    seconds: float
    deaths: int = 0
    after_kill_s: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def violations(self) -> int:
        return self.others.count() + sum(verdict.count() for verdict in self.verdicts.values())

    @property
    def hit_rate(self) -> float:
        return self.notes.hits / max(1, self.notes.answers)

    def count(self, *faults: Fault) -> int:
        return sum(verdict.count(*faults) for verdict in (self.others, *self.verdicts.values()))


def why_not_here(cell: Cell, postgres: str | None) -> str | None:
    """Why ``cell`` cannot run here, or None."""
    if cell.database == "postgresql" and postgres is None:
        return "no PostgreSQL"
    return why_not() if cell.redis else None


def play(cell: Cell, operations: int, *, postgres: str | None, cores: frozenset[int], seed: int) -> Outcome:
    """Run one cell from an empty database to its verdict. Raises `StartError` if a program does not start."""
    with tempfile.TemporaryDirectory(prefix="steinmetz-stale-") as made:
        folder = Path(made)
        with _database(cell, folder, postgres) as url:
            asyncio.run(_filled(url))
            if cell.processes == 1:
                return asyncio.run(_in_process(cell, url, operations, seed))
            return _over_http(cell, url, operations, folder, cores, seed)


@contextmanager
def _database(cell: Cell, folder: Path, postgres: str | None) -> Iterator[str]:
    if cell.database == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'shop.db'}"
        return
    assert postgres is not None
    name = f"stale_{Random(cell.name).getrandbits(32):x}"
    asyncio.run(_administer(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"))
    try:
        yield postgres.replace("/postgres?", f"/{name}?")
    finally:
        asyncio.run(_administer(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def _administer(url: str, *statements: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def _filled(url: str) -> None:
    engine = made_engine(url)
    await fill(engine)
    await engine.dispose()


async def _in_process(cell: Cell, url: str, operations: int, seed: int) -> Outcome:
    shop = Shop(url, seed=seed, chance=PAUSE_CHANCE)
    await shop.live.hook.prime()
    await shop.live.start()
    notes, door, clock = Notes(), InProcess(shop.app), SystemClock()
    started_s = clock.monotonic_s()
    await run(_clients(door, notes, seed), operations, notes=notes)
    seconds = clock.monotonic_s() - started_s
    await shop.live.stop()
    outcome = await _judged(cell, shop.engine, notes, seconds, Deaths())
    await shop.close()
    return outcome


def _over_http(cell: Cell, url: str, operations: int, folder: Path, cores: frozenset[int], seed: int) -> Outcome:
    options: list[str | Path] = ["--url", url, "--chance", str(PAUSE_CHANCE), "--consistency", cell.consistency]
    options += ["--lease", str(LEASE_S)]
    redis = Redis(folder, cores) if cell.redis else None
    try:
        options += ["--place", folder / "doorbells"] if redis is None else ["--redis", redis.url]
        with servers(options, cell.processes, folder, cores) as several:
            door = OverHttp([server.port for server in several], seed)
            deaths = Deaths()
            meanwhile: list[Coroutine[Any, Any, None]] = []
            if cell.kills:
                meanwhile.append(keep_killing(several, door, deaths, POINTS))
            if redis is not None:
                meanwhile.append(redis.keep_disturbing())
            return asyncio.run(_asked(cell, url, operations, door, meanwhile, deaths, seed))
    finally:
        if redis is not None:
            redis.stop()


async def _asked(
    cell: Cell,
    url: str,
    operations: int,
    door: OverHttp,
    meanwhile: Sequence[Coroutine[Any, Any, None]],
    deaths: Deaths,
    seed: int,
) -> Outcome:
    notes, clock = Notes(), SystemClock()
    started_s = clock.monotonic_s()
    disturbing = [asyncio.create_task(each) for each in meanwhile]
    await run(
        _clients(door, notes, seed),
        operations,
        notes=notes,
        enough=lambda: bool(deaths.at_s) or not cell.kills,
    )
    seconds = clock.monotonic_s() - started_s
    for task in disturbing:
        task.cancel()
    for ended in await asyncio.gather(*disturbing, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    door.close()
    engine = made_engine(url)
    try:
        return await _judged(cell, engine, notes, seconds, deaths)
    finally:
        await engine.dispose()


def _clients(door: InProcess | OverHttp, notes: Notes, seed: int) -> list[Client]:
    return [
        Client(number, door, notes, seed=seed, write_share=WRITE_SHARE, cancel_share=CANCEL_SHARE)
        for number in range(CLIENTS)
    ]


# -- the verdict


async def _judged(cell: Cell, engine: AsyncEngine, notes: Notes, seconds: float, deaths: Deaths) -> Outcome:
    known = await truth(engine, notes)
    verdicts = {level.name: judge(known.states, notes.reads, level) for level in cell.levels}
    others = Verdict(violations=[*notes.foreign, *lost(known.acknowledged, known.committed, seconds)])
    outcome = Outcome(cell, notes, verdicts, others, seconds, len(deaths.at_s))
    if deaths.at_s:
        outcome.after_kill_s = judge(_told_by_deaths(known, deaths), notes.reads).longest_s
    for verdict in (others, *verdicts.values()):
        outcome.examples += [str(violation) for violation in verdict.violations[:3]]
    return outcome


def _told_by_deaths(known: Truth, deaths: Deaths) -> list[Write]:
    """As if the death of a server had acknowledged what was written before it and never answered."""
    told = []
    for write in known.states:
        if write.answered_s == inf:
            told_s = next((death_s for death_s in deaths.at_s if death_s > write.sent_s), inf)
            write = replace(write, answered_s=told_s)
        told.append(write)
    return told
