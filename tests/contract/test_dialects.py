"""What-if and proof: the same promises on SQLite and on PostgreSQL, with HypoPG and without."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import NullPool, StaticPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.advice.case import Statement
from benchmarks.advice.company import FilledTable, as_sqlite, company
from benchmarks.advice.databases import postgres_company
from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.dialects import consult as consulting
from steinmetz.monitor.dialects.base import CannotExplain, ForeignKey, Proof, WhatIf, side
from steinmetz.monitor.dialects.consult import Terms, consult, consult_sync
from steinmetz.monitor.dialects.sqlite import SqliteProof, SqliteWhatIf, copied

T = TypeVar("T")

STANDING = (
    "CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC)",
    "CREATE INDEX orders_open ON orders (due_on) WHERE status = 'open'",
    "CREATE INDEX customers_by_email ON customers (lower(email))",
)
SECRET = "geheim-4711"
NEW_YEAR = datetime.fromisoformat("2026-01-01")

NEWEST = (
    "SELECT id, total FROM orders WHERE tenant_id = :tenant AND status = :status ORDER BY created_at DESC LIMIT 20"
)
THREE = Index(
    "orders", (IndexColumn("tenant_id"), IndexColumn("status"), IndexColumn("created_at", descending=True))
)
DEAREST = "SELECT id, total FROM orders WHERE tenant_id = :tenant ORDER BY total DESC LIMIT 20"
TOTAL = Index("orders", (IndexColumn("total"),))
BOTH = Index("orders", (IndexColumn("tenant_id"), IndexColumn("total")))
UNUSED = Index("orders", (IndexColumn("channel"),))


class Database:
    """The company on one engine, with a few indexes that exist."""

    def __init__(self, name: str, engine: AsyncEngine) -> None:
        self.name = name
        self.engine = engine
        self.may = Terms(here=True)

    @property
    def dialect(self) -> str:
        return "sqlite" if self.name == "sqlite" else "postgres"

    def ask(self, question: Callable[[WhatIf, Proof], T]) -> T:
        def answered(what_if: WhatIf, proof: Proof | None) -> T:
            assert proof is not None
            return question(what_if, proof)

        return asyncio.run(consult(self.engine, answered, self.may))

    def text(self, sql: str, **parameters: Any) -> tuple[str, tuple[Any, ...]]:
        """A text with ``:name`` as the driver takes it, with its values."""
        return Statement(sql, 1, (parameters,)).rendered(self.dialect, parameters)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return asyncio.run(
            side(self.engine, lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)])
        )

    def real_size(self, index: Index) -> int:
        """What the index takes when it is there; it is rolled back."""

        def work(connection: Any) -> int:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")  # the driver begins none for DDL
                size = f"SELECT sum(pgsize) FROM dbstat WHERE name = '{index.shown_name}'"
            else:
                size = f"SELECT pg_relation_size('{index.shown_name}')"
            connection.exec_driver_sql(index.ddl())
            return int(connection.exec_driver_sql(size).scalar())

        return asyncio.run(side(self.engine, work))

    def digest(self) -> list[tuple[Any, ...]]:
        """The schema and what is in the tables."""
        if self.dialect == "sqlite":
            schema = self.rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2")
        else:
            schema = self.rows(
                "SELECT relname, relkind, relnatts, oid, relfilenode FROM pg_class WHERE oid >= 16384"
                " UNION ALL SELECT extname, 'e', 0, oid, 0 FROM pg_extension ORDER BY 1, 4"
            )
        counts = self.rows(
            "SELECT (SELECT count(*) FROM orders), (SELECT sum(total) FROM orders), (SELECT count(*) FROM items)"
        )
        return schema + counts


@pytest.fixture(scope="module")
def tables() -> tuple[FilledTable, ...]:
    return company(1)


@pytest.fixture(scope="module")
def sqlite_file(tables: tuple[FilledTable, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dialects") / "company.db"
    connection = sqlite3.connect(path)
    for table in tables:
        connection.execute(table.sqlite_ddl)
        marks = ", ".join("?" * len(table.columns))
        rows = ([as_sqlite(value) for value in row] for row in table.rows)
        connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
    for ddl in STANDING:
        connection.execute(ddl)
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="module")
def postgres_filled(
    postgres_url: str, database_names: Iterator[str], tables: tuple[FilledTable, ...]
) -> Iterator[str]:
    with postgres_company(postgres_url, next(database_names), tables, also=STANDING) as filled:
        yield filled.url


ENGINES = ["sqlite", "postgres", "postgres without HypoPG"]
TWO_ENGINES = pytest.mark.parametrize("database", ENGINES[:2], indirect=True)
"""Where HypoPG makes no difference."""


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    if request.param == "sqlite":
        path = request.getfixturevalue("sqlite_file")
        return Database("sqlite", create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=NullPool))
    if request.param.endswith("without HypoPG"):
        monkeypatch.setattr("steinmetz.monitor.dialects.postgres.hypopg_is_there", lambda session: False)
    url = request.getfixturevalue("postgres_filled")
    return Database(request.param, create_async_engine(url, poolclass=NullPool))


class TestWhatIf:
    def test_an_index_that_helps_lowers_the_cost_and_is_named(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="shipped")

        def question(what_if: WhatIf, proof: Proof) -> None:
            before, after = what_if.plan(sql, values), what_if.plan(sql, values, adding=[THREE])
            assert after.cost < before.cost / 2
            assert after.indexes == {THREE.shown_name}
            assert THREE.shown_name in after.text
            assert after.hash != before.hash

        database.ask(question)

    def test_an_index_that_is_not_used_changes_nothing(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="shipped")

        def question(what_if: WhatIf, proof: Proof) -> None:
            with_three = what_if.plan(sql, values, adding=[THREE])
            assert what_if.plan(sql, values, adding=[UNUSED, THREE]) == with_three
            assert what_if.plan(sql, values, adding=[THREE]) == with_three

        database.ask(question)

    def test_values_are_no_part_of_a_plans_shape(self, database: Database) -> None:
        def question(what_if: WhatIf, proof: Proof) -> None:
            plans = [
                what_if.plan(*database.text(NEWEST, tenant=tenant, status="shipped"), adding=[THREE])
                for tenant in (3, 45)
            ]
            assert plans[0].hash == plans[1].hash
            assert plans[0].text == plans[1].text

        database.ask(question)

    def test_without_an_index_its_scan_is_back(self, database: Database) -> None:
        sql, values = database.text("SELECT id FROM orders WHERE customer_id = :customer", customer=12)

        def question(what_if: WhatIf, proof: Proof) -> None:
            standing = next(
                index for index in what_if.tables()["orders"].indexes if index.name == "orders_by_customer"
            )
            found = what_if.plan(sql, values)
            assert found.indexes == {"orders_by_customer"}
            scanned = what_if.plan(sql, values, without=[standing])
            assert scanned.indexes == frozenset()
            assert scanned.cost > 5 * found.cost
            assert what_if.plan(sql, values) == found

        database.ask(question)

    def test_the_index_of_a_constraint_cannot_be_left_out(self, database: Database) -> None:
        def question(what_if: WhatIf, proof: Proof) -> None:
            owned = next(index for index in what_if.tables()["products"].indexes if index.unique)
            with pytest.raises(CannotExplain, match="constraint"):
                what_if.plan(*database.text("SELECT id FROM products"), without=[owned])

        database.ask(question)

    @pytest.mark.parametrize(
        ("sql", "parameters", "index"),
        [
            (
                "SELECT id, name FROM customers WHERE lower(name) = :name",
                {"name": "name7 surname70"},
                Index("customers", (IndexColumn("lower(name)", is_expression=True),)),
            ),
            (
                "SELECT id, total FROM orders WHERE status = 'cancelled' ORDER BY created_at LIMIT 50",
                {},
                Index("orders", (IndexColumn("created_at"),), where="status = 'cancelled'"),
            ),
            (
                "SELECT id FROM tasks WHERE state = :state ORDER BY priority DESC, due_on LIMIT 5",
                {"state": "done"},
                Index(
                    "tasks",
                    (IndexColumn("state"), IndexColumn("priority", descending=True), IndexColumn("due_on")),
                ),
            ),
        ],
        ids=["expression", "partial", "directions"],
    )
    def test_indexes_of_every_kind(
        self, database: Database, sql: str, parameters: dict[str, Any], index: Index
    ) -> None:
        text, values = database.text(sql, **parameters)

        def question(what_if: WhatIf, proof: Proof) -> None:
            before, after = what_if.plan(text, values), what_if.plan(text, values, adding=[index])
            assert after.indexes == {index.shown_name}
            assert after.cost < before.cost / 2
            assert proof.run(text, values, adding=[index]).steps < proof.run(text, values).steps / 2

        database.ask(question)

    @pytest.mark.parametrize(
        "index",
        [
            Index("orders", (IndexColumn("total"),)),
            Index("orders", (IndexColumn("tenant_id"),)),
            THREE,
            Index("customers", (IndexColumn("email"), IndexColumn("name"))),
            Index("customers", (IndexColumn("lower(name)", is_expression=True),)),
            Index("events", (IndexColumn("entity_id"),), where="entity_type = 'customer'"),
            Index("memberships", (IndexColumn("user_id"),)),
        ],
        ids=lambda index: index.definition(),
    )
    def test_the_size_is_within_twice_the_real_one(self, database: Database, index: Index) -> None:
        estimated = database.ask(lambda what_if, proof: what_if.size_bytes(index))
        real = database.real_size(index)
        assert real / 2 <= estimated <= real * 2

    def test_the_size_of_an_index_that_exists_is_its_size(self, database: Database) -> None:
        def question(what_if: WhatIf, proof: Proof) -> int:
            standing = next(index for index in what_if.tables()["orders"].indexes if index.name == "orders_open")
            return what_if.size_bytes(standing)

        page = 4_096 if database.dialect == "sqlite" else 8_192
        assert page <= database.ask(question) <= 4 * page

    def test_a_table_that_is_not_there_has_no_size(self, database: Database) -> None:
        def question(what_if: WhatIf, proof: Proof) -> None:
            with pytest.raises(CannotExplain, match="no table nowhere"):
                what_if.size_bytes(Index("nowhere", (IndexColumn("a"),)))

        database.ask(question)


@TWO_ENGINES
class TestTables:
    def test_rows_columns_and_keys(self, database: Database) -> None:
        tables = database.ask(lambda what_if, proof: dict(what_if.tables()))
        orders = tables["orders"]
        assert orders.rows == pytest.approx(5000, rel=0.05)
        assert orders.primary_key == ("id",)
        assert orders.foreign_keys == (ForeignKey(("customer_id",), "customers", ("id",)),)
        assert tables["memberships"].primary_key == ("group_id", "user_id")
        assert orders.columns["due_on"].nullable
        assert not orders.columns["status"].nullable

    def test_what_is_known_of_values(self, database: Database) -> None:
        columns = database.ask(lambda what_if, proof: dict(what_if.tables()["orders"].columns))
        ((tenants, statuses, nulls, paid),) = database.rows(
            "SELECT count(DISTINCT tenant_id), count(DISTINCT status),"
            " avg(CASE WHEN due_on IS NULL THEN 1.0 ELSE 0 END),"
            " avg(CASE WHEN status = 'paid' THEN 1.0 ELSE 0 END) FROM orders"
        )
        assert columns["tenant_id"].distinct == pytest.approx(tenants, rel=0.15)
        assert columns["status"].distinct == pytest.approx(statuses, rel=0.15)
        assert columns["id"].distinct == pytest.approx(5000, rel=0.05)
        assert columns["due_on"].nulls == pytest.approx(float(nulls), abs=0.04)
        assert columns["status"].most_common == pytest.approx(float(paid), abs=0.04)

    def test_the_indexes_that_exist(self, database: Database) -> None:
        tables = database.ask(lambda what_if, proof: dict(what_if.tables()))
        standing = {index.name: index for table in tables.values() for index in table.indexes}
        assert standing["orders_by_customer"].columns == (
            IndexColumn("customer_id"),
            IndexColumn("created_at", descending=True),
        )
        assert "status" in standing["orders_open"].where
        assert "'open'" in standing["orders_open"].where
        assert standing["customers_by_email"].columns == (IndexColumn("lower(email)", is_expression=True),)
        unique = [index for index in tables["products"].indexes if index.unique]
        assert ("sku",) in [tuple(column.name for column in index.columns) for index in unique]

    def test_an_index_that_exists_can_be_told_again(self, database: Database) -> None:
        """What is read of an index makes an equal one: the planner likes it no less."""
        sql, values = database.text(
            "SELECT id FROM customers WHERE lower(email) = :email", email="user7@firm7.example"
        )

        def question(what_if: WhatIf, proof: Proof) -> None:
            (standing,) = (
                each for each in what_if.tables()["customers"].indexes if each.name == "customers_by_email"
            )
            again = Index(standing.table, standing.columns, standing.where, name="told_again")
            plan = what_if.plan(sql, values, adding=[again], without=[standing])
            assert plan.indexes == {"told_again"}

        database.ask(question)


class TestProof:
    def test_an_index_that_helps_needs_less_work(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="paid")

        def question(what_if: WhatIf, proof: Proof) -> None:
            before, after = proof.run(sql, values), proof.run(sql, values, adding=[THREE])
            assert after.steps < before.steps / 10
            assert after.rows == before.rows == 20
            assert before.duration_ms > 0

        database.ask(question)

    def test_the_same_run_is_the_same_work(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="paid")

        def question(what_if: WhatIf, proof: Proof) -> None:
            first = proof.run(sql, values).steps
            proof.run(sql, values, adding=[THREE])
            assert proof.run(sql, values).steps == pytest.approx(first, rel=0.01)

        database.ask(question)

    def test_the_cheap_looking_index_is_found_out_by_an_empty_tenant(self, database: Database) -> None:
        """(total) alone serves a busy tenant and makes an empty one fetch all rows one by one.

        PostgreSQL's planner shows another plan for the empty tenant, but settles on this one after some runs.
        """
        busy, empty = database.text(DEAREST, tenant=1), database.text(DEAREST, tenant=45)

        def question(what_if: WhatIf, proof: Proof) -> None:
            assert proof.run(*busy, adding=[TOTAL]).steps < proof.run(*busy).steps / 5
            assert proof.run(*empty, adding=[TOTAL]).steps > 1.1 * proof.run(*empty).steps
            assert proof.run(*empty, adding=[BOTH]).steps < 30
            assert what_if.plan(*empty, adding=[TOTAL]).cost > 1.1 * what_if.plan(*empty).cost

        database.ask(question)

    @pytest.mark.parametrize(
        ("sql", "parameters", "rows"),
        [
            ("UPDATE orders SET total = 0 WHERE tenant_id = :tenant", {"tenant": 2}, None),
            ("DELETE FROM orders WHERE id = :id", {"id": 44}, 1),
            (
                "INSERT INTO readings (id, sensor_id, taken_at, value) VALUES (:id, 1, :at, 2)",
                {"id": 9_000_001, "at": NEW_YEAR},
                1,
            ),
        ],
        ids=["update", "delete", "insert"],
    )
    def test_what_is_written_is_undone(
        self, database: Database, sql: str, parameters: dict[str, Any], rows: int | None
    ) -> None:
        text, values = database.text(sql, **parameters)
        before = database.digest()

        def question(what_if: WhatIf, proof: Proof) -> None:
            first = proof.run(text, values)
            assert first.rows == rows if rows is not None else first.rows > 100
            assert first.steps > 0
            assert proof.run(text, values).rows == first.rows

        database.ask(question)
        assert database.digest() == before

    def test_writes_pay_for_the_indexes_they_keep(self, database: Database) -> None:
        sql, values = database.text(
            "INSERT INTO readings (id, sensor_id, taken_at, value) VALUES (:id, 1, :at, 2)",
            id=9_000_001,
            at=NEW_YEAR,
        )
        kept = [Index("readings", (IndexColumn(name),)) for name in ("sensor_id", "taken_at", "value")]
        database.ask(
            lambda what_if, proof: _assert_more(
                proof.run(sql, values, adding=kept).steps, proof.run(sql, values).steps
            )
        )

    def test_many_parameters_at_once(self, database: Database) -> None:
        sql, one = database.text("UPDATE orders SET total = 1 WHERE id = :id", id=5)
        many = [one, (6,), (7,)]

        def question(what_if: WhatIf, proof: Proof) -> None:
            assert proof.run(sql, many).rows == 3
            assert proof.run(sql, many).steps > 1.5 * proof.run(sql, one).steps
            assert what_if.plan(sql, many).hash == what_if.plan(sql, one).hash

        database.ask(question)

    def test_what_a_foreign_key_makes_the_engine_look_for_counts(self, database: Database) -> None:
        sql, values = database.text("DELETE FROM orders WHERE id = :id", id=44)
        items = Index("items", (IndexColumn("order_id"),))

        def question(what_if: WhatIf, proof: Proof) -> None:
            assert proof.run(sql, values, adding=[items]).steps < proof.run(sql, values).steps / 10

        if database.dialect == "sqlite":
            assert _with_foreign_keys(database, question) is None
        else:
            database.ask(question)


def _assert_more(more: float, less: float) -> None:
    assert more > less


def _with_foreign_keys(database: Database, question: Callable[[WhatIf, Proof], None]) -> None:
    """SQLite enforces foreign keys where the connection says so, and so does the copy."""

    def work(connection: Any) -> Any:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        return copied(connection)

    copy = asyncio.run(side(database.engine, work))
    question(SqliteWhatIf(copy), SqliteProof(copy))
    copy.close()


class TestNothingIsLeft:
    def test_the_database_is_as_it_was(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="paid")
        before = database.digest()

        def question(what_if: WhatIf, proof: Proof) -> None:
            standing = what_if.tables()["customers"].indexes[0]
            what_if.plan(sql, values, adding=[THREE, UNUSED])
            if standing.name == "customers_by_email":
                what_if.plan(sql, values, without=[standing])
            proof.run(sql, values, adding=[THREE, UNUSED])

        database.ask(question)
        assert database.digest() == before

    def test_nor_after_an_error(self, database: Database) -> None:
        sql, values = database.text(NEWEST, tenant=7, status="paid")
        before = database.digest()

        def question(what_if: WhatIf, proof: Proof) -> None:
            what_if.plan(sql, values, adding=[THREE])
            proof.run(sql, values, adding=[THREE])
            raise LookupError("the advisor itself failed")

        with pytest.raises(LookupError):
            database.ask(question)
        assert database.digest() == before


@TWO_ENGINES
class TestNoValueIsTold:
    def test_a_plan_shows_no_parameter(self, database: Database) -> None:
        sql, values = database.text(
            "SELECT id FROM customers WHERE lower(email) = :email AND name LIKE :name AND id > :id",
            email=SECRET,
            name=f"%{SECRET}%",
            id=987_654_321,
        )
        plan = database.ask(lambda what_if, proof: what_if.plan(sql, values))
        assert SECRET not in repr(plan)
        assert "987654321" not in repr(plan)

    def test_nor_one_that_stands_in_the_text(self, database: Database) -> None:
        sql = f"SELECT id FROM customers WHERE lower(email) = '{SECRET}' AND city > '{SECRET}' AND id > 987654321"
        plan = database.ask(lambda what_if, proof: what_if.plan(sql, ()))
        assert SECRET not in repr(plan)
        assert "987654321" not in repr(plan)

    @pytest.mark.parametrize(
        ("sql", "parameters"),
        [
            ("SELECT * FROM nowhere WHERE name = :name", {"name": SECRET}),
            (f"SELECT * FROM customers WHERE name = '{SECRET}' AND nothing = 1", {}),
            (f"SELECT * FROM customers WHERE '{SECRET}' '{SECRET}'", {}),
            ("INSERT INTO products (id, sku, category, price) VALUES (1, :sku, 'a', 1)", {"sku": SECRET}),
            (f"DROP TABLE customers /* {SECRET} */", {}),
            (f"SELECT 1; SELECT '{SECRET}'", {}),
            ("", {}),
        ],
        ids=["table", "column", "syntax", "unique", "ddl", "two", "nothing"],
    )
    def test_a_refusal_says_why_and_no_value(
        self, database: Database, sql: str, parameters: dict[str, Any]
    ) -> None:
        text, values = database.text(sql, **parameters)

        def question(what_if: WhatIf, proof: Proof) -> str:
            with pytest.raises(CannotExplain) as refused:
                proof.run(text, values)
            # It goes on all the same.
            assert proof.run("SELECT count(*) FROM orders", ()).rows == 1
            assert refused.value.__cause__ is None
            return str(refused.value)

        message = database.ask(question)
        assert SECRET not in message
        assert len(message) > 20

    def test_an_index_that_cannot_be_made(self, database: Database) -> None:
        wrong = Index("orders", (IndexColumn("nothing"),))

        def question(what_if: WhatIf, proof: Proof) -> None:
            sql, values = database.text(NEWEST, tenant=7, status="paid")
            expected = what_if.plan(sql, values)
            for ask in (what_if.plan, proof.run):
                with pytest.raises(CannotExplain, match=wrong.shown_name):
                    ask(sql, values, adding=[wrong])
            assert what_if.plan(sql, values) == expected

        database.ask(question)


class TestConsultingSqlite:
    def test_a_sync_engine_and_a_file_are_asked_alike(self, sqlite_file: Path) -> None:
        sql, values = "SELECT id FROM orders WHERE tenant_id = ?", (3,)
        engine = create_engine(f"sqlite:///{sqlite_file}")
        told = consult_sync(engine, lambda what_if, proof: what_if.plan(sql, values, adding=[THREE]))
        again = asyncio.run(consult(engine, lambda what_if, proof: what_if.plan(sql, values, adding=[THREE])))
        engine.dispose()
        copy = copied(str(sqlite_file))
        what_if = SqliteWhatIf(copy)
        assert what_if.plan(sql, values, adding=[THREE]) == told == again
        what_if.close()
        copy.close()

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CannotExplain, match="to open the file"):
            copied(str(tmp_path / "nothing.db"))

    def test_a_database_in_memory_is_asked_through_its_only_connection(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT)")
            connection.exec_driver_sql("INSERT INTO notes (word) VALUES ('a'), ('b'), (NULL)")
        tables = consult_sync(engine, lambda what_if, proof: dict(what_if.tables()))
        assert tables["notes"].rows == 3
        engine.dispose()

    def test_a_database_that_is_written_all_the_time_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("steinmetz.monitor.dialects.sqlite_copy.PAUSES", 2)
        engine = create_engine("sqlite://", poolclass=StaticPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO notes VALUES (1)")
            with pytest.raises(CannotExplain, match="open all the time"):
                copied(connection)
        engine.dispose()

    def test_a_large_database_is_sampled_and_proven_on_request_only(
        self, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("steinmetz.monitor.dialects.sqlite_copy.SAMPLED_ROWS", 1000)
        engine = create_engine(f"sqlite:///{sqlite_file}")
        sql, values = "SELECT count(*) FROM orders WHERE tenant_id = ?", (1,)

        def question(what_if: WhatIf, proof: Proof | None) -> tuple[int, float, bool]:
            orders = what_if.tables()["orders"]
            plan = what_if.plan(sql, values, adding=[Index("orders", (IndexColumn("tenant_id"),))])
            assert len(plan.indexes) == 1
            return orders.rows, orders.columns["tenant_id"].distinct or 0, proof is not None

        rows, tenants, proven = consult_sync(engine, question, Terms(max_copy_mb=0.1))
        assert rows == pytest.approx(5000, rel=0.02)
        assert tenants == pytest.approx(40, rel=0.2)
        assert not proven
        assert consult_sync(engine, question, Terms(max_copy_mb=0.1, on_sample=True))[2]
        copy = copied(str(sqlite_file), max_mb=0.1)
        with pytest.raises(CannotExplain, match="too large"):
            SqliteProof(copy)
        copy.close()
        engine.dispose()

    def test_a_statement_without_end_is_broken_off(self, sqlite_file: Path) -> None:
        copy = copied(str(sqlite_file))
        proof = SqliteProof(copy)
        copy.max_steps = 10_000
        endless = proof.run("SELECT count(*) FROM orders, items", ())
        assert endless.is_broken_off
        assert endless.steps == 10_000
        assert not proof.run("SELECT 1", ()).is_broken_off
        assert proof.run("SELECT 1", ()).rows == 1
        copy.close()

    def test_small_work_is_counted_step_by_step(self, sqlite_file: Path) -> None:
        copy = copied(str(sqlite_file))
        steps = [copy.run("SELECT total FROM orders WHERE id = ?", (number,)).steps for number in (7, 8, 10**9)]
        assert steps[0] == steps[1]
        assert 0 < steps[2] < steps[0] < 20
        copy.close()


class TestConsultingPostgres:
    def test_without_leave_plans_are_told_and_nothing_is_run(self, postgres_filled: str) -> None:
        engine = create_async_engine(postgres_filled, poolclass=NullPool)

        def question(what_if: WhatIf, proof: Proof | None) -> None:
            assert proof is None
            sql, values = "SELECT id FROM orders WHERE tenant_id = $1", (45,)
            assert what_if.plan(sql, values, adding=[THREE]).indexes == {THREE.shown_name}
            standing = what_if.tables()["orders"].indexes[0]
            with pytest.raises(CannotExplain, match="on a clone only"):
                what_if.plan(sql, values, without=[standing])

        asyncio.run(consult(engine, question))

    def test_without_hypopg_and_leave_it_says_what_to_install(
        self, postgres_filled: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("steinmetz.monitor.dialects.postgres.hypopg_is_there", lambda session: False)
        engine = create_async_engine(postgres_filled, poolclass=NullPool)
        with pytest.raises(CannotExplain, match="CREATE EXTENSION hypopg"):
            asyncio.run(consult(engine, lambda what_if, proof: None))

    def test_a_pooled_connection_goes_back_as_it_came(self, postgres_filled: str) -> None:
        async def run() -> list[tuple[Any, ...]]:
            engine = create_async_engine(postgres_filled, pool_size=1, max_overflow=0)

            def question(what_if: WhatIf, proof: Proof | None) -> None:
                assert proof is not None
                what_if.plan("SELECT id FROM orders WHERE tenant_id = $1", (3,), adding=[THREE])
                what_if.plan("SELECT id FROM orders WHERE tenant_id = $1", None, adding=[THREE])
                proof.run("SELECT id FROM orders WHERE tenant_id = $1", (3,), adding=[THREE])

            await consult(engine, question, Terms(here=True))
            async with engine.connect() as connection:
                left = await connection.exec_driver_sql(
                    "SELECT (SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'steinmetz%'),"
                    " (SELECT count(*) FROM pg_extension WHERE extname = 'hypopg'),"
                    " current_setting('statement_timeout'), current_setting('plan_cache_mode'),"
                    " current_setting('transaction_isolation'), current_setting('enable_seqscan')"
                )
                rows = [tuple(row) for row in left]
                # Hypothetical indexes belong to the session: made again, the extension would find them.
                await connection.exec_driver_sql("CREATE EXTENSION hypopg")
                ((count,),) = await connection.exec_driver_sql("SELECT count(*) FROM hypopg()")
                await connection.rollback()
            await engine.dispose()
            return [*rows, (count,)]

        assert asyncio.run(run()) == [(0, 0, "0", "auto", "read committed", "on"), (0,)]

    def test_the_generic_plan_on_which_the_server_settles_is_priced_for_the_values_given(
        self, postgres_filled: str
    ) -> None:
        """For an empty tenant EXPLAIN shows a harmless plan; from the sixth run on another one is carried out."""
        engine = create_async_engine(postgres_filled, poolclass=NullPool)
        sql = DEAREST.replace(":tenant", "$1")

        def question(what_if: WhatIf, proof: Proof | None) -> None:
            generic, empty = what_if.plan(sql, None, adding=[TOTAL]), what_if.plan(sql, (45,), adding=[TOTAL])
            assert generic.indexes == empty.indexes == {TOTAL.shown_name}
            assert generic.hash == empty.hash
            literal = what_if.plan(sql.replace("$1", "45"), (), adding=[TOTAL])
            assert literal.indexes == frozenset()
            assert empty.cost > literal.cost

        asyncio.run(consult(engine, question))

    def test_a_clone_is_made_asked_and_dropped(
        self, postgres_url: str, database_names: Iterator[str], tables: tuple[FilledTable, ...]
    ) -> None:
        few = [table for table in tables if table.name in ("customers", "orders")]
        name = next(database_names)
        with postgres_company(postgres_url, name, few) as filled:
            engine = create_async_engine(filled.url, poolclass=NullPool)

            def question(what_if: WhatIf, proof: Proof | None) -> tuple[float, float]:
                assert proof is not None
                sql, values = NEWEST.replace(":tenant", "$1").replace(":status", "$2"), (7, "paid")
                return proof.run(sql, values).steps, proof.run(sql, values, adding=[THREE]).steps

            before, after = asyncio.run(consult(engine, question, Terms(clone=True)))
            assert after < before / 10
            # On a URL that is given, it is the same.
            other = create_async_engine(postgres_url, poolclass=NullPool)
            assert asyncio.run(consult(other, question, Terms(clone_url=filled.url)))[1] == after
            assert _databases(postgres_url, "steinmetz_clone%") == 0

    def test_a_clone_that_is_not_there(self, postgres_filled: str) -> None:
        engine = create_async_engine(postgres_filled, poolclass=NullPool)
        nowhere = engine.url.set(database="not_there", password=SECRET).render_as_string(hide_password=False)
        with pytest.raises(CannotExplain, match="cannot be reached") as refused:
            asyncio.run(consult(engine, lambda what_if, proof: None, Terms(clone_url=nowhere)))
        assert SECRET not in str(refused.value)
        assert SECRET not in repr(Terms(clone_url=nowhere))

    def test_no_clone_of_a_database_that_somebody_uses(self, postgres_filled: str, postgres_url: str) -> None:
        async def run() -> None:
            engine = create_async_engine(postgres_filled, poolclass=NullPool)
            async with engine.connect():
                with pytest.raises(CannotExplain, match="somebody is connected"):
                    await consult(engine, lambda what_if, proof: None, Terms(clone=True))

        asyncio.run(run())
        assert _databases(postgres_url, "steinmetz_clone%") == 0

    def test_tables_elsewhere_are_named_with_their_schema(self, empty_postgres_url: str) -> None:
        engine = create_async_engine(empty_postgres_url, poolclass=NullPool)

        async def run() -> Any:
            async with engine.begin() as connection:
                for statement in (
                    "CREATE SCHEMA shop",
                    "CREATE TABLE shop.sales (id int PRIMARY KEY, word text, at timestamp)",
                    "INSERT INTO shop.sales SELECT n, n::text, now() FROM generate_series(1, 5000) n",
                    "CREATE INDEX sales_by_word ON shop.sales (word text_pattern_ops) INCLUDE (at)",
                    "ANALYZE shop.sales",
                ):
                    await connection.exec_driver_sql(statement)

            def question(what_if: WhatIf, proof: Proof | None) -> Any:
                table = what_if.tables()["shop.sales"]
                standing = next(index for index in table.indexes if index.name == "sales_by_word")
                by_time = Index("shop.sales", (IndexColumn("at"),))
                plan = what_if.plan("SELECT id FROM shop.sales WHERE at = $1", (NEW_YEAR,), adding=[by_time])
                assert plan.indexes == {by_time.shown_name}
                scanned = what_if.plan("SELECT id FROM shop.sales WHERE word LIKE '12%'", (), without=[standing])
                assert scanned.indexes == frozenset()
                return standing

            return await consult(engine, question, Terms(here=True))

        standing = asyncio.run(run())
        assert standing.columns == (IndexColumn("word", compares="text_pattern_ops"),)
        assert standing.include == ("at",)


def _databases(server: str, like: str) -> int:
    engine = create_async_engine(server, poolclass=NullPool)
    count = asyncio.run(
        side(
            engine,
            lambda connection: connection.exec_driver_sql(
                f"SELECT count(*) FROM pg_database WHERE datname LIKE '{like}'"
            ).scalar(),
        )
    )
    return int(count or 0)


def test_other_engines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        class dialect:  # noqa: N801  as SQLAlchemy calls it
            name = "oracle"

    with pytest.raises(CannotExplain, match="not oracle"):
        consulting.consult_sync(Elsewhere(), lambda what_if, proof: None)  # type: ignore[arg-type]
