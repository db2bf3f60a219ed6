"""SQLite: every statement of the corpus touches what the engine says, on pysqlite and on aiosqlite alike."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

from steinmetz.sql import Relation, ScopeKind, SqlHook, WriteSet, hook, open_scope
from tests.contract.sql_corpus.corpus import Case, cases, schema, shown
from tests.contract.sql_corpus.sqlite_program import Programs

CORPUS = cases("sqlite")


def foreign_keys_on(dbapi_connection: Any, _: object) -> None:
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


class Journal:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, WriteSet]] = []

    def mark(self, writes: WriteSet) -> object:
        self.told.append(("mark", writes))
        return writes

    def bump(self, token: object) -> None:
        assert isinstance(token, WriteSet)
        self.told.append(("bump", token))

    def unmark(self, token: object) -> None:
        assert isinstance(token, WriteSet)
        self.told.append(("unmark", token))

    def bumped(self) -> set[str]:
        return {relation.name for act, writes in self.told if act == "bump" for relation in writes.relations}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the corpus's tables, made once: they commit one by one, which takes longer than a test."""
    path = tmp_path_factory.mktemp("corpus") / "template.db"
    connection = sqlite3.connect(path)
    connection.executescript(schema("sqlite"))
    connection.close()
    return path


@pytest.fixture
def engine(template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(template, tmp_path / "corpus.db")
    engine = create_engine(f"sqlite:///{tmp_path}/corpus.db")
    event.listen(engine, "connect", foreign_keys_on)
    yield engine
    engine.dispose()


@pytest.fixture
async def async_engine(template: Path, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    shutil.copy(template, tmp_path / "corpus.db")
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/corpus.db")
    event.listen(engine.sync_engine, "connect", foreign_keys_on)
    yield engine
    await engine.dispose()


def names(relations: frozenset[Relation]) -> set[str]:
    return {relation.name for relation in relations}


def agrees(sql: SqlHook, case: Case) -> None:
    facts = sql.facts_of(case.statement)
    assert not facts.reads_unknown
    assert not facts.writes_unknown
    assert names(facts.writes) == case.writes
    assert names(facts.reads) >= case.reads
    if not case.writes:
        assert names(facts.reads) == case.reads


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 200
    assert len({case.statement for case in CORPUS}) == len(CORPUS)


def test_nothing_is_missed_that_the_compiled_program_touches(engine: Engine) -> None:
    """100 % of the tables are found, and at least 95 % of what is told is true, by another witness than ours."""
    sql = hook(engine)
    told = true = 0
    with engine.connect() as connection:
        programs = Programs(connection.connection.driver_connection)  # type: ignore[arg-type]
        for case in CORPUS:
            opened, changed = programs.touched(case.statement)
            connection.exec_driver_sql(case.statement)
            connection.rollback()
            facts = sql.facts_of(case.statement)
            reads, writes = names(facts.reads), names(facts.writes)
            assert changed <= writes, case
            assert opened <= reads | writes, case
            if not case.writes:
                assert opened <= reads, case
                told, true = told + len(reads), true + len(reads & (opened | case.reads))
            told, true = told + len(writes), true + len(writes & (changed | case.writes))
    assert true / told >= 0.95


@pytest.mark.parametrize("case", CORPUS, ids=str)
def test_a_statement_touches_what_sqlite_says(engine: Engine, case: Case) -> None:
    sql = hook(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql(case.statement)
    agrees(sql, case)


@pytest.mark.anyio
async def test_aiosqlite_tells_the_same(async_engine: AsyncEngine) -> None:
    sql = hook(async_engine)
    for case in CORPUS:
        async with async_engine.connect() as connection:
            await connection.exec_driver_sql(case.statement)
        agrees(sql, case)


metadata = MetaData()
customers = Table(
    "customers", metadata, Column("id", Integer, primary_key=True), Column("name", String), Column("city", String)
)
invoices = Table(
    "invoices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id")),
    Column("number", String),
    Column("status", String),
    Column("total", Integer),
)
stats = Table("stats", metadata, Column("key", String, primary_key=True), Column("n", Integer))

CORE: list[tuple[Any, set[str], set[str]]] = [
    (select(customers), {"customers"}, set()),
    (select(func.count()).select_from(customers), {"customers"}, set()),
    (select(customers.c.id).where(customers.c.id.in_([1, 2, 3])), {"customers"}, set()),
    (select(customers).join(invoices), {"customers", "invoices"}, set()),
    (
        select(customers.c.name).where(exists().where(invoices.c.customer_id == customers.c.id)),
        {"customers", "invoices"},
        set(),
    ),
    (select(literal_column("(SELECT count(*) FROM items)")), {"items"}, set()),
    (select(text("name")).select_from(text("open_invoices")), {"customers", "invoices"}, set()),
    (select(invoices.c.id).cte("customers").select(), {"invoices"}, set()),
    (insert(customers).values(name="a"), set(), {"customers"}),
    (insert(customers).values([{"name": "a"}, {"name": "b"}]), set(), {"customers"}),
    (insert(customers).from_select(["name"], select(invoices.c.number)), {"invoices"}, {"customers"}),
    (insert(customers).values(name="a").returning(customers.c.id), set(), {"customers"}),
    (
        update(invoices).values(status="x").where(invoices.c.customer_id == customers.c.id),
        {"customers"},
        {"invoices"},
    ),
    (delete(invoices).where(invoices.c.id == 1), {"invoices"}, {"invoices", "items", "payments"}),
    (
        sqlite_insert(stats).values(key="a", n=1).on_conflict_do_update(index_elements=["key"], set_={"n": 2}),
        set(),
        {"stats"},
    ),
]


@pytest.mark.parametrize(("statement", "reads", "writes"), CORE, ids=shown)
def test_core_statements_touch_what_sqlite_says(
    engine: Engine, statement: Any, reads: set[str], writes: set[str]
) -> None:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    with open_scope(ScopeKind.REQUEST, "GET /") as scope, engine.begin() as connection:
        connection.execute(statement)
    assert not scope.unknown
    assert {relation.name for relation in scope.reads} >= reads
    assert journal.bumped() == writes
    if not writes:
        assert {relation.name for relation in scope.reads} == reads


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    invoices: Mapped[list[Invoice]] = relationship(back_populates="customer", passive_deletes="all")


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    number: Mapped[str | None]
    customer: Mapped[Customer] = relationship(back_populates="invoices")


def test_orm_loads_and_flushes_are_seen(engine: Engine) -> None:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    with Session(engine) as session:
        session.add_all([Customer(name=f"c{n}", invoices=[Invoice(number=f"R{n}")]) for n in range(5)])
        session.commit()
    assert journal.bumped() == {"customers", "invoices"}

    with open_scope(ScopeKind.REQUEST, "lazy") as lazy, Session(engine) as session:
        assert session.scalars(select(Customer)).first().invoices
    with open_scope(ScopeKind.REQUEST, "eager") as eager, Session(engine) as session:
        session.scalars(select(Invoice).options(joinedload(Invoice.customer))).all()
    with open_scope(ScopeKind.REQUEST, "selectin") as selectin, Session(engine) as session:
        session.scalars(select(Customer).options(selectinload(Customer.invoices))).all()
    for scope in (lazy, eager, selectin):
        assert {relation.name for relation in scope.reads} == {"customers", "invoices"}

    journal.told.clear()
    with Session(engine) as session:
        session.delete(session.get(Customer, 1))
        session.commit()
    assert journal.bumped() == {"customers", "invoices", "items", "payments"}


def test_executemany_and_bound_lists_are_one_shape(engine: Engine) -> None:
    sql = hook(engine)
    seen: list[str] = []
    sql.observe_executions(lambda execution: seen.append(execution.facts.fingerprint))
    with engine.begin() as connection:
        for count in (1, 7, 40):
            connection.execute(select(customers).where(customers.c.id.in_(range(count)))).all()
        connection.execute(
            update(customers).values(name="x").where(customers.c.id == bindparam("i")), [{"i": 1}, {"i": 2}]
        )
        connection.exec_driver_sql("SELECT id FROM customers WHERE id IN (?, ?)", (1, 2))
        connection.exec_driver_sql("SELECT id FROM customers WHERE id IN (?, ?, ?)", (1, 2, 3))
    assert len(set(seen[:3])) == 1
    assert len(set(seen[4:])) == 1


def test_t1_the_same_text_under_a_new_compiled_object_is_not_taken_for_nothing(engine: Engine) -> None:
    sql = hook(engine)
    for _ in range(3):
        with open_scope(ScopeKind.REQUEST, "again") as scope, engine.connect() as connection:
            connection.execution_options(compiled_cache=None).execute(select(customers))
        assert scope.reads == {Relation("main", "customers")}
    sql.schema_changed()
    with open_scope(ScopeKind.REQUEST, "afterwards") as scope, engine.connect() as connection:
        connection.execute(select(customers))
    assert scope.reads == {Relation("main", "customers")}
    assert not scope.unknown


def test_t1_one_compiled_object_with_two_schema_maps_reads_two_tables(engine: Engine, tmp_path: Path) -> None:
    hook(engine)
    table = Table("t", MetaData(schema="a"), Column("x", Integer))
    with engine.connect() as connection:
        for name in ("one", "two"):
            connection.exec_driver_sql(f"ATTACH '{tmp_path}/{name}.db' AS {name}")
            connection.exec_driver_sql(f"CREATE TABLE {name}.t (x INTEGER)")
        for name in ("one", "two", "one"):
            with open_scope(ScopeKind.REQUEST, name) as scope:
                connection.execution_options(schema_translate_map={"a": name}).execute(select(table))
            assert scope.reads == {Relation("main", f"{name}.t")}


def test_t1_foreign_keys_off_and_on_write_different_tables(engine: Engine) -> None:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    statement = delete(customers).where(customers.c.id == 1)
    for switch, written in (("OFF", {"customers"}), ("ON", {"customers", "invoices", "items", "payments"})):
        journal.told.clear()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA foreign_keys = {switch}")
            connection.execute(statement)
            connection.commit()
        assert journal.bumped() == written


def test_t1_a_temporary_table_hides_the_common_one_on_its_connection_only(engine: Engine) -> None:
    hook(engine)
    statement = text("SELECT count(*) AS n FROM stats")
    with engine.connect() as one, engine.connect() as other:
        one.exec_driver_sql("CREATE TEMP TABLE stats (x INTEGER)")
        with open_scope(ScopeKind.REQUEST, "hidden") as hidden:
            one.execute(statement)
        with open_scope(ScopeKind.REQUEST, "common") as common:
            other.execute(statement)
    assert Relation("main", "temp.stats") in hidden.reads
    assert common.reads == {Relation("main", "stats")}


def test_t1_a_trigger_made_on_another_connection_is_known_at_once(engine: Engine) -> None:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    with engine.connect() as writer, engine.connect() as builder:
        writer.execute(insert(customers).values(name="before"))
        writer.commit()
        builder.exec_driver_sql("CREATE TRIGGER t AFTER INSERT ON customers BEGIN DELETE FROM stats; END")
        builder.commit()
        journal.told.clear()
        writer.execute(insert(customers).values(name="after"))
        writer.commit()
    assert journal.bumped() == {"customers", "stats"}


def test_t3_a_default_that_runs_its_own_select_is_not_taken_for_its_parent(engine: Engine) -> None:
    hook(engine)
    next_id = select(func.coalesce(func.max(invoices.c.id), 0) + 1)
    numbered = Table(
        "customers", MetaData(), Column("id", Integer, default=next_id, primary_key=True), Column("name", String)
    )
    for _ in range(2):
        journal = Journal()
        hook(engine).observe_transactions(journal)
        with open_scope(ScopeKind.REQUEST, "defaults") as scope, engine.begin() as connection:
            connection.execute(delete(invoices))
            connection.execute(delete(customers))
            connection.execute(insert(numbered), {"name": "x"})
        assert Relation("main", "invoices") in scope.reads
        assert "customers" in journal.bumped()


def test_ddl_says_anything_may_have_changed(engine: Engine) -> None:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE customers ADD COLUMN vat TEXT")
    assert any(act == "bump" and writes.unknown == {"main"} for act, writes in journal.told)
    assert engine._has_events is False


@pytest.mark.parametrize("what", ["QUERY PLAN SELECT * FROM customers", "DELETE FROM customers"])
def test_to_explain_a_statement_writes_nothing(engine: Engine, what: str) -> None:
    journal, sql = Journal(), hook(engine)
    sql.observe_transactions(journal)
    with open_scope(ScopeKind.REQUEST, "plan") as scope, engine.connect() as other:
        other.execute(text("UPDATE customers SET name = 'x' WHERE id = 1"))
        with engine.connect() as connection:
            connection.exec_driver_sql(f"EXPLAIN {what}").fetchall()
        assert journal.told == []
        assert scope.read_set().unknown, "what the planner knows is named by no table"
        other.commit()
    assert [writes.unknown for act, writes in journal.told if act == "bump"] == [frozenset()]


def test_to_explain_a_pragma_may_change_anything(engine: Engine) -> None:
    """ "Some pragmas run during the SQL compilation stage, not the execution stage."
    (https://sqlite.org/pragma.html)"""
    journal, sql = Journal(), hook(engine)
    sql.observe_transactions(journal)
    with engine.connect() as connection:
        connection.exec_driver_sql("EXPLAIN PRAGMA user_version = 7").fetchall()
    assert {writes.unknown for act, writes in journal.told if act == "bump"} == {frozenset({"main"})}


def test_a_refused_statement_is_not_remembered(engine: Engine) -> None:
    sql = hook(engine)
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("SELECT * FROM nowhere")
    assert sql.facts_of("SELECT * FROM nowhere").reads_unknown
