"""The ERP without the five indexes that its schema recommends: its own workload asks for them again."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from benchmarks.advisor_company import RECOMMENDED, covering
from benchmarks.harness.office import workload_of_a_day
from steinmetz.clock import FakeClock
from steinmetz.erp import migrations
from steinmetz.erp import seed as company
from steinmetz.erp.db import make_engine
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.seed import Scale
from steinmetz.erp.settings import Settings, load_settings
from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.advisor import advise_on

SCALE = Scale("office", employees=120, customers=150, invoices=1_500, time_entries=15_000, jobs=10, areas=1)
USERS = 212
"""As many as a company of scale ``large`` has; fewer are not worth an index."""
REQUESTS = 250


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A seeded company whose schema lacks what it recommends."""
    folder = tmp_path_factory.mktemp("office")
    settings = load_settings(
        data_dir=folder, argon2_memory_kib=8, argon2_time_cost=1, cache=False, live=False, access_log=False,
        log_level="error", rate_limit_address="off", rate_limit_user="off",
        jwt_secret="mZ0u1yqk3Rr9Xo2VtL5wC8bN4sJ7eG6h",
    )  # fmt: skip
    migrations.upgrade(settings.database_address)
    company.seed(
        settings.database_address,
        scale=SCALE,
        today=date(2026, 3, 2),
        password_hasher=PasswordHasher(settings).hash_now,
    )
    connection = sqlite3.connect(folder / "steinmetz.db")
    (there,) = connection.execute("SELECT count(*) FROM users").fetchone()
    connection.execute(
        "INSERT INTO users (email, name, role, locale, is_active, auth_version, created_at, version)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT 'kunde' || i || '@example.com', 'Kunde ' || i, 'clerk', 'de', 0, 1, '2026-01-01 00:00:00', 1"
        " FROM n",
        (USERS - there,),
    )
    for name in RECOMMENDED.values():
        connection.execute(f"DROP INDEX {name}")
    connection.commit()
    connection.close()
    return settings


@pytest.fixture(scope="module")
def advice(settings: Settings) -> Advice:
    async def ask() -> Advice:
        workload = await workload_of_a_day(settings, requests=REQUESTS, clock=FakeClock())
        engine = make_engine(settings.database_address, pool_size=1)
        try:
            return await advise_on(engine, workload, verify=True)
        finally:
            await engine.dispose()

    return asyncio.run(ask())


@pytest.mark.parametrize("wanted", RECOMMENDED)
def test_a_recommended_index_is_found_again_and_proven(advice: Advice, wanted: str) -> None:
    ours = covering(advice, wanted)
    assert ours, f"{wanted} is not among {[index.definition() for index in advice.indexes]}"
    (creation,) = (each for each in advice.create if each.index.definition() == ours)
    gains = [effect.gain for effect in creation.helps]
    assert any(gain.verified is not None and gain.verified > 2 for gain in gains)
    assert all(gain.worst is None or gain.worst > 0.9 for gain in gains)


def test_nobody_is_harmed_and_no_key_is_dropped(advice: Advice) -> None:
    assert advice.is_verified
    assert len(advice.create) <= 12
    kept = {"uq_", "sqlite_autoindex", "ix_sessions_user_id", "ix_payments_invoice_id"}
    assert not [each for each in advice.drop if any(each.index.shown_name.startswith(name) for name in kept)]


def test_the_advice_can_be_followed(settings: Settings, advice: Advice, tmp_path: Path) -> None:
    shutil.copy(settings.data_dir / "steinmetz.db", tmp_path / "copy.db")
    with sqlite3.connect(tmp_path / "copy.db") as connection:
        for creation in advice.create:
            connection.execute(creation.ddl)
        for removal in advice.drop:
            connection.execute(removal.ddl)
