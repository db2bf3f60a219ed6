"""PostgreSQL: no statement of the corpus touches a relation that was not predicted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    delete,
    exists,
    func,
    insert,
    literal_column,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from steinmetz.sql import Relation, ScopeKind, SqlHook, StatementFacts, WriteSet, hook, open_scope
from tests.contract.sql_corpus.corpus import Case, cases, schema, shown

pytestmark = pytest.mark.anyio

CORPUS = cases("postgres")


class Journal:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.bumped = WriteSet()

    def mark(self, writes: WriteSet) -> object:
        self.told.append("mark")
        return writes

    def bump(self, token: object) -> None:
        assert isinstance(token, WriteSet)
        self.told.append("bump")
        self.bumped |= token

    def unmark(self, token: object) -> None:
        self.told.append("unmark")


@pytest.fixture(scope="module")
async def corpus_url(postgres_url: str) -> AsyncIterator[str]:
    server = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.exec_driver_sql("DROP DATABASE IF EXISTS sql_corpus")
        await connection.exec_driver_sql("CREATE DATABASE sql_corpus")
    url = make_url(postgres_url).set(database="sql_corpus").render_as_string(hide_password=False)
    corpus = create_async_engine(url)
    async with corpus.begin() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute(schema("postgres"))  # type: ignore[union-attr]
    await corpus.dispose()
    yield url
    async with server.connect() as connection:
        await connection.exec_driver_sql("DROP DATABASE sql_corpus WITH (FORCE)")
    await server.dispose()


@pytest.fixture(scope="module")
async def corpus_hook(corpus_url: str) -> AsyncIterator[SqlHook]:
    engine = create_async_engine(corpus_url)
    sql = hook(engine)
    await sql.prime()
    sql.async_engine = engine  # type: ignore[attr-defined]
    yield sql
    await engine.dispose()


@pytest.fixture
async def engine(corpus_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(corpus_url)
    yield engine
    await engine.dispose()


def told(facts: StatementFacts) -> tuple[set[str], set[str]]:
    reads = {relation.name for relation in facts.reads} | ({"?"} if facts.reads_unknown else set())
    writes = {relation.name for relation in facts.writes} | ({"?"} if facts.writes_unknown else set())
    return reads, writes


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.parametrize("case", CORPUS, ids=str)
async def test_a_statement_touches_nothing_that_was_not_predicted(corpus_hook: SqlHook, case: Case) -> None:
    async with corpus_hook.async_engine.connect() as connection:  # type: ignore[attr-defined]
        await connection.exec_driver_sql(case.statement)
    reads, writes = told(corpus_hook.facts_of(case.statement))
    assert writes == case.writes
    if case.writes:
        assert reads >= case.reads
    elif "?" in case.reads:
        assert "?" in reads
    else:
        assert reads == case.reads


async def test_postgres_itself_saw_no_write_that_was_not_predicted(corpus_hook: SqlHook) -> None:
    """The oracle: the counters of the transaction, which include triggers, cascades and functions."""
    counters = "SELECT schemaname, relname, n_tup_ins + n_tup_upd + n_tup_del AS n FROM pg_stat_xact_user_tables"
    filled = [
        "INSERT INTO customers (name) VALUES ('a')",
        "INSERT INTO invoices (customer_id, total) SELECT max(id), 1 FROM customers",
        "INSERT INTO items (invoice_id, price) SELECT max(id), -1 FROM invoices",
        "INSERT INTO payments (invoice_id, cents) SELECT max(id), 1 FROM invoices",
        "INSERT INTO accounts (id, name) VALUES (1, 'a') ON CONFLICT DO NOTHING",
        "INSERT INTO vehicles VALUES (1, 'a')",
        "INSERT INTO numbers VALUES (1)",
    ]
    seen = 0
    for case in CORPUS:
        if not case.writes or "?" in case.writes or case.statement.startswith(("TRUNCATE", "REFRESH")):
            continue
        async with corpus_hook.async_engine.connect() as connection:  # type: ignore[attr-defined]
            for statement in filled:
                await connection.exec_driver_sql(statement)
            before = {row[:2]: row.n for row in await connection.exec_driver_sql(counters)}
            await connection.exec_driver_sql(case.statement)
            await connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            after = {row[:2]: row.n for row in await connection.exec_driver_sql(counters)}
            await connection.rollback()
        written = {
            name if place == "public" else f"{place}.{name}"
            for (place, name), n in after.items()
            if n > before.get((place, name), 0)
        }
        assert written <= case.writes, case.statement
        seen += len(written)
    assert seen > 20


metadata = MetaData()
customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Column("city", String),
    Column("invoices", Integer),  # a column named like a table
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
    (select(customers.c.id).join(invoices), {"customers", "invoices"}, set()),
    (
        select(customers.c.name).where(exists().where(invoices.c.customer_id == 1)),
        {"customers", "invoices"},
        set(),
    ),
    (select(literal_column("(SELECT count(*) FROM items)")), {"items"}, set()),
    (select(text("name")).select_from(text("open_invoices")), {"customers", "invoices"}, set()),
    (select(invoices.c.id).cte("payments").select(), {"invoices"}, set()),
    (select(func.customer_total(1)), {"invoices"}, set()),
    (select(customers.c.id.label("items")), {"customers"}, set()),
    (insert(customers).values(name="a"), set(), {"customers"}),
    (insert(customers).values([{"name": "a"}, {"name": "b"}]), set(), {"customers"}),
    (insert(customers).from_select(["name"], select(invoices.c.number)), {"invoices"}, {"customers"}),
    (
        update(invoices).values(status="x").where(invoices.c.customer_id == customers.c.id),
        {"customers"},
        {"invoices"},
    ),
    (delete(invoices).where(invoices.c.id == -1), set(), {"invoices", "items", "payments"}),
    (
        postgres_insert(stats).values(key="a", n=1).on_conflict_do_update(index_elements=["key"], set_={"n": 2}),
        set(),
        {"stats"},
    ),
    (select(insert(stats).values(key="b", n=1).returning(stats.c.key).cte("done").c.key), set(), {"stats"}),
]


@pytest.mark.parametrize(("statement", "reads", "writes"), CORE, ids=shown)
async def test_core_statements_are_predicted(
    corpus_hook: SqlHook, statement: Any, reads: set[str], writes: set[str]
) -> None:
    seen: list[StatementFacts] = []
    observe = lambda execution: seen.append(execution.facts)  # noqa: E731
    corpus_hook.observe_executions(observe)
    async with corpus_hook.async_engine.connect() as connection:  # type: ignore[attr-defined]
        await connection.execute(statement)
    corpus_hook.unobserve(observe)
    found_reads, found_writes = told(seen[-1])
    assert found_writes == writes
    assert found_reads >= reads
    if not writes:
        assert found_reads == reads


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    bills: Mapped[list[Invoice]] = relationship(passive_deletes="all")


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(Integer, Sequence("invoices_id_seq"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    number: Mapped[str | None]


async def test_orm_loads_and_flushes_are_seen(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        customer = Customer(name="a", bills=[Invoice(number="R1"), Invoice(number="R2")])
        session.add(customer)
        await session.commit()
        key = customer.id
    assert journal.told == ["mark", "bump"]
    assert {relation.name for relation in journal.bumped.relations} == {"customers", "invoices"}
    assert not journal.bumped.unknown
    with open_scope(ScopeKind.REQUEST, "GET /customers") as scope:
        async with AsyncSession(engine) as session:
            found = await session.get_one(Customer, key, options=[selectinload(Customer.bills)])
            assert len(found.bills) == 2
            await session.delete(found)
            await session.rollback()
    assert not scope.unknown
    assert {relation.name for relation in scope.reads} == {"customers", "invoices"}


async def test_a_catalogue_that_was_not_primed_is_read_by_the_first_statement(engine: AsyncEngine) -> None:
    hook(engine)
    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT * FROM open_invoices"))
    # The engine's own first look at the server reads pg_catalog, and that is no table of ours.
    assert {relation.name for relation in scope.reads} == {"customers", "invoices"}


async def test_ddl_is_known_when_it_is_committed(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("CREATE TABLE fresh (id int)")
        await connection.exec_driver_sql("CREATE VIEW fresh_view AS SELECT * FROM fresh")
        await connection.exec_driver_sql("SELECT * FROM fresh_view")
        await connection.commit()
        assert journal.bumped.unknown == {"main"}
        journal.bumped = WriteSet()
        with open_scope(ScopeKind.REQUEST, "GET /") as scope:
            await connection.exec_driver_sql("SELECT * FROM fresh_view")
        await connection.exec_driver_sql("INSERT INTO fresh_view VALUES (1)")
        await connection.commit()
        assert {relation.name for relation in journal.bumped.relations} == {"fresh"}
        await connection.exec_driver_sql("DROP TABLE fresh CASCADE")
        await connection.commit()
    assert scope.reads == {Relation("main", "fresh")}
    assert not scope.unknown


async def test_a_table_made_behind_our_back_is_found_when_it_is_named(
    engine: AsyncEngine, corpus_url: str
) -> None:
    hook(engine)
    stranger = create_async_engine(corpus_url)
    async with engine.connect() as connection, stranger.connect() as other:
        await connection.exec_driver_sql("SELECT count(*) FROM customers")
        await connection.commit()
        await other.exec_driver_sql("CREATE TABLE behind (id int)")
        await other.commit()
        with open_scope(ScopeKind.REQUEST, "GET /") as scope:
            await connection.exec_driver_sql("SELECT * FROM behind")
        await connection.commit()
        await other.exec_driver_sql("DROP TABLE behind")
        await other.commit()
    await stranger.dispose()
    assert scope.reads == {Relation("main", "behind")}
    assert not scope.unknown


async def test_a_failed_transaction_does_not_confuse_the_catalogue(engine: AsyncEngine) -> None:
    hook(engine)
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="division by zero"):
            await connection.exec_driver_sql("SELECT 1 / 0 FROM customers")
        with pytest.raises(Exception, match="aborted"):
            await connection.exec_driver_sql("SELECT 2 FROM customers")
        await connection.rollback()
        with open_scope(ScopeKind.REQUEST, "GET /") as scope:
            await connection.exec_driver_sql("SELECT 3 FROM customers")
    assert scope.reads == {Relation("main", "customers")}


async def test_t4_a_procedure_counts_at_once_because_it_may_commit_by_itself(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with engine.connect() as connection:
        options = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await options.exec_driver_sql("CALL settle()")
    assert journal.told[:2] == ["mark", "bump"]
    assert journal.bumped.unknown == {"main"}


async def test_t4_a_block_may_change_the_schema(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO archive SELECT 1, 1 WHERE false"))
        await connection.exec_driver_sql(
            "DO $$ BEGIN CREATE RULE audited AS ON UPDATE TO archive DO ALSO DELETE FROM audit; END $$"
        )
        await connection.commit()
        sql.observe_transactions(journal)
        await connection.execute(text("UPDATE archive SET total = 0"))
        await connection.commit()
        await connection.exec_driver_sql("DROP RULE audited ON archive")
        await connection.commit()
    assert Relation("main", "audit") in journal.bumped.relations


async def test_t4_a_deferred_trigger_is_in_the_mark(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE accounts SET balance = 1"))
    assert Relation("main", "stats") in journal.bumped.relations


async def test_t1_schema_maps_and_search_paths_cannot_lead_past_the_relation(engine: AsyncEngine) -> None:
    hook(engine)
    table = Table("grants", MetaData(), Column("role", String))
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET search_path = hr, public")
        with open_scope(ScopeKind.REQUEST, "path") as path:
            await connection.execute(select(table))
        mapped = await connection.execution_options(schema_translate_map={None: "hr"})
        with open_scope(ScopeKind.REQUEST, "map") as map_:
            await mapped.execute(select(table))
    assert path.reads == map_.reads == {Relation("main", "hr.grants")}


async def test_autocommit_counts_at_once(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with engine.connect() as connection:
        automatic = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await automatic.execute(text("DELETE FROM stats"))
        assert journal.told == ["mark", "bump"]


async def test_t7_a_commit_whose_connection_is_lost_is_bumped(engine: AsyncEngine) -> None:
    """The server's process ends before it answers; what became of the COMMIT, nobody here can say."""
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)

    killer = create_async_engine(engine.url, isolation_level="AUTOCOMMIT")
    async with killer.connect() as other:
        # asyncpg says it in one of three ways, by how much of the end it has read before the COMMIT.
        with pytest.raises(Exception, match=r"closed|terminat|another operation"):
            await self_destruct(engine, other)
        assert journal.told == ["mark", "bump"]
    await killer.dispose()


async def self_destruct(engine: AsyncEngine, other: Any) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("DELETE FROM stats"))
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await other.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        await connection.commit()
