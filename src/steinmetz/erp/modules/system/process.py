"""What the process that answers is made of and how it is: GET /api/system/process."""

from __future__ import annotations

import os
import platform
import threading
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy import text

import steinmetz
from steinmetz.erp import migrations
from steinmetz.erp.db import Unit
from steinmetz.erp.dependencies import Reading
from steinmetz.erp.kit.answers import Answer
from steinmetz.erp.kit.schemas import Schema
from steinmetz.erp.modules.system.build import commit
from steinmetz.erp.modules.system.diagnostics import OPERATORS
from steinmetz.erp.settings_listing import listing
from steinmetz.erp.state import AppState, state_of
from steinmetz.monitor import QueryMonitor, reports
from steinmetz.monitor.monitor import LOOP_LAG, POOL_WAIT

router = APIRouter(tags=["operations"], dependencies=OPERATORS)

WAITS_WINDOW_S = 300.0
SQLITE_SIZE = "SELECT page_count * page_size FROM pragma_page_count CROSS JOIN pragma_page_size"
PACKAGES = ("fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "aiosqlite", "asyncpg", "redis")


class WaitView(Schema):
    """Milliseconds, of the last five minutes."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


class MemoryView(Schema):
    resident_bytes: int | None
    peak_bytes: int | None
    """Both null where the system does not tell."""


class PoolView(Schema):
    database: str
    in_use: int
    size: int


class DatabaseView(Schema):
    engine: str
    """``sqlite`` or ``postgresql``."""
    version: str
    size_bytes: int | None
    schema_revision: str
    pools: list[PoolView]
    wait: WaitView | None
    """For a connection of the pool; null: nobody has asked for one, or the monitor is off."""


class RedisView(Schema):
    is_reachable: bool
    node: str | None
    """What the cache is called among the servers that share it."""
    others_told: int
    breaker_opened: int


class RequestsView(Schema):
    in_flight: int
    total: int
    by_class: dict[str, int]
    """``2xx``, ``4xx``, ... since the start."""
    limited: int


class SettingView(Schema):
    variable: str
    value: str | int | float | bool | None
    """Of secrets only that there is one."""
    source: Annotated[str, Field(description="`environment` or `default`")]


class ProcessView(Schema):
    pid: int
    host: str
    started_at: datetime
    uptime_s: int
    workers: int
    threads: int
    cpus: int
    cpu_s: float
    memory: MemoryView
    loop_lag: WaitView | None
    requests: RequestsView
    database: DatabaseView
    redis: RedisView | None
    """Null: none is used."""
    release: str
    commit: str | None
    python: str
    platform: str
    packages: dict[str, str]
    settings: list[SettingView]


@router.get("/api/system/process", response_model=Answer[ProcessView])
async def process(request: Request, unit: Reading) -> Any:
    """The process that answers: memory, threads, loop lag, database, Redis, versions, and its settings without any
    secret.
    """
    state = state_of(request)
    database = await _database(state, unit)
    used = os.times()
    return {
        "success": True,
        "data": ProcessView(
            pid=os.getpid(),
            host=platform.node(),
            started_at=state.started_at,
            uptime_s=int((state.clock.now() - state.started_at).total_seconds()),
            workers=state.settings.workers,
            threads=threading.active_count(),
            cpus=os.cpu_count() or 1,
            cpu_s=round(used.user + used.system, 1),
            memory=_memory(),
            loop_lag=_wait(state.monitor, LOOP_LAG),
            requests=_requests(state),
            database=database,
            redis=_redis(state),
            release=steinmetz.__version__,
            commit=commit(state.settings.commit),
            python=platform.python_version(),
            platform=platform.platform(terse=True),
            packages=dict(_packages()),
            settings=[
                SettingView(variable=row["variable"], value=row["value"], source=row["from"])
                for row in _plain(listing(state.settings))
            ],
        ),
    }


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Values that JSON has; what has members is told as text."""
    return [
        row if isinstance(row["value"], str | int | float | bool | None) else {**row, "value": str(row["value"])}
        for row in rows
    ]


def _memory() -> MemoryView:
    told: dict[str, int] = {}
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                told[name] = int(rest.split()[0]) * 1024
    except (OSError, ValueError):
        pass
    return MemoryView(resident_bytes=told.get("VmRSS"), peak_bytes=told.get("VmHWM"))


def _wait(monitor: QueryMonitor | None, name: str) -> WaitView | None:
    found = monitor.waits(WAITS_WINDOW_S).get(name) if monitor is not None and monitor.enabled else None
    if found is None:
        return None
    one = found.statistics
    p50, p95, p99 = (reports.ms(one.quantile(q)) for q in (0.5, 0.95, 0.99))
    return WaitView(count=one.count, p50=p50, p95=p95, p99=p99, max=reports.ms(one.max_ns))


def _requests(state: AppState) -> RequestsView:
    by_class: dict[str, int] = {}
    for (_, status_class), count in state.traffic.requests.items():
        by_class[status_class] = by_class.get(status_class, 0) + count
    return RequestsView(
        in_flight=state.traffic.in_flight,
        total=sum(by_class.values()),
        by_class=dict(sorted(by_class.items())),
        limited=sum(state.rates.refused.values()),
    )


def _redis(state: AppState) -> RedisView | None:
    cluster = state.cache.cluster if state.cache is not None else None
    if cluster is None:
        return None
    told = cluster.state()
    return RedisView(
        is_reachable=bool(told["reachable"]),
        node=told.get("node"),
        others_told=int(told.get("told", 0)),
        breaker_opened=int(told.get("breakerOpened", 0)),
    )


async def _database(state: AppState, unit: Unit) -> DatabaseView:
    is_sqlite = state.database.is_sqlite
    version_, size = (
        ("SELECT sqlite_version()", SQLITE_SIZE)
        if is_sqlite
        else ("SHOW server_version", "SELECT pg_database_size(current_database())")
    )
    engines = state.monitor.engines() if state.monitor is not None else []
    return DatabaseView(
        engine=state.database.engine.dialect.name,
        version=str(await unit.session.scalar(text(version_))),
        size_bytes=await unit.session.scalar(text(size)),
        schema_revision=migrations.head(),
        pools=[pool for name, engine in engines if (pool := _pool(name, engine.pool)) is not None],
        wait=_wait(state.monitor, POOL_WAIT),
    )


def _pool(database: str, pool: Any) -> PoolView | None:
    """None for a pool that has no bound."""
    try:
        return PoolView(database=database, in_use=pool.checkedout(), size=pool.size())
    except AttributeError:
        return None


def _packages() -> list[tuple[str, str]]:
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
