"""PostgreSQL: transactions, DDL, sessions and what runs in the background (the corpus has a file of its own)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from sqlalchemy.util import greenlet_spawn

from steinmetz.sql import Relation, ScopeKind, SqlHook, StatementFacts, WriteSet, hook, open_scope
from steinmetz.sql.attendant import Attendant
from steinmetz.sql.postgres import PostgresKnowledge
from steinmetz.sql.probe import ask
from steinmetz.sql.session import Session
from steinmetz.tasks import Tasks
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
        customer = Customer(name="a", bills=[Invoice(number="R71"), Invoice(number="R72")])
        session.add(customer)
        await session.commit()
        key = customer.id
    assert journal.told == ["mark", "bump"]
    # The one of hr as well: names are matched in all schemas until the server has been asked.
    assert {relation.name for relation in journal.bumped.relations} == {*BOTH, "invoices"}
    assert not journal.bumped.unknown
    with open_scope(ScopeKind.REQUEST, "GET /customers") as scope:
        async with AsyncSession(engine) as session:
            found = await session.get_one(Customer, key, options=[selectinload(Customer.bills)])
            assert len(found.bills) == 2
            await session.delete(found)
            await session.rollback()
    assert not scope.unknown
    assert {relation.name for relation in scope.reads} == {*BOTH, "invoices"}


async def test_a_catalogue_that_was_not_primed_is_read_by_the_first_statement(engine: AsyncEngine) -> None:
    hook(engine)
    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT * FROM open_invoices"))
    # The engine's own first look at the server reads pg_catalog, and that is no table of ours.
    assert {relation.name for relation in scope.reads} == {"customers", "invoices"}


async def test_ddl_is_told_when_it_stands(engine: AsyncEngine) -> None:
    told: list[str] = []
    hook(engine).observe_schema(SimpleNamespace(defined=lambda facts: told.append(facts.text.split()[2])))
    async with engine.connect() as connection:
        await connection.exec_driver_sql("CREATE INDEX undone ON customers (name)")
        await connection.rollback()
        await connection.exec_driver_sql("CREATE INDEX kept ON customers (name)")
        savepoint = await connection.begin_nested()
        await connection.exec_driver_sql("CREATE INDEX undone_too ON customers (name)")
        await savepoint.rollback()
        assert told == []
        await connection.commit()
        assert told == ["kept"]
        await connection.exec_driver_sql("DROP INDEX kept")
        savepoint = await connection.begin_nested()
        with pytest.raises(DBAPIError):
            await connection.exec_driver_sql("SELECT nothing")
        await savepoint.rollback()
        await connection.commit()
        await connection.exec_driver_sql("CREATE INDEX undone ON customers (name)")
        with pytest.raises(DBAPIError):
            await connection.exec_driver_sql("SELECT nothing")
        await connection.commit()  # of which the server makes a ROLLBACK
        named = "SELECT count(*) FROM pg_class WHERE relname IN ('kept', 'undone', 'undone_too')"
        assert await connection.scalar(text(named)) == 0
    assert told == ["kept", "kept"]
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.exec_driver_sql("CREATE TABLE at_once (id int)")
        await connection.exec_driver_sql("DROP TABLE at_once")
    assert [name.split("(")[0] for name in told[2:]] == ["at_once", "at_once"]


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
            await connection.exec_driver_sql("SELECT 1 / 0 FROM items")
        with pytest.raises(Exception, match="aborted"):
            await connection.exec_driver_sql("SELECT 2 FROM items")
        await connection.rollback()
        with open_scope(ScopeKind.REQUEST, "GET /") as scope:
            await connection.exec_driver_sql("SELECT 3 FROM items")
    assert scope.reads == {Relation("main", "items")}


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


# What a name means: search_path, role, schema map, temporary tables (trap T1)


@asynccontextmanager
async def attended(engine: AsyncEngine) -> AsyncIterator[tuple[SqlHook, Attendant]]:
    sql = hook(engine)
    await sql.prime()
    attendant = sql.attendant()
    assert attendant is not None
    tasks = Tasks("test")
    tasks.spawn("attend", attendant.run())
    await attendant.settled()
    yield sql, attendant
    await tasks.aclose()


async def reads_of(connection: AsyncConnection, statement: Any) -> set[str]:
    with open_scope(ScopeKind.REQUEST, "test") as scope:
        await connection.execute(text(statement) if isinstance(statement, str) else statement)
    assert not scope.unknown
    return {relation.name for relation in scope.reads}


NAME = "SELECT name FROM customers WHERE id = 51"
BOTH = {"customers", "hr.customers"}


async def test_t1_it_is_asked_again_where_a_temporary_schema_stands(engine: AsyncEngine) -> None:
    """PostgreSQL drops what a driver has prepared when a schema is made; a probe makes one only where none is."""

    def asked() -> list[set[int]]:
        pool = engine.sync_engine.pool.recreate()
        connection = pool.connect()
        try:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE scratch (id int)")
            cursor.close()
            connection.commit()
            text_of = "SELECT name FROM {}.customers".format
            names = ("hr", "public", "hr")
            return [set(ask(connection, text_of(name), Session()).analysis.relations) for name in names]
        finally:
            connection.close()
            pool.dispose()

    first, second, again = await greenlet_spawn(asked)
    assert first == again != second


async def test_t1_one_text_is_another_relation_in_another_search_path(engine: AsyncEngine) -> None:
    async with attended(engine) as (_, attendant), engine.connect() as connection:
        await connection.exec_driver_sql("SET search_path = hr, public")
        await connection.commit()
        assert await reads_of(connection, NAME) == BOTH
        await attendant.settled()
        assert await reads_of(connection, NAME) == {"hr.customers"}
        await connection.commit()
        async with engine.connect() as other:
            assert await reads_of(other, NAME) == BOTH
            await attendant.settled()
            assert await reads_of(other, NAME) == {"customers"}
        assert await reads_of(connection, NAME) == {"hr.customers"}
        await connection.exec_driver_sql("RESET search_path")
        assert await reads_of(connection, NAME) == BOTH  # what it is reset to, nobody has said
        await connection.invalidate()


async def test_t1_what_is_set_locally_ends_with_the_transaction_and_a_rollback_undoes_any(
    engine: AsyncEngine,
) -> None:
    async with attended(engine) as (_, attendant), engine.connect() as connection:
        for statement in ("SELECT 1", "SET LOCAL search_path = hr, public"):
            await connection.exec_driver_sql(statement)
            await reads_of(connection, NAME)
            await attendant.settled()
        assert await reads_of(connection, NAME) == {"hr.customers"}
        await connection.commit()
        assert await reads_of(connection, NAME) == {"customers"}
        await connection.exec_driver_sql("SET search_path = hr, public")
        assert await reads_of(connection, NAME) == {"hr.customers"}
        await connection.rollback()
        assert await reads_of(connection, NAME) == {"customers"}
        async with connection.begin_nested() as savepoint:
            await connection.exec_driver_sql("SET LOCAL search_path = hr, public")
            assert await reads_of(connection, NAME) == {"hr.customers"}
            await savepoint.rollback()
        assert await reads_of(connection, NAME) == BOTH  # names are blurred by the rollback to a savepoint
        await connection.invalidate()


async def test_t1_a_role_has_names_of_its_own(engine: AsyncEngine) -> None:
    async with attended(engine) as (sql, attendant), engine.connect() as connection:
        await connection.exec_driver_sql("CREATE ROLE hr")
        await connection.exec_driver_sql("GRANT USAGE ON SCHEMA hr TO hr")
        await connection.exec_driver_sql("GRANT SELECT ON hr.customers, customers TO hr")
        await connection.commit()
        assert sql.oracle is not None
        assert await reads_of(connection, NAME) == BOTH
        await attendant.settled()
        assert await reads_of(connection, NAME) == {"customers"}
        await connection.exec_driver_sql("SET LOCAL ROLE hr")  # "$user" is first in the search_path
        assert await reads_of(connection, NAME) == BOTH
        await attendant.settled()
        assert await reads_of(connection, NAME) == {"hr.customers"}
        await connection.rollback()
        await connection.exec_driver_sql("DROP OWNED BY hr")
        await connection.exec_driver_sql("DROP ROLE hr")
        await connection.commit()


async def test_t1_a_temporary_table_hides_a_real_one_on_its_connection_only(engine: AsyncEngine) -> None:
    async with attended(engine) as (_, attendant), engine.connect() as connection:
        await connection.exec_driver_sql("CREATE TEMP TABLE customers (id int, name text)")
        await connection.commit()
        found = await reads_of(connection, NAME)
        assert {name.rpartition(".")[2] for name in found} == {"customers"}
        assert len(found) == 3
        await attendant.settled()
        assert await reads_of(connection, NAME) == found
        async with engine.connect() as other:
            await reads_of(other, NAME)
            await attendant.settled()
            assert await reads_of(other, NAME) == {"customers"}
        await connection.invalidate()


async def test_t1_the_same_compiled_object_in_two_schemas(engine: AsyncEngine) -> None:
    table = Table("customers", MetaData(), Column("name", String), schema="tenant")
    statement = select(table.c.name)
    async with attended(engine) as (_, attendant), engine.connect() as connection:
        for _ in range(2):
            found = []
            for schema_name in ("hr", "public"):
                mapped = await connection.execution_options(schema_translate_map={"tenant": schema_name})
                found.append(await reads_of(mapped, statement))
            await attendant.settled()
        assert found == [{"hr.customers"}, {"customers"}]


async def test_t1_set_config_counts_only_where_it_moves_names(engine: AsyncEngine) -> None:
    setting = text("SELECT set_config(:name, :value, true)")
    async with attended(engine) as (_, attendant), engine.connect() as connection:
        await reads_of(connection, NAME)
        await attendant.settled()
        await connection.execute(setting, {"name": "app.user", "value": "7"})
        assert await reads_of(connection, NAME) == {"customers"}
        await connection.execute(setting, {"name": "search_path", "value": "hr"})
        assert await reads_of(connection, NAME) == BOTH
        await connection.invalidate()


# In the background


async def test_columns_are_told_where_they_are_certain(engine: AsyncEngine) -> None:
    told = {
        "SELECT name FROM customers WHERE city = 'Ulm'": {"customers": {"name", "city"}},
        "SELECT count(*) FROM items": {"items": set()},
        "SELECT c FROM customers c": None,
        "SELECT name FROM plain_customers": None,  # a view's columns are not followed
        "SELECT plate FROM vehicles": None,
        "SELECT name FROM hr.employees": None,  # its policy looks at others
        "UPDATE customers SET city = 'Bonn' WHERE name = 'x'": {"customers": {"city"}},
        "UPDATE orders SET amount = 1": {"limits": None},
        "DELETE FROM queue": None,
    }
    async with attended(engine) as (sql, attendant), engine.connect() as connection:
        for statement in told:
            await connection.exec_driver_sql(statement)
        await attendant.settled()
        for statement, columns in told.items():
            await connection.exec_driver_sql(statement)
            found = sql.facts_of(statement).columns or {}
            assert {relation.name: set(names) for relation, names in found.items()} == {
                name: names for name, names in (columns or {}).items() if names is not None
            }, statement
        behind = sql.facts_of("UPDATE orders SET amount = 1").behind
        assert {relation.name for relation in behind} == {"orders"}  # a BEFORE trigger revises its rows


async def test_t4_a_trigger_of_another_process_is_seen_at_the_next_look(
    engine: AsyncEngine, corpus_url: str
) -> None:
    stranger = create_async_engine(corpus_url)
    async with attended(engine) as (sql, attendant), stranger.connect() as other:
        journal = Journal()
        sql.observe_transactions(journal)
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM queue WHERE id = -1"))
        assert {relation.name for relation in journal.bumped.relations} == {"queue"}
        await other.exec_driver_sql(
            "CREATE TRIGGER foreign_one AFTER DELETE ON queue FOR EACH STATEMENT EXECUTE FUNCTION emptied()"
        )
        await other.commit()
        looks = attendant.looks
        await attendant.look()
        assert attendant.looks == looks + 1
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM queue WHERE id = -1"))
        await other.exec_driver_sql("DROP TRIGGER foreign_one ON queue")
        await other.commit()
    await stranger.dispose()
    assert {relation.name for relation in journal.bumped.relations} == {"queue", "order_log"}


async def test_t4_the_schema_is_looked_at_by_itself(engine: AsyncEngine, corpus_url: str) -> None:
    sql = hook(engine)
    await sql.prime()
    attendant = sql.attendant(narrow=False, poll_s=0.02)
    assert attendant is not None
    tasks = Tasks("test")
    tasks.spawn("attend", attendant.run())
    known = sql.knowledge
    assert isinstance(known, PostgresKnowledge)
    before = known.fingerprint
    stranger = create_async_engine(corpus_url)
    async with stranger.begin() as other:
        await other.exec_driver_sql("CREATE TABLE passing (id int)")
    while known.fingerprint == before or known.catalogue is None:
        await asyncio.sleep(0.01)
    assert known.catalogue.knows("passing")
    async with stranger.begin() as other:
        await other.exec_driver_sql("DROP TABLE passing")
    await stranger.dispose()
    await tasks.aclose()
    assert not known.narrowing.is_attended


async def test_the_background_comes_back_after_its_connection_was_lost(
    engine: AsyncEngine, corpus_url: str
) -> None:
    async with attended(engine) as (_, attendant):
        killer = create_async_engine(corpus_url)
        async with killer.connect() as other:
            await other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await killer.dispose()
        await engine.dispose()
        async with engine.connect() as connection:
            assert await reads_of(connection, NAME) == BOTH
            await attendant.settled()
            assert await reads_of(connection, NAME) == {"customers"}


async def test_t4_a_refreshed_view_is_written(engine: AsyncEngine) -> None:
    sql = hook(engine)
    journal = Journal()
    sql.observe_transactions(journal)
    async with engine.begin() as connection:
        await connection.execute(text("REFRESH MATERIALIZED VIEW sales"))
    assert journal.bumped == WriteSet(frozenset({Relation("main", "sales")}))


async def test_nothing_is_asked_where_it_is_not_allowed(engine: AsyncEngine, corpus_url: str) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        await connection.exec_driver_sql("REVOKE TEMPORARY ON DATABASE sql_corpus FROM PUBLIC")
        await connection.exec_driver_sql("GRANT SELECT ON customers TO guest")
    limited = create_async_engine(make_url(corpus_url).set(username="guest", password="guest"))
    try:
        async with attended(limited) as (sql, attendant), limited.connect() as connection:
            await reads_of(connection, NAME)
            await attendant.settled()
            assert await reads_of(connection, NAME) == BOTH
            assert isinstance(sql.knowledge, PostgresKnowledge)
            assert not sql.knowledge.narrowing.is_attended
    finally:
        await limited.dispose()
        async with engine.begin() as connection:
            await connection.exec_driver_sql("GRANT TEMPORARY ON DATABASE sql_corpus TO PUBLIC")
            await connection.exec_driver_sql("DROP OWNED BY guest")
            await connection.exec_driver_sql("DROP ROLE guest")


async def messages_sent(connection: AsyncConnection, statements: list[str]) -> int:
    """How often the driver writes to its socket for these statements and a COMMIT."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    transport = driver._transport
    count = 0

    def write(data: bytes) -> None:
        nonlocal count
        count += 1
        type(transport).write(transport, data)

    transport.write = write
    for statement in statements:
        await connection.execute(text(statement))
    await connection.commit()
    del transport.write
    return count


async def test_the_steady_state_asks_the_server_nothing_more(engine: AsyncEngine, corpus_url: str) -> None:
    statements = [NAME, "UPDATE customers SET city = 'Ulm' WHERE id = -1", "SELECT customer_total(1)"]
    bystander = create_async_engine(corpus_url)
    async with bystander.connect() as connection:
        await messages_sent(connection, statements)  # what is sent once, to prepare them
        expected = await messages_sent(connection, statements)
    await bystander.dispose()
    async with attended(engine) as (sql, attendant), engine.connect() as connection:
        assert sql.oracle is not None
        new = await messages_sent(connection, statements)
        for _ in range(sql.oracle.first):
            await messages_sent(connection, statements)
            await attendant.settled()
        known = await messages_sent(connection, statements)
    assert new > expected  # the first writes are checked
    assert known == expected >= len(statements)


BEHIND = """
    CREATE FUNCTION seen_before(text) RETURNS boolean LANGUAGE sql
        BEGIN ATOMIC SELECT EXISTS (SELECT FROM tenants WHERE name = $1); END;
    CREATE DOMAIN known_name AS text CHECK (VALUE IS NULL OR seen_before(VALUE));
    CREATE FUNCTION any_limit() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT max(most) FROM limits; END;
    CREATE DOMAIN limited AS int DEFAULT any_limit();
    CREATE TABLE named (name known_name, most limited, other int);
    CREATE FUNCTION near(int, int) RETURNS boolean LANGUAGE sql
        BEGIN ATOMIC SELECT EXISTS (SELECT FROM nodes WHERE id = $1 - $2); END;
    CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = near);
    CREATE FUNCTION weigh(bigint, int) RETURNS bigint LANGUAGE sql
        BEGIN ATOMIC SELECT $1 + count(*) FROM bins; END;
    CREATE AGGREGATE weight(int) (SFUNC = weigh, STYPE = bigint, INITCOND = '0');
    CREATE TYPE code AS (value int);
    CREATE FUNCTION coded(int) RETURNS code LANGUAGE sql BEGIN ATOMIC SELECT ROW(max(id))::code FROM pages; END;
    CREATE CAST (int AS code) WITH FUNCTION coded(int);
    CREATE FUNCTION is_late(int) RETURNS boolean LANGUAGE sql
        BEGIN ATOMIC SELECT EXISTS (SELECT FROM calls); END;
    CREATE TRIGGER late AFTER DELETE ON named FOR EACH ROW WHEN (is_late(OLD.other)) EXECUTE FUNCTION move_noted();
"""
TIDIED = """
    DROP TABLE named;
    DROP FUNCTION is_late(int);
    DROP TYPE code CASCADE;
    DROP AGGREGATE weight(int);
    DROP FUNCTION weigh(bigint, int);
    DROP OPERATOR ~~~ (int, int);
    DROP FUNCTION near(int, int);
    DROP DOMAIN limited;
    DROP FUNCTION any_limit();
    DROP DOMAIN known_name;
    DROP FUNCTION seen_before(text);
"""


async def test_what_stands_behind_operators_casts_domains_aggregates_and_conditions(
    engine: AsyncEngine, corpus_url: str
) -> None:
    told = {
        "SELECT other FROM named WHERE other ~~~ 5": ({"named", "nodes"}, set()),
        "SELECT weight(other) FROM named": ({"named", "bins"}, set()),
        # Which of the domains is in a type is not told apart.
        "SELECT 5::code": ({"pages", "tenants", "limits"}, set()),
        "SELECT 'one'::known_name": ({"tenants", "limits"}, set()),
        "INSERT INTO named (other) VALUES (1)": ({"tenants", "limits"}, {"named"}),
        "DELETE FROM named": ({"calls"}, {"named", "event_moves"}),
        "SELECT other FROM named": ({"named"}, set()),
    }
    stranger = create_async_engine(corpus_url)
    async with stranger.connect() as other:
        raw = await other.get_raw_connection()
        driver: Any = raw.driver_connection
        await driver.execute(BEHIND)
        try:
            async with attended(engine) as (sql, attendant), engine.connect() as connection:
                seen: list[StatementFacts] = []
                sql.observe_executions(lambda execution: seen.append(execution.facts))
                for _ in range(2):
                    for statement in told:
                        await connection.exec_driver_sql(statement)
                    await connection.rollback()
                    await attendant.settled()
                at_first, at_last = seen[: len(told)], seen[len(told) :]
                for (statement, (reads, writes)), new, known in zip(told.items(), at_first, at_last, strict=True):
                    for facts in (new, known):
                        assert reads <= {relation.name for relation in facts.reads}, statement
                    if not writes:
                        assert {relation.name for relation in known.reads} == reads, statement
                    assert {relation.name for relation in known.writes} == writes, statement
        finally:
            await engine.dispose()
            await driver.execute(TIDIED)
    await stranger.dispose()


async def test_foreign_tables_may_be_written_by_anybody(engine: AsyncEngine, corpus_url: str) -> None:
    hook(engine)
    async with engine.connect() as connection:
        available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'"
        there = await connection.scalar(text(available))
        if there:
            await connection.exec_driver_sql("CREATE EXTENSION file_fdw")
            await connection.exec_driver_sql("CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
            await connection.exec_driver_sql(
                "CREATE FOREIGN TABLE remote (a text) SERVER files OPTIONS (filename '/dev/null')"
            )
            await connection.commit()
            with open_scope(ScopeKind.REQUEST, "foreign") as scope:
                await connection.exec_driver_sql("SELECT a FROM remote")
            assert scope.unknown
            await connection.exec_driver_sql("DROP EXTENSION file_fdw CASCADE")
            await connection.commit()
        assert there in (0, 1)


# The sampled check


async def test_what_was_written_without_a_prediction_is_an_alarm_and_is_in_the_mark(
    engine: AsyncEngine, corpus_url: str
) -> None:
    """A trigger of another process, before it is noticed."""
    sql = hook(engine)
    await sql.prime()
    assert sql.oracle is not None
    journal = Journal()
    sql.observe_transactions(journal)
    told: list[tuple[str, frozenset[Relation]]] = []
    sql.oracle.on_surprise = lambda facts, relations: told.append((facts.text, relations))
    stranger = create_async_engine(corpus_url)
    statement = text("INSERT INTO queue (done) VALUES (true)")
    async with stranger.connect() as other:
        async with engine.begin() as connection:
            await connection.execute(statement)
        assert {relation.name for relation in journal.bumped.relations} == {"queue"}
        await other.exec_driver_sql(
            "CREATE TRIGGER foreign_two AFTER INSERT ON queue FOR EACH ROW EXECUTE FUNCTION move_noted()"
        )
        await other.commit()
        for _ in range(2):
            journal.bumped = WriteSet()
            async with engine.begin() as connection:
                await connection.execute(statement)
            assert {relation.name for relation in journal.bumped.relations} == {"queue", "event_moves"}
        await other.exec_driver_sql("DROP TRIGGER foreign_two ON queue")
        await other.commit()
    await stranger.dispose()
    assert told == [("INSERT INTO queue(done) VALUES (true)", frozenset({Relation("main", "event_moves")}))]
    assert sql.oracle.checked == 3
    assert sql.oracle.surprises == 1


async def test_the_check_leaves_the_transaction_alone(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = hook(engine)
    await sql.prime()
    assert sql.oracle is not None
    monkeypatch.setattr("steinmetz.sql.oracle._counting", lambda tables: "SELECT 1 / 0")
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO stats VALUES ('kept', 1)"))
        kept = await connection.execute(text("SELECT n FROM stats WHERE key = 'kept'"))
        assert kept.scalar_one() == 1
        await connection.rollback()
    assert sql.oracle.checked == 0


async def test_the_check_can_be_switched_off_and_is_sampled(engine: AsyncEngine) -> None:
    sql = hook(engine)
    await sql.prime()
    assert sql.oracle is not None
    sql.oracle.first, sql.oracle.every = 2, 5
    async with engine.connect() as connection:
        for _ in range(11):
            await connection.execute(text("DELETE FROM stats WHERE key = 'none'"))
        assert sql.oracle.checked == 4  # the first two, then 5 and 10
        sql.oracle.enabled = False
        for _ in range(10):
            await connection.execute(text("DELETE FROM stats WHERE key = 'none'"))
        await connection.rollback()
    assert sql.oracle.checked == 4
