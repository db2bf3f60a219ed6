"""When the chores last ran, and whose turn it is."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import ChoreRun

__all__ = [
    "ChoreRun",
    "chore_done",
    "chore_failed",
    "chore_runs",
    "claim_chore",
]


async def chore_runs(unit: Unit) -> dict[str, ChoreRun]:
    """The last run of every chore that has ever run, by name."""
    return {run.name: run for run in await repository.chore_runs(unit.session)}


async def claim_chore(unit: Unit, name: str) -> tuple[bool, ChoreRun | None]:
    """Whether this unit may run the chore now, which no other process does meanwhile; and its last run."""
    if not await repository.claim_chore(unit.session, name):
        return False, None
    return True, await repository.chore_run(unit.session, name)


def chore_done(unit: Unit, run: ChoreRun | None, name: str, now: datetime, duration_ms: int, changed: int) -> None:
    """Note a success, in the unit that did the work: both stand, or neither."""
    run = run or _first_run(unit, name, now)
    run.tried_at = run.done_at = now
    run.duration_ms, run.changed, run.failures, run.error = duration_ms, changed, 0, ""


async def chore_failed(unit: Unit, name: str, now: datetime, duration_ms: int, error: str) -> None:
    """Note a failure, after the unit that should have done the work was rolled back."""
    run = await repository.chore_run(unit.session, name) or _first_run(unit, name, now)
    run.tried_at, run.duration_ms, run.error = now, duration_ms, error[:300]
    run.failures = (run.failures or 0) + 1


def _first_run(unit: Unit, name: str, now: datetime) -> ChoreRun:
    run = ChoreRun(name=name, tried_at=now)
    unit.session.add(run)
    return run
