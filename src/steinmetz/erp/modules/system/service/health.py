"""What the process needs, and how it stands."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.erp import migrations
from steinmetz.erp.db import Database
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.schemas import MaintenanceView
from steinmetz.erp.modules.system.service import maintenance

READY_WITHIN_S = 3
LOW_DISK_BYTES = 500_000_000


async def readiness(
    database: Database, data_dir: Path, probes: Mapping[str, Callable[[], str]], cluster: Cluster | None
) -> dict[str, str]:
    """What the process needs and how it stands, each ``ok`` or what is to be said of it; see `faults`.

    ``probes`` are the process's own workers: each says ``ok`` or what is wrong with it, without waiting.
    """
    checks = await _database_checks(database)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            checks["disk"] = await asyncio.to_thread(_disk, data_dir)
    except TimeoutError:
        checks["disk"] = f"warning: no answer within {READY_WITHIN_S} s"
    checks.update({name: probe() for name, probe in probes.items()})
    if cluster is None:
        checks["redis"] = "not used"
    elif cluster.state()["reachable"]:
        checks["redis"] = "ok"
    else:
        checks["redis"] = "warning: does not answer; cached answers are by-passed"
    return checks


def faults(checks: Mapping[str, str], probes: Collection[str]) -> list[str]:
    """The checks without which the process cannot work, and that have failed; a warning is no failure."""
    needed = ("database", "migrations", *probes)
    return [
        f"{name}: {checks[name]}"
        for name in needed
        if checks[name] != "ok" and not checks[name].startswith("warning")
    ]


def _disk(folder: Path) -> str:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"warning: {error.strerror or 'cannot be asked'}"
    return "ok" if free >= LOW_DISK_BYTES else f"warning: only {free // 1_000_000} MB are free"


async def _database_checks(database: Database) -> dict[str, str]:
    unknown = {"migrations": "unknown", "maintenance": "unknown"}
    try:
        # Reading only: on SQLite a probe must not queue for the pen with those who write.
        async with asyncio.timeout(READY_WITHIN_S), database.unit(writes=False) as unit:
            connection = await unit.session.connection()
            await repository.ask(connection)
            revision = await repository.revision(connection)
            if revision != migrations.head():
                wanted = f"at {revision or 'nothing'}, needs {migrations.head()}: run `steinmetz migrate`"
                return {"database": "ok", "migrations": wanted, "maintenance": "unknown"}
            state = await maintenance.maintenance(unit)
    except TimeoutError:
        return {"database": f"no answer within {READY_WITHIN_S} s", **unknown}
    except Exception as error:  # whatever the driver raises, the database is not ready
        return {"database": f"not reachable ({type(error).__name__})", **unknown}
    return {"database": "ok", "migrations": "ok", "maintenance": _maintenance_told(state)}


def _maintenance_told(state: MaintenanceView) -> str:
    if not state.enabled:
        return "off"
    return f"on until {state.until:%Y-%m-%dT%H:%M:%SZ}" if state.until is not None else "on"
