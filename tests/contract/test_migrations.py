"""The migrated schema is what the models say, on both engines, and the search index follows the catalogue."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from steinmetz.erp import migrations
from steinmetz.erp.migrations.schema import is_of_the_models, schema
from steinmetz.erp.migrations.transaction import in_transaction

VERSIONS = Path(migrations.__file__).parent / "versions"

RECOMMENDED = {
    ("users", ("email",), True),
    ("invoices", ("status",), False),
    ("employees", ("department_id",), False),
    ("time_entries", ("employee_id", "date"), False),
    ("transactions", ("account_id", "date"), False),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/steinmetz.sqlite3"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def url(empty_url: str) -> str:
    migrations.upgrade(empty_url)
    return empty_url


def ask(url: str, question: Callable[[Connection], Any]) -> Any:
    return in_transaction(url, question)


def do(url: str, *statements: str) -> None:
    in_transaction(url, lambda connection: [connection.execute(text(statement)) for statement in statements])


def test_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory(str(VERSIONS.parent))

    assert scripts.get_heads() == [migrations.head()]


def test_the_migrated_schema_is_what_the_models_say(url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"include_object": is_of_the_models, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), schema())

    assert ask(url, differences) == []


def test_every_check_of_the_models_is_in_the_migrated_schema(url: str) -> None:
    def checks(connection: Connection) -> set[tuple[str, str]]:
        inspector = inspect(connection)
        return {
            (table, str(check["name"]))
            for table in schema().tables
            for check in inspector.get_check_constraints(table)
        }

    wanted = {
        (table.name, str(check.name))
        for table in schema().tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    assert ask(url, checks) == wanted


def test_the_recommended_indexes_exist(url: str) -> None:
    def indexes(connection: Connection) -> set[tuple[str, tuple[str | None, ...], bool]]:
        inspector = inspect(connection)
        return {
            (table, tuple(index["column_names"]), bool(index["unique"]))
            for table in schema().tables
            for index in inspector.get_indexes(table)
        }

    found = ask(url, indexes)
    for table, columns, is_unique in RECOMMENDED:
        # A longer one serves as well what asks by the first columns; it cannot be unique in their place.
        longer = {name[: len(columns)] for of, name, unique in found if of == table and not unique}
        assert (table, columns, is_unique) in found or (not is_unique and columns in longer), (table, columns)


def test_an_unmigrated_database_has_no_revision(empty_url: str) -> None:
    assert ask(empty_url, migrations.current) is None


def test_an_upgrade_reports_its_steps_and_a_second_one_has_none(empty_url: str) -> None:
    steps: list[tuple[str, int, int]] = []

    migrations.upgrade(empty_url, lambda *step: steps.append(step))
    migrations.upgrade(empty_url, lambda *step: steps.append(step))

    revisions = [script.revision for script in ScriptDirectory(str(VERSIONS.parent)).walk_revisions()][::-1]
    assert steps == [(f"Schema {each}", done, len(revisions)) for done, each in enumerate(revisions, start=1)]
    assert ask(empty_url, migrations.current) == migrations.head()


def test_an_upgrade_works_for_a_caller_on_a_running_loop(empty_url: str) -> None:
    async def caller() -> None:
        migrations.upgrade(empty_url)

    asyncio.run(caller())

    assert ask(empty_url, migrations.current) == migrations.head()


def test_an_upgrade_that_breaks_leaves_nothing(empty_url: str) -> None:
    def breaks(label: str, done: int, total: int) -> None:
        raise InterruptedError(label)

    with pytest.raises(InterruptedError):
        migrations.upgrade(empty_url, breaks)

    assert ask(empty_url, lambda connection: inspect(connection).get_table_names()) == []


def test_a_database_of_a_newer_release_is_refused_with_the_way_out(url: str) -> None:
    do(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(RuntimeError, match="install the newer release"):
        migrations.upgrade(url)


def upgrade_to(url: str, revision: str) -> None:
    """As an earlier release would have left the database."""
    from alembic import command
    from alembic.config import Config

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(VERSIONS.parent).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes.update(connection=connection, progress=None)
        command.upgrade(config, revision)

    in_transaction(url, upgrade)


def test_a_company_that_is_at_work_gets_credit_notes_without_losing_anything(empty_url: str) -> None:
    """Revision 0002: invoices keep their rows, sent ones the customer's address, accounts their names."""
    upgrade_to(empty_url, "0001")
    invoice = (
        "INSERT INTO invoices (id, number, customer_id, status, issue_date, due_date, currency, net_cents,"
        " vat_cents, gross_cents, paid_cents, note, sent_at, created_at, version)"
        " VALUES ({id}, {number}, 1, '{status}', '2026-03-02', '2026-03-16', 'EUR', 100, 19, 119, 0, '',"
        " {sent}, '2026-03-02 09:00:00', 1)"
    )
    do(
        empty_url,
        "INSERT INTO customers (id, number, name, contact, email, phone, street, postal_code, city, country,"
        " vat_id, payment_days, is_active, created_at, version)"
        " VALUES (1, 'K-1', 'Muster', '', '', '', 'Weg 1', '73430', 'Aalen', 'DE', '', 14,"
        " true, '2026-03-02 09:00:00', 1)",
        invoice.format(id=1, number="'RE-2026-00001'", status="sent", sent="'2026-03-02 09:00:00'"),
        invoice.format(id=2, number="NULL", status="draft", sent="NULL"),
        "INSERT INTO invoice_items (id, invoice_id, position, description, quantity_milli, unit, unit_price_cents,"
        " vat_percent, net_cents, vat_cents) VALUES (1, 1, 1, 'x', 1000, 'Stk', 100, 19, 100, 19)",
        "INSERT INTO accounts (number, name, kind) VALUES ('1400', 'Unsere Forderungen', 'asset')",
        "INSERT INTO journal_entries (id, date, description, source, created_at)"
        " VALUES (1, '2026-03-02', 'x', 'invoice:1', '2026-03-02 09:00:00')",
        "INSERT INTO transactions (id, entry_id, account_id, date, amount_cents)"
        " SELECT 1, 1, id, '2026-03-02', 119 FROM accounts",
    )

    migrations.upgrade(empty_url)

    def read(statement: str) -> list[Any]:
        return list(ask(empty_url, lambda connection: [tuple(row) for row in connection.execute(text(statement))]))

    assert read("SELECT id, credited_cents, refunded_cents, parties IS NULL FROM invoices ORDER BY id") == [
        (1, 0, 0, False),
        (2, 0, 0, True),
    ]
    ((parties,),) = read("SELECT parties FROM invoices WHERE id = 1")
    shown = json.loads(parties) if isinstance(parties, str) else parties
    assert (shown["customer"]["name"], shown["customer"]["street"]) == ("Muster", "Weg 1")
    assert read("SELECT count(*) FROM invoice_items") == read("SELECT count(*) FROM transactions") == [(1,)]
    assert read("SELECT name, is_active, version FROM accounts WHERE number = '1400'") == [
        ("Unsere Forderungen", True, 1)
    ]
    assert read("SELECT version, country FROM company") == [(1, "DE")]


def test_the_chart_that_a_migration_brings_is_the_chart(url: str) -> None:
    from steinmetz.erp.modules.finance.chart import CHART

    rows = ask(url, lambda connection: list(connection.execute(text("SELECT number, name, kind FROM accounts"))))
    assert sorted(map(tuple, rows)) == [(each.number, each.name, each.kind) for each in CHART.values()]


NODE = (
    "INSERT INTO function_nodes (id, parent_id, area, title, description, icon, kind, min_role, position, depth,"
    " updated_at, version) VALUES ('{id}', {parent}, 'finanzen', '{title}', '{description}', '', 'group', 'clerk',"
    " 0, 0, '2026-03-02 09:00:00', 1)"
)


def node(id_: str, title: str, description: str = "", parent: str | None = None) -> str:
    parent_sql = "NULL" if parent is None else f"'{parent}'"
    return NODE.format(id=id_, title=title, description=description, parent=parent_sql)


def found(url: str, word: str) -> list[str]:
    def search(connection: Connection) -> list[str]:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "INSERT INTO function_nodes_fts (function_nodes_fts) VALUES ('integrity-check')"
            )
            statement = "SELECT node_id FROM function_nodes_fts WHERE function_nodes_fts MATCH :word ORDER BY 1"
        else:
            statement = "SELECT id FROM function_nodes WHERE search @@ to_tsquery('simple', :word) ORDER BY 1"
        return list(connection.execute(text(statement), {"word": word}).scalars())

    return list(ask(url, search))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "steinmetz.sqlite3"
    migrations.upgrade(f"sqlite+aiosqlite:///{path}")
    return path


class TestSearchIndex:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def url(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        """Migrated and without rows, but not anew for each test."""
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("migrated"), tmp_path)
            return f"sqlite+aiosqlite:///{tmp_path}/steinmetz.sqlite3"
        return str(request.getfixturevalue("clean_postgres_url"))

    def test_a_new_node_is_found_by_its_title_and_its_description(self, url: str) -> None:
        do(url, node("f", "Mahnwesen", "Säumige Kunden"), node("g", "Kasse"))

        assert found(url, "mahnwesen") == ["f"]
        assert found(url, "SÄUMIGE") == ["f"]

    def test_a_renamed_node_is_found_by_its_new_title_only(self, url: str) -> None:
        do(url, node("f", "Mahnwesen", "Kunden"), "UPDATE function_nodes SET title = 'Inkasso' WHERE id = 'f'")

        assert found(url, "mahnwesen") == []
        assert found(url, "inkasso") == found(url, "kunden") == ["f"]

    def test_a_node_with_another_id_is_found_under_it(self, url: str) -> None:
        do(url, node("f", "Mahnwesen"), "UPDATE function_nodes SET id = 'h' WHERE id = 'f'")

        assert found(url, "mahnwesen") == ["h"]

    def test_a_deleted_branch_is_found_no_more(self, url: str) -> None:
        def delete(connection: Connection) -> None:
            connection.execute(text("DELETE FROM function_nodes WHERE id = 'f'"))

        do(url, node("f", "Finanzen"), node("f/m", "Mahnwesen", parent="f"), node("g", "Kasse"))
        if url.startswith("sqlite"):
            _delete_with_foreign_keys(url, "f")
        else:
            ask(url, delete)

        assert found(url, "mahnwesen") == found(url, "finanzen") == []
        assert found(url, "kasse") == ["g"]

    def test_words_with_and_without_umlaut_are_different_words_on_both_engines(self, url: str) -> None:
        do(url, node("f", "Gehälter"))

        assert found(url, "gehälter") == ["f"]
        assert found(url, "gehalter") == []

    def test_vacuum_does_not_lose_the_documents(self, url: str) -> None:
        do(url, node("a", "Anlage"), node("b", "Bilanz"), node("c", "Controlling"))
        do(url, "DELETE FROM function_nodes WHERE id = 'a'")
        if url.startswith("sqlite"):
            with sqlite3.connect(url.partition("///")[2]) as connection:
                connection.execute("VACUUM")

        do(url, "UPDATE function_nodes SET title = 'Budget' WHERE id = 'b'")

        assert found(url, "controlling") == ["c"]
        assert found(url, "budget") == ["b"]
        assert found(url, "bilanz") == []


def _delete_with_foreign_keys(url: str, id_: str) -> None:
    """As the application deletes: foreign keys are on, so that children go with their parent."""
    with sqlite3.connect(url.partition("///")[2]) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("DELETE FROM function_nodes WHERE id = ?", (id_,))


def test_leave_can_be_cancelled_and_no_other_status_made_up(url: str) -> None:
    """A rebuilt table must not keep the check that it had before."""
    employee = (
        "INSERT INTO employees (id, number, first_name, last_name, email, department_id, job_title,"
        " weekly_minutes, salary_cents, hired_on, version)"
        " VALUES (1, 'M-1', 'Ada', 'Lang', 'a@b', 1, 'x', 0, 0, '2020-01-01', 1)"
    )
    request = (
        "INSERT INTO leave_requests (employee_id, kind, status, first_day, last_day, created_at, version)"
        " VALUES (1, '{}', '{}', '2026-03-02', '2026-03-{}', '2026-03-02 09:00:00', 1)"
    )
    department = "INSERT INTO departments (id, name, cost_center) VALUES (1, 'Werk', '4000')"
    do(url, department, employee, request.format("sick", "cancelled", "02"))
    for wrong in (("sick", "lost", "02"), ("party", "approved", "02"), ("sick", "approved", "01")):
        with pytest.raises(IntegrityError):
            do(url, request.format(*wrong))

    def given(connection: Connection) -> list[Any]:
        columns = "e.vacation_days, d.version, l.reason"
        tables = "employees e JOIN departments d ON true JOIN leave_requests l ON true"
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {tables}"))]

    assert ask(url, given) == [(30, 1, "")]
