"""What has ended is deleted when its days are over, in slices; everything else stays. On both engines."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from steinmetz.clock import FakeClock
from steinmetz.erp import retention
from steinmetz.erp.chores import RETENTIONS, chores
from steinmetz.erp.db import Database
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.auth.models import Session, SessionRevocation, User
from steinmetz.erp.modules.batch.models import BatchItem, BatchJob
from steinmetz.erp.modules.batch.rules import JobStatus
from steinmetz.erp.modules.system.models import AuditEntry, RetentionTerm, SignInEntry
from steinmetz.erp.modules.system.rules import Outcome
from steinmetz.erp.scheduler import Scheduler
from steinmetz.erp.settings import Settings, load_settings

pytestmark = pytest.mark.anyio

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
"""By every clock: the triggers go by that of the machine."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, sqlite_migrated: Path, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}"
    shutil.copy(sqlite_migrated, tmp_path / "company.sqlite3")
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    opened = Database(url, clock=clock)
    async with opened.unit() as unit:
        unit.session.add(User(id=1, email="a@example.com", name="A", role=Role.CLERK, created_at=unit.now))
    yield opened
    await opened.close()


async def add(database: Database, *rows: Any) -> None:
    async with database.unit() as unit:
        unit.session.add_all(rows)


async def run(database: Database, settings: Settings | None = None) -> dict[str, int]:
    """Every retention once; how many records each has deleted."""
    names = {f"retention of {each.name}" for each in RETENTIONS}
    scheduler = Scheduler(
        database,
        database.clock,
        [chore for chore in chores(settings or load_settings()) if chore.name in names],
    )
    await scheduler.run_due(database.clock.now())
    assert all(outcome.failures == 0 for outcome in scheduler.outcomes.values()), scheduler.outcomes
    return {
        name.removeprefix("retention of "): outcome.changed
        for name, outcome in scheduler.outcomes.items()
        if outcome.changed
    }


async def ids(database: Database, column: Any) -> list[Any]:
    async with database.unit(writes=False) as unit:
        return list(await unit.session.scalars(select(column).order_by(column)))


def sign_in(id_: str, ended_days_ago: float, now: datetime) -> Session:
    ended = now - timedelta(days=ended_days_ago)
    return Session(id=id_, user_id=1, rotated_at=LONG_AGO, created_at=LONG_AGO, expires_at=ended)


async def test_sign_ins_go_when_they_have_ended_for_thirty_days(database: Database, clock: FakeClock) -> None:
    now = clock.now()
    await add(database, *(sign_in(str(days), days, now) for days in (-5, 0, 29, 31, 400)))
    assert await run(database) == {"sign-ins that have ended": 2}
    assert await ids(database, Session.id) == ["-5", "0", "29"]


async def test_a_revocation_stays_as_long_as_its_sign_in_could_be_renewed(
    database: Database, clock: FakeClock
) -> None:
    now = clock.now()
    await add(database, sign_in("renewable", -1, now), sign_in("ended", 1, now))
    await add(
        database,
        *(
            SessionRevocation(session_id=id_, user_id=1, revoked_at=now - timedelta(days=days), reason="")
            for id_, days in (("renewable", 300), ("ended", 31), ("gone", 31), ("young", 29))
        ),
    )
    assert await run(database) == {"revocations": 2}
    assert await ids(database, SessionRevocation.session_id) == ["renewable", "young"]


async def test_jobs_go_with_their_items_when_they_have_ended(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 3)
    now = clock.now()

    def job(id_: int, status: JobStatus, days: int | None) -> BatchJob:
        ended = now - timedelta(days=days) if days is not None else None
        return BatchJob(id=id_, kind="import", status=status, created_at=LONG_AGO, finished_at=ended)

    await add(
        database,
        job(1, JobStatus.DONE, 91),
        job(2, JobStatus.FAILED, 91),
        job(3, JobStatus.CANCELLED, 91),
        job(4, JobStatus.DONE, 89),
        job(5, JobStatus.RUNNING, None),
        job(6, JobStatus.QUEUED, None),
    )
    await add(database, *(BatchItem(job_id=1 + number % 6, position=number) for number in range(24)))
    assert await run(database) == {"finished batch jobs": 3 + 12}
    assert await ids(database, BatchJob.id) == [4, 5, 6]
    assert set(await ids(database, BatchItem.job_id)) == {4, 5, 6}


async def test_the_logs_go_by_their_terms_and_say_so(database: Database, clock: FakeClock) -> None:
    now = clock.now()
    rows = [LONG_AGO, LONG_AGO, now - timedelta(days=3_649), now]
    entries = [AuditEntry(at=at, action="a", entity="e", entity_id=str(n)) for n, at in enumerate(rows)]
    await add(database, *entries)
    await add(database, *(SignInEntry(at=at, outcome=Outcome.REFUSED) for at in rows))
    assert await run(database) == {"audit entries": 2, "sign-in entries": 3}
    async with database.unit(writes=False) as unit:
        kept = await unit.session.scalars(select(AuditEntry.entity_id).where(AuditEntry.entity == "e"))
        assert sorted(kept) == ["2", "3"]
        assert await unit.session.scalar(select(func.count()).select_from(SignInEntry)) == 1
        said = await unit.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "retention.delete").order_by(AuditEntry.entity_id)
        )
        assert [(entry.entity_id, entry.after) for entry in said] == [
            ("audit entries", {"deleted": 2}),
            ("sign-in entries", {"deleted": 3}),
        ]


async def test_another_term_reaches_the_triggers_and_is_audited(database: Database, clock: FakeClock) -> None:
    aged = clock.now() - timedelta(days=3_000)
    await add(database, AuditEntry(at=aged, action="a", entity="e", entity_id="1"))
    assert await run(database, load_settings(retention_audit_days=30)) == {"audit entries": 1}
    async with database.unit(writes=False) as unit:
        term = await unit.session.get(RetentionTerm, "audit")
        assert term is not None
        assert term.days == 30
        change = await unit.session.scalar(select(AuditEntry).where(AuditEntry.action == "retention.change"))
        assert change is not None
        assert (change.entity_id, change.before, change.after) == ("audit", {"days": 3650}, {"days": 30})


async def test_zero_days_keep_everything_for_ever(database: Database, clock: FakeClock) -> None:
    names = {each.setting: 0 for each in RETENTIONS}
    await add(database, sign_in("old", 4_000, clock.now()))
    await add(database, AuditEntry(at=LONG_AGO, action="a", entity="e", entity_id="1"))
    assert await run(database, load_settings(**names)) == {}
    assert await ids(database, Session.id) == ["old"]


async def test_a_thousand_and_more_are_deleted_in_slices(database: Database, clock: FakeClock) -> None:
    now = clock.now()
    await add(database, *(sign_in(f"{number:05}", 31, now) for number in range(2_001)))
    writes: list[int] = []
    publisher = database.unit

    def counted(**options: Any) -> Any:
        writes.append(bool(options.get("writes", True)))
        return publisher(**options)

    database.unit = counted  # type: ignore[method-assign]
    assert await run(database) == {"sign-ins that have ended": 2_001}
    assert sum(writes) == len(RETENTIONS) + 2


def test_no_business_document_has_a_retention() -> None:
    kept = {"invoice", "payment", "journal", "customer", "account", "employee"}
    assert not [each.name for each in RETENTIONS if any(word in each.name for word in kept)]
    assert len({each.name for each in RETENTIONS}) == len(RETENTIONS)
