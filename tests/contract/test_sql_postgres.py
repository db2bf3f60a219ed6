"""PostgreSQL: transactions, DDL, sessions and what runs in the background (the corpus has a file of its own)."""

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
    make_url,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from steinmetz.sql import Relation, ScopeKind, WriteSet, hook, open_scope
from tests.contract.sql_corpus.corpus import schema

pytestmark = pytest.mark.anyio


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


@pytest.fixture
async def engine(corpus_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(corpus_url)
    yield engine
    await engine.dispose()


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
