"""The logs can only grow, whoever asks the database in whatever way; what is older than its term may go."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from steinmetz.erp import migrations
from steinmetz.erp.db import Database
from steinmetz.erp.migrations.transaction import in_transaction
from steinmetz.erp.modules.system import service
from steinmetz.sql.engine import hook

pytestmark = pytest.mark.anyio

AUDIT = (
    "INSERT INTO audit_entries (id, at, actor_name, action, entity, entity_id, summary, request_id)"
    " VALUES ({id}, '{at}', 'A', 'a', 'e', '1', '', '')"
)
SIGN_IN = (
    "INSERT INTO sign_in_entries (id, at, user_name, outcome, detail, address, user_agent, request_id)"
    " VALUES ({id}, '{at}', 'A', 'refused', '', '', '', '')"
)
MERGE = (
    "MERGE INTO {log} USING (VALUES (1)) AS other (id) ON {log}.id = other.id"
    " WHEN MATCHED THEN UPDATE SET request_id = 'x'"
)
OLD, NEW = "2001-01-01 00:00:00", "2026-03-02 09:00:00"
USER = (
    "INSERT INTO users (id, email, name, role, locale, is_active, auth_version, created_at, version)"
    f" VALUES (7, 'a@example.com', 'A', 'clerk', 'de', true, 1, '{NEW}', 1)"
)
LOGS = {"audit_entries": AUDIT, "sign_in_entries": SIGN_IN}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, sqlite_migrated: Path, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("fresh_postgres_url"))
    shutil.copy(sqlite_migrated, tmp_path / "steinmetz.db")
    return f"sqlite+aiosqlite:///{tmp_path}/steinmetz.db"


def ask(url: str, statement: str) -> Any:
    def run(connection: Connection) -> Any:
        result = connection.execute(text(statement))
        return result.all() if result.returns_rows else result.rowcount

    return in_transaction(url, run)


def refused(url: str, statement: str) -> bool:
    try:
        ask(url, statement)
    except DBAPIError as error:
        return "can only grow" in str(error)
    return False


@pytest.mark.parametrize("log", LOGS)
def test_no_statement_changes_or_removes_a_young_entry(url: str, log: str) -> None:
    # Younger than its term by every clock: the year is far ahead.
    ask(url, LOGS[log].format(id=1, at="2999-01-01 00:00:00"))
    ask(url, LOGS[log].format(id=2, at=OLD))
    before = ask(url, f"SELECT * FROM {log} ORDER BY id")
    attempts = [
        f"UPDATE {log} SET request_id = 'x' WHERE id = 1",
        f"UPDATE {log} SET at = '{OLD}'",
        f"DELETE FROM {log} WHERE id = 1",
        f"DELETE FROM {log}",
    ]
    if url.startswith("sqlite"):
        attempts += [
            LOGS[log].format(id=1, at=OLD).replace("INSERT", "INSERT OR REPLACE"),
            LOGS[log].format(id=1, at=OLD).replace("INSERT", "REPLACE"),
            f"UPDATE OR REPLACE {log} SET id = 1 WHERE id = 2",
            LOGS[log].format(id=1, at=OLD) + " ON CONFLICT (id) DO UPDATE SET request_id = 'x'",
        ]
    else:
        attempts += [
            f"TRUNCATE {log}",
            f"TRUNCATE {log} CASCADE",
            LOGS[log].format(id=1, at=OLD) + " ON CONFLICT (id) DO UPDATE SET request_id = 'x'",
            f"WITH gone AS (DELETE FROM {log} WHERE id = 1 RETURNING id) SELECT count(*) FROM gone",
            MERGE.format(log=log),
        ]
    for attempt in attempts:
        assert refused(url, attempt), attempt
    assert ask(url, f"SELECT * FROM {log} ORDER BY id") == before


@pytest.mark.parametrize(("log", "term"), [("audit_entries", "audit"), ("sign_in_entries", "sign-ins")])
def test_an_entry_older_than_its_term_may_be_deleted_but_never_changed(url: str, log: str, term: str) -> None:
    ask(url, LOGS[log].format(id=1, at=OLD))
    assert refused(url, f"UPDATE {log} SET request_id = 'x'")
    for days in (0, 36_500):
        ask(url, f"UPDATE retention_terms SET days = {days} WHERE name = '{term}'")
        assert refused(url, f"DELETE FROM {log}"), f"{days} days"
    ask(url, f"DELETE FROM retention_terms WHERE name = '{term}'")
    assert refused(url, f"DELETE FROM {log}"), "without a term"
    ask(url, f"INSERT INTO retention_terms (name, days) VALUES ('{term}', 3650)")
    assert ask(url, f"DELETE FROM {log}") == 1


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_entries_from_before_are_kept_by_the_migration(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if engine == "postgresql":
        url = str(request.getfixturevalue("empty_postgres_url"))
    else:
        url = f"sqlite+aiosqlite:///{tmp_path}/steinmetz.db"

    def upgrade_to(revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
        config.set_main_option("path_separator", "os")

        def run(connection: Connection) -> None:
            config.attributes.update(connection=connection, progress=None)
            command.upgrade(config, revision)

        in_transaction(url, run)

    upgrade_to("0006")
    ask(url, USER)
    ask(url, AUDIT.format(id=1, at=NEW).replace("(id,", "(actor_id, id,").replace("(1,", "(7, 1,"))
    before = ask(url, "SELECT id, at, actor_id, action FROM audit_entries")
    upgrade_to("0007")
    assert ask(url, "SELECT id, at, actor_id, action FROM audit_entries") == before
    assert ask(url, "SELECT name, days FROM retention_terms ORDER BY 1") == [("audit", 3650), ("sign-ins", 180)]
    assert refused(url, "UPDATE audit_entries SET action = 'x'")


def test_a_user_who_has_acted_cannot_be_deleted(url: str) -> None:
    ask(url, USER)
    ask(url, AUDIT.format(id=1, at=NEW).replace("(id,", "(actor_id, id,").replace("(1,", "(7, 1,"))
    with pytest.raises(DBAPIError):
        in_transaction(url, with_foreign_keys("DELETE FROM users WHERE id = 7"))


def with_foreign_keys(statement: str) -> Callable[[Connection], Any]:
    def run(connection: Connection) -> Any:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        return connection.execute(text(statement))

    return run


async def test_what_an_audited_transaction_writes_is_known_to_the_table(url: str) -> None:
    """The triggers are no reason to doubt: else every write would drop every kept answer."""
    database = Database(url)
    known = hook(database.engine, database="main")
    seen: list[Any] = []

    class Observer:
        def mark(self, writes: Any) -> object:
            seen.append(writes)
            return None

        def bump(self, token: object) -> None: ...
        def unmark(self, token: object) -> None: ...

    await known.prime()
    known.observe_transactions(Observer())
    async with database.unit() as unit:
        service.audit.record(unit, "invoice.pay", "invoice", 1)
    async with database.unit() as unit:
        service.sign_ins.record_sign_in(unit, service.sign_ins.Outcome.REFUSED, None, "", "", "", "")
    async with database.unit() as unit:
        await unit.session.execute(text("DELETE FROM audit_entries WHERE id = 0"))
    await database.close()
    assert [{relation.name for relation in writes.relations} for writes in seen] == [
        {"audit_entries"},
        {"sign_in_entries"},
        {"audit_entries"},
    ]
    assert not any(writes.unknown for writes in seen)


async def test_missing_or_disabled_triggers_are_named(url: str) -> None:
    database = Database(url)
    async with database.unit(writes=False) as unit:
        assert await service.retention.missing_guards(unit) == []
    if database.is_sqlite:
        ask(url, "DROP TRIGGER audit_entries_no_delete")
        gone = "audit_entries_no_delete"
    else:
        ask(url, "ALTER TABLE sign_in_entries DISABLE TRIGGER sign_in_entries_append_only")
        gone = "sign_in_entries_append_only"
    async with database.unit(writes=False) as unit:
        assert await service.retention.missing_guards(unit) == [gone]
    await database.close()
