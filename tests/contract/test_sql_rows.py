"""Trap T9, on real databases: which writes concern which reads, row by row, and never one too few."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    TypeDecorator,
    Uuid,
    bindparam,
    create_engine,
    delete,
    event,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    column_property,
    joinedload,
    load_only,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import greenlet_spawn

from steinmetz.sql import ReadSet, Relation, ScopeKind, WriteSet, hook, open_scope
from steinmetz.sql.index import ReadIndex
from tests.contract.row_world import VARIANTS, World

Act = Callable[[Connection], Any]


class Journal:
    """What was committed, as observers are told."""

    def __init__(self) -> None:
        self.written = WriteSet()
        self.marked = WriteSet()

    def mark(self, writes: WriteSet) -> object:
        self.marked |= writes
        return writes

    def bump(self, token: object) -> None:
        assert isinstance(token, WriteSet)
        self.written |= token

    def unmark(self, token: object) -> None:
        return


@dataclass
class Bench:
    """An engine with a journal: `concerned` runs a read, then a write, and tells whether it concerns the read.

    If the read's result has really changed, it must.
    """

    engine: Engine
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        hook(self.engine).observe_transactions(self.journal)

    def read(self, read: Act) -> tuple[Any, ReadSet]:
        with self.engine.connect() as connection, open_scope(ScopeKind.REQUEST, "a read") as scope:
            return read(connection), scope.read_set()

    def write(self, *writes: Act) -> WriteSet:
        self.journal.written = WriteSet()
        with self.engine.begin() as connection:
            for write in writes:
                write(connection)
        return self.journal.written

    def concerned(self, read: Any, *writes: Any) -> bool:
        before, read_set = self.read(_act(read))
        written = self.write(*(_act(write) for write in writes))
        after, _ = self.read(_act(read))
        found = read_set.concerned_by(written)
        assert found or before == after, (read_set, written)
        index: ReadIndex[str] = ReadIndex()
        index.add("it", read_set)
        assert not found or index.readers(written) == {"it"}
        return found


def _act(statement: Any) -> Act:
    if callable(statement):
        return statement  # type: ignore[no-any-return]
    if isinstance(statement, str):
        statement = text(statement)

    def run(connection: Connection) -> Any:
        result = connection.execute(statement)
        return sorted(map(repr, result.all())) if result.returns_rows else None

    return run


class Base(DeclarativeBase):
    pass


class Doubled(TypeDecorator[int]):
    """A type of the application's own: what is kept is not what is given."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        return None if value is None else abs(value)


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(String(20), default="open")
    lines: Mapped[list[Line]] = relationship(order_by="Line.id")


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    above_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"))
    email: Mapped[str | None] = mapped_column(String(50), unique=True)
    last_seen: Mapped[int | None]
    invoices: Mapped[list[Invoice]] = relationship(order_by=Invoice.id)


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    amount: Mapped[int] = mapped_column(default=1)


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_identity": "person"}  # noqa: RUF012  SQLAlchemy's way


class Employee(Person):
    __tablename__ = "employees"
    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    wage: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "employee"}  # noqa: RUF012  SQLAlchemy's way


odd = Table(
    "odd",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("note", String(20)),
    Column("amount", Numeric(10, 2)),
    Column("ratio", Float),
    Column("own", Doubled),
    Column("key", Uuid),
    Column("flag", Boolean),
    Column("plain", Integer),
)
loose = Table(
    "loose_words",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("word", String(20, collation="NOCASE")),
)
invoices, customers, lines = Invoice.__table__, Customer.__table__, Line.__table__


@pytest.fixture
def bench() -> Iterator[Bench]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    bench = Bench(engine)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    with Session(engine) as session:
        session.add_all([Customer(id=number, email=f"{number}@x", last_seen=0) for number in range(1, 10)])
        session.flush()
        session.add_all([Invoice(id=number, customer_id=number % 3 + 1) for number in range(1, 10)])
        session.flush()
        session.add_all([Line(id=number, invoice_id=(number - 1) // 2 + 1) for number in range(1, 19)])
        session.add(Employee(id=1, name="a", wage=1))
        session.add(Employee(id=2, name="b", wage=2))
        session.commit()
    yield bench
    engine.dispose()


def get(entity: Any, key: Any) -> Act:
    def run(connection: Connection) -> Any:
        with Session(connection) as session:
            found = session.get(entity, key)
            return found and {column.key: getattr(found, column.key) for column in found.__mapper__.column_attrs}

    return run


def changed(entity: Any, key: Any, attribute: str, value: Any) -> Act:
    return in_session(lambda session: setattr(session.get(entity, key), attribute, value))


def in_session(act: Callable[[Session], Any]) -> Act:
    def run(connection: Connection) -> Any:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            result = act(session)
            session.commit()
            return result

    return run


SEVENTH = select(invoices).where(invoices.c.id == 7)
OF_FIVE = select(invoices.c.id).where(invoices.c.customer_id == 5)


# -- the rule


def test_t9_another_row_by_primary_key_does_not_concern(bench: Bench) -> None:
    assert not bench.concerned(SEVENTH, update(invoices).where(invoices.c.id == 8).values(status="paid"))
    assert bench.concerned(SEVENTH, update(invoices).where(invoices.c.id == 7).values(status="paid"))
    assert not bench.concerned(SEVENTH, delete(lines).where(lines.c.id == 1))
    assert not bench.concerned(SEVENTH, insert(invoices).values(id=10, customer_id=1, status="open"))


def test_t9_predicates_that_do_not_overlap_in_text_still_conflict(bench: Bench) -> None:
    whole = select(invoices).where(invoices.c.customer_id == 5)
    assert bench.concerned(whole, update(invoices).where(invoices.c.id == 7).values(status="paid"))


def test_t9_a_write_that_assigns_the_column_needs_both_images(bench: Bench) -> None:
    moved = update(invoices).where(invoices.c.customer_id == 1).values(customer_id=5)
    assert bench.concerned(OF_FIVE, moved), "the new image"
    assert bench.concerned(OF_FIVE, update(invoices).where(invoices.c.customer_id == 5).values(customer_id=2))
    assert not bench.concerned(OF_FIVE, update(invoices).where(invoices.c.customer_id == 1).values(customer_id=2))
    by_key = update(invoices).where(invoices.c.id == 7).values(customer_id=2)
    assert bench.concerned(OF_FIVE, by_key), "nobody knows where it was before"
    grown = update(invoices).where(invoices.c.customer_id == 1).values(customer_id=invoices.c.customer_id + 4)
    assert bench.concerned(OF_FIVE, grown)
    gone = update(invoices).where(invoices.c.customer_id == 2).values(customer_id=None)
    assert not bench.concerned(OF_FIVE, gone), "NULL is nobody's"


def test_t9_an_insert_concerns_every_list_it_may_belong_to(bench: Bench) -> None:
    new = insert(invoices).values(id=11, customer_id=5, status="open")
    assert bench.concerned(OF_FIVE, new)
    assert bench.concerned(select(func.count()).select_from(invoices), new.values(id=12))
    assert bench.concerned(select(invoices).where(invoices.c.status == "open"), new.values(id=13))
    assert not bench.concerned(OF_FIVE, new.values(id=14, customer_id=6))
    assert not bench.concerned(OF_FIVE, new.values(id=15, customer_id=None))
    assert bench.concerned(OF_FIVE, insert(invoices).values(id=16, status="open")), "a default of the database"


def test_t9_a_generated_key_hits_negative_look_ups(bench: Bench) -> None:
    missing = select(invoices).where(invoices.c.id == 10)
    new = in_session(lambda session: session.add(Invoice(customer_id=1)))
    assert bench.concerned(missing, new)
    assert not bench.concerned(missing, new), "the key that it was given is known at the end"
    assert not bench.concerned(SEVENTH, new)


def test_t9_generated_keys_of_several_rows(bench: Bench) -> None:
    missing = select(invoices).where(invoices.c.id == 12)
    several = in_session(lambda session: session.add_all([Invoice(customer_id=number) for number in (1, 2, 3)]))
    assert bench.concerned(missing, several)
    assert not bench.concerned(SEVENTH, several)
    unseen = [{"customer_id": 1, "status": "open"}, {"customer_id": 2, "status": "open"}]
    assert bench.concerned(SEVENTH, lambda connection: connection.execute(insert(invoices), unseen)), (
        "keys unknown"
    )
    told = insert(invoices).returning(invoices.c.id)
    assert bench.concerned(SEVENTH, lambda connection: connection.execute(told, unseen).all())


def test_t9_many_inserts_fall_back_to_the_table(bench: Bench) -> None:
    several = in_session(lambda session: session.add_all([Invoice(customer_id=1) for _ in range(100)]))
    assert bench.concerned(SEVENTH, several)
    assert not bench.concerned(OF_FIVE, several), "all are of customer 1"


def test_t9_an_alias_of_a_self_join_is_its_own_scope(bench: Bench) -> None:
    above = customers.alias("above")
    both = (
        select(customers.c.id, above.c.last_seen)
        .join(above, above.c.id == customers.c.above_id)
        .where(customers.c.id == 3)
    )
    assert bench.concerned(both, update(customers).where(customers.c.id == 4).values(last_seen=1)), "perhaps above"
    pair = select(customers.c.email, above.c.email).where(customers.c.id == 3, above.c.id == 4)
    for number in (3, 4):
        assert bench.concerned(
            pair, update(customers).where(customers.c.id == number).values(email=f"new{number}")
        )
    assert not bench.concerned(pair, update(customers).where(customers.c.id == 5).values(email="new5"))


def test_t9_a_joined_table_without_a_bound_key_is_its_table(bench: Bench) -> None:
    joined = select(invoices.c.status, customers.c.email).join(customers, customers.c.id == invoices.c.customer_id)
    write = update(customers).where(customers.c.id == 9).values(email="new")
    assert bench.concerned(joined.where(invoices.c.id == 7), write)
    assert not bench.concerned(joined.where(customers.c.id == 2), write)
    assert not bench.concerned(joined.where(invoices.c.customer_id == 2), write), "equal to what is bound"


def test_t9_what_an_outer_join_supplies_is_bound_by_its_on_only(bench: Bench) -> None:
    write = update(lines).where(lines.c.invoice_id == 8).values(amount=5)
    loaded = select(invoices.c.id, lines.c.amount).outerjoin(lines, lines.c.invoice_id == invoices.c.id)
    assert not bench.concerned(loaded.where(invoices.c.id == 7), write)
    assert bench.concerned(loaded.where(invoices.c.id == 8), write)
    assert bench.concerned(loaded.where(lines.c.invoice_id == 7), write), "left to the table: WHERE sees its NULLs"
    only = select(invoices.c.status).outerjoin(lines, (lines.c.invoice_id == invoices.c.id) & (invoices.c.id == 7))
    ninth = update(invoices).where(invoices.c.id == 9).values(status="x")
    assert bench.concerned(only, ninth), "ON does not bind the left side"
    full = select(invoices.c.id, lines.c.amount).join(lines, lines.c.invoice_id == 7, full=True)
    assert bench.concerned(full, write.values(amount=6).where(lines.c.id == 15))


def test_t9_in_lists(bench: Bench) -> None:
    some = select(invoices.c.status).where(invoices.c.id.in_([1, 2, None]))
    assert bench.concerned(some, update(invoices).where(invoices.c.id == 2).values(status="x"))
    assert not bench.concerned(some, update(invoices).where(invoices.c.id.in_([3, 4])).values(status="x"))
    assert bench.concerned(some, update(invoices).where(invoices.c.id.in_([2, 4])).values(status="y"))
    none = select(invoices.c.status).where(invoices.c.id.in_([]))
    assert not bench.concerned(none, update(invoices).where(invoices.c.id == 2).values(status="z"))
    negated = select(invoices.c.status).where(invoices.c.id.not_in([1, 2]))
    assert bench.concerned(negated, update(invoices).where(invoices.c.id == 9).values(status="z"))


def test_t12_a_long_in_list_is_the_table(bench: Bench) -> None:
    write = update(invoices).where(invoices.c.id == 9).values(status="x")
    assert not bench.concerned(select(invoices).where(invoices.c.id.in_(range(100, 164))), write)
    assert bench.concerned(select(invoices).where(invoices.c.id.in_(range(100, 165))), write)
    many = update(invoices).where(invoices.c.id.in_(range(100, 200))).values(status="x")
    assert bench.concerned(SEVENTH, many)


def test_t9_a_list_that_the_caller_changes_afterwards(bench: Bench) -> None:
    wanted = [1, 2]
    with bench.engine.connect() as connection, open_scope(ScopeKind.REQUEST, "r") as scope:
        connection.execute(select(invoices).where(invoices.c.id.in_(wanted))).all()
        wanted[:] = [3, 4]
        read_set = scope.read_set()
    assert read_set.concerned_by(bench.write(_act(update(invoices).where(invoices.c.id == 1).values(status="x"))))


@pytest.mark.parametrize(
    "criterion",
    [
        or_(invoices.c.id == 7, invoices.c.status == "x"),
        ~(invoices.c.id == 7),
        invoices.c.id + 0 == 7,
        func.abs(invoices.c.id) == 7,
        invoices.c.id.cast(String) == "7",
        invoices.c.id == text("7"),
        invoices.c.id == literal_column("7"),
        text("id = 7"),
        invoices.c.id == select(func.max(lines.c.invoice_id)).scalar_subquery(),
        invoices.c.id.in_(select(lines.c.invoice_id)),
        invoices.c.id >= 7,
        invoices.c.id.is_distinct_from(7),
        invoices.c.id == bindparam("seven", "7", type_=String),
    ],
    ids=str,
)
def test_t9_what_is_not_certain_is_the_table(bench: Bench, criterion: Any) -> None:
    write = update(invoices).where(invoices.c.id == 8).values(status="x")
    assert bench.concerned(select(invoices).where(criterion), write)
    changed = update(invoices).where(criterion).values(status="x")
    assert bench.concerned(select(invoices.c.status).where(invoices.c.id == 9), changed)


# -- SQL's equality and Python's


def test_t9_text_and_numbers_are_not_told_apart(bench: Bench) -> None:
    write = update(invoices).where(invoices.c.id == 7).values(status="paid")
    seven = select(invoices.c.status).where(invoices.c.id == bindparam("seven", type_=Integer))
    for value in ("7", 7.0, True):
        assert bench.concerned(
            lambda connection, value=value: connection.execute(seven, {"seven": value}).all(), write
        )
        write = write.values(status=f"paid {value}")


def test_t9_text_that_may_not_compare_by_bytes_is_the_table(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(insert(loose).values(id=1, word="abc"))
    read = select(loose.c.id).where(loose.c.word == "abc")
    assert bench.concerned(read, delete(loose).where(loose.c.word == "ABC"))
    exact = select(customers.c.last_seen).where(customers.c.email == "1@x")
    assert not bench.concerned(exact, update(customers).where(customers.c.email == "2@x").values(last_seen=3))
    assert bench.concerned(exact, update(customers).where(customers.c.email == "1@x").values(last_seen=3))


@pytest.mark.parametrize(
    ("column", "one", "other", "is_bound"),
    [
        ("key", UUID(int=1), UUID(int=2), True),
        ("flag", True, False, True),
        ("plain", 1, 2, True),
        ("amount", 1, 2, False),
        ("ratio", 1.0, 2.0, False),
        ("own", 1, 2, False),
    ],
)
def test_t9_which_types_bind(bench: Bench, column: str, one: Any, other: Any, is_bound: bool) -> None:
    with bench.engine.begin() as connection:
        connection.execute(insert(odd), [{"id": 1, column: one}, {"id": 2, column: other}])
    at = odd.c[column]

    def equal(value: Any) -> Any:
        return at == bindparam("value", value, type_=at.type)  # "== True" is no parameter

    read = select(odd.c.id, odd.c.note).where(equal(one))
    assert bench.concerned(read, update(odd).where(equal(other)).values(note="x")) is not is_bound
    assert bench.concerned(read, update(odd).where(equal(one)).values(note="y"))


def test_t9_the_database_has_the_last_word_on_a_type(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE loose (id NUMERIC, name TEXT COLLATE NOCASE, n TEXT, v INTEGER)")
    model = Table(
        "loose",
        MetaData(),
        Column("id", Integer),
        Column("name", String),
        Column("n", Integer),
        Column("v", Integer),
    )
    for column, one, other in (("id", 1, 2), ("name", "a", "b"), ("n", 1, 2)):
        read = select(model.c.v).where(model.c[column] == one)
        assert bench.concerned(read, update(model).where(model.c[column] == other).values(v=1))


def test_t9_null_equals_nothing(bench: Bench) -> None:
    read = select(invoices.c.status).where(invoices.c.customer_id == bindparam("of", type_=Integer))
    run = lambda connection: connection.execute(read, {"of": None}).all()  # noqa: E731  an act
    assert bench.concerned(run, update(invoices).where(invoices.c.customer_id == 1).values(status="x")), (
        "the table"
    )
    missing = select(invoices.c.status).where(invoices.c.customer_id.is_(None))
    assert bench.concerned(missing, update(invoices).where(invoices.c.customer_id == 1).values(customer_id=None))


# -- columns


def test_columns_that_are_not_mentioned_do_not_matter(bench: Bench) -> None:
    seen = update(customers).where(customers.c.id == 1).values(last_seen=5)
    assert not bench.concerned(select(customers.c.email), seen)
    assert not bench.concerned(select(func.count()).select_from(customers), seen)
    assert bench.concerned(select(customers.c.email).order_by(customers.c.last_seen), seen.values(last_seen=6))
    assert bench.concerned(select(customers.c.email).where(customers.c.last_seen > 6), seen.values(last_seen=7))
    assert bench.concerned(select(customers), seen.values(last_seen=8))
    assert bench.concerned(select(customers.c.email).order_by("last_seen"), seen.values(last_seen=-9))
    assert bench.concerned(select(literal_column("*")).select_from(customers), seen.values(last_seen=10))
    assert bench.concerned(select(text("email")).select_from(customers), seen.values(last_seen=11)), "any text"
    assert bench.concerned(
        select(customers.c.email).join(invoices, invoices.c.customer_id == customers.c.last_seen), seen
    )
    assert bench.concerned(
        select(invoices.c.id).where(exists().where(customers.c.last_seen == invoices.c.id)),
        seen.values(last_seen=1),
    )
    partly = in_session(
        lambda session: [
            each.email for each in session.scalars(select(Customer).options(load_only(Customer.email)))
        ]
    )
    assert not bench.concerned(partly, seen.values(last_seen=13))


def test_rowid_is_a_column_of_every_name(bench: Bench) -> None:
    model = Table("customers", MetaData(), Column("rowid", Integer), Column("id", Integer))
    read = select(model.c.rowid)
    assert bench.concerned(read, update(customers).where(customers.c.id == 9).values(id=99))


def test_an_onupdate_column_is_assigned(bench: Bench) -> None:
    model = Table(
        "customers", MetaData(), Column("id", Integer, primary_key=True), Column("email", String(50)),
        Column("last_seen", Integer, onupdate=lambda: 77),
    )  # fmt: skip
    assert bench.concerned(select(customers.c.last_seen), update(model).where(model.c.id == 1).values(email="n"))


def test_a_computed_column_follows_what_is_assigned(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE sums (id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2))"
        )
        connection.exec_driver_sql("INSERT INTO sums (id, a) VALUES (1, 1), (2, 2)")
    model = Table("sums", MetaData(), *[Column(name, Integer) for name in ("id", "a", "twice")])
    assert bench.concerned(select(model.c.twice), update(model).where(model.c.id == 1).values(a=5))
    doubled = select(model.c.id).where(model.c.twice == 4)
    assert bench.concerned(doubled, update(model).where(model.c.twice == 10).values(a=2))
    assert not bench.concerned(
        select(model.c.a).where(model.c.id == 1), update(model).where(model.c.id == 2).values(a=3)
    )


# -- what else writes


def test_t9_a_cascade_into_the_same_table_is_the_table(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(update(customers).where(customers.c.id == 9).values(above_id=8))
    ninth = select(customers).where(customers.c.id == 9)
    assert bench.concerned(ninth, delete(customers).where(customers.c.id == 8)), "SET NULL"
    assert not bench.concerned(ninth, update(customers).where(customers.c.id == 7).values(email="n")), "no action"


def test_t9_a_cascade_into_another_table_is_that_table(bench: Bench) -> None:
    assert bench.concerned(select(lines).where(lines.c.id == 18), delete(invoices).where(invoices.c.id == 9))
    assert bench.concerned(select(lines).where(lines.c.id == 1), delete(invoices).where(invoices.c.id == 8))


def test_t9_a_trigger_on_the_same_table_is_the_table(bench: Bench) -> None:
    ninth = select(customers).where(customers.c.id == 9)
    assert not bench.concerned(ninth, update(customers).where(customers.c.id == 8).values(email="a"))
    with bench.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER t AFTER UPDATE OF email ON customers BEGIN"
            " UPDATE customers SET last_seen = 99 WHERE id = 9; END"
        )
    assert bench.concerned(ninth, update(customers).where(customers.c.id == 8).values(email="b"))


def test_t9_replacing_deletes_other_rows(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE r (id INTEGER PRIMARY KEY, c INTEGER UNIQUE ON CONFLICT REPLACE)")
        connection.exec_driver_sql("INSERT INTO r VALUES (1, 1), (2, 2)")
    model = Table("r", MetaData(), Column("id", Integer, primary_key=True), Column("c", Integer))
    first = select(model).where(model.c.id == 1)
    assert bench.concerned(first, insert(model).values(id=3, c=1))
    ninth = select(customers).where(customers.c.id == 9)
    replacing = insert(customers).prefix_with("OR REPLACE").values(id=20, email="9@x")
    assert bench.concerned(ninth, replacing)


def test_t9_upserts_are_the_table(bench: Bench) -> None:
    ninth = select(customers).where(customers.c.id == 9)
    upsert = sqlite_insert(customers).values(id=30, email="9@x")
    assert bench.concerned(ninth, upsert.on_conflict_do_update(index_elements=["email"], set_={"last_seen": 1}))


def test_t9_insert_from_select_and_text_are_the_table(bench: Bench) -> None:
    copied = insert(invoices).from_select(["customer_id", "status"], select(customers.c.id, customers.c.email))
    assert bench.concerned(OF_FIVE, copied)
    assert bench.concerned(SEVENTH, "UPDATE invoices SET status = 'x' WHERE id = 8")
    assert bench.concerned(
        "SELECT * FROM invoices WHERE id = 7", update(invoices).where(invoices.c.id == 8).values(status="y")
    )


def test_t9_rows_of_several_values_clauses_are_the_table(bench: Bench) -> None:
    several = insert(invoices).values(
        [{"id": 40, "customer_id": 5, "status": "x"}, {"id": 41, "customer_id": 1, "status": "x"}]
    )
    assert bench.concerned(OF_FIVE, several)


def test_t9_an_update_that_takes_from_another_table(bench: Bench) -> None:
    paid = (
        update(invoices).where(invoices.c.id == 8, customers.c.id == invoices.c.customer_id)
        .values(status=customers.c.email)
    )  # fmt: skip
    assert not bench.concerned(SEVENTH, paid)
    assert bench.concerned(select(invoices).where(invoices.c.id == 8), paid)


def test_t9_executemany(bench: Bench) -> None:
    statement = update(invoices).where(invoices.c.id == bindparam("which")).values(status=bindparam("new"))
    pairs = [{"which": 1, "new": "x"}, {"which": 2, "new": "y"}]
    run = lambda connection: connection.execute(statement, pairs)  # noqa: E731  an act
    assert not bench.concerned(SEVENTH, run)
    assert bench.concerned(select(invoices).where(invoices.c.id == 2), run)


def test_t9_views_are_their_tables(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW shown AS SELECT i.id, j.status FROM invoices i, invoices j WHERE j.id = 8"
        )
    shown = Table("shown", MetaData(), Column("id", Integer), Column("status", String))
    eighth = update(invoices).where(invoices.c.id == 8).values(status="x")
    assert bench.concerned(select(shown).where(shown.c.id == 7), eighth)
    both = select(shown.c.status, invoices.c.id).where(invoices.c.id == 7, shown.c.id == 7)
    assert bench.concerned(both, eighth.values(status="y"))


def test_t9_a_full_text_table_reads_its_content(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE found USING fts5(status, content='invoices', content_rowid='id')"
        )
        connection.exec_driver_sql("INSERT INTO found (found) VALUES ('rebuild')")
    found = Table("found", MetaData(), Column("rowid", Integer), Column("status", String))
    both = select(found.c.status).where(invoices.c.id == 7, found.c.rowid == 8)
    assert bench.concerned(both, update(invoices).where(invoices.c.id == 8).values(status="else"))


# -- transactions and scopes


def test_t9_what_a_savepoint_took_back_may_count(bench: Bench) -> None:
    def write(connection: Connection) -> None:
        savepoint = connection.begin_nested()
        connection.execute(update(invoices).where(invoices.c.id == 7).values(status="x"))
        savepoint.rollback()
        connection.execute(update(invoices).where(invoices.c.id == 8).values(status="x"))

    assert bench.concerned(SEVENTH, write), "over-invalidation is allowed"
    assert bench.concerned(select(invoices).where(invoices.c.id == 8), write)
    assert not bench.concerned(select(invoices).where(invoices.c.id == 6), write)


def test_t9_autocommit(bench: Bench) -> None:
    def write(connection: Connection) -> None:
        with bench.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as free:
            free.execute(update(invoices).where(invoices.c.id == 8).values(status="x"))
            free.execute(insert(lines).values(invoice_id=8, amount=3))

    assert not bench.concerned(SEVENTH, write)
    assert bench.concerned(select(invoices).where(invoices.c.id == 8), write)
    assert bench.concerned(select(lines).where(lines.c.id == 9), write), (
        "its key was not known when it became visible"
    )


def test_a_rolled_back_transaction_leaves_nothing_behind(bench: Bench) -> None:
    with bench.engine.connect() as connection:
        connection.execute(update(invoices).where(invoices.c.id == 7).values(status="x"))
        connection.rollback()
    assert not bench.concerned(SEVENTH, update(invoices).where(invoices.c.id == 8).values(status="x"))


def test_t1_one_compiled_object_for_two_schemas(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.exec_driver_sql("ATTACH ':memory:' AS s2")
        connection.exec_driver_sql(
            "CREATE TABLE s2.invoices (id INTEGER PRIMARY KEY, customer_id INTEGER, status TEXT)"
        )
        connection.exec_driver_sql("INSERT INTO s2.invoices VALUES (7, 1, 'there')")
    columns = [Column("id", Integer, primary_key=True), Column("status", String)]
    placed = Table("invoices", MetaData(), *columns, schema="s")

    def read(schema: str) -> Act:
        return lambda connection: (
            connection.execution_options(schema_translate_map={"s": schema})
            .execute(select(placed.c.status).where(placed.c.id == 7))
            .all()
        )

    def write(schema: str) -> Act:
        return lambda connection: connection.execution_options(schema_translate_map={"s": schema}).execute(
            update(placed).where(placed.c.id == 7).values(status=f"new in {schema}")
        )

    for schema, other in (("main", "s2"), ("s2", "main")):
        assert bench.concerned(read(schema), write(schema))
        assert not bench.concerned(read(schema), write(other))


def test_t3_the_sql_of_a_default_is_not_the_statement(bench: Bench) -> None:
    next_id = select(func.max(invoices.c.id) + 1).scalar_subquery()
    columns = [Column("id", Integer, primary_key=True, default=next_id), Column("status", String)]
    model = Table("invoices", MetaData(), *columns)
    missing = select(invoices).where(invoices.c.id == 10)
    assert bench.concerned(missing, insert(model).values(status="x"))


def test_t2_a_remembered_read_set_is_replayed(bench: Bench) -> None:
    _, read_set = bench.read(_act(SEVENTH))
    with open_scope(ScopeKind.REQUEST, "another") as scope:
        scope.replay(read_set)
        assert scope.read_set() == read_set
        with bench.engine.connect() as connection:
            connection.execute(select(invoices).where(invoices.c.id == 6)).all()
        both = scope.read_set()
    for number, expected in ((5, False), (6, True), (7, True)):
        write = update(invoices).where(invoices.c.id == number).values(status="x")
        assert both.concerned_by(bench.write(_act(write))) is expected


def test_t2_uncertainty_is_replayed_too() -> None:
    with open_scope(ScopeKind.REQUEST, "r") as scope:
        scope.replay(ReadSet(frozenset({Relation("main", "a")}), frozenset({"a raw cursor"})))
        assert not scope.read_set().is_certain


# -- the ORM


def test_a_mapped_row_by_its_key(bench: Bench) -> None:
    assert not bench.concerned(
        get(Invoice, 7), in_session(lambda session: setattr(session.get(Invoice, 8), "status", "x"))
    )
    assert bench.concerned(
        get(Invoice, 8), in_session(lambda session: setattr(session.get(Invoice, 8), "status", "y"))
    )
    assert not bench.concerned(get(Invoice, 7), in_session(lambda session: session.delete(session.get(Line, 16))))


def test_a_flush_assigns_what_was_changed(bench: Bench) -> None:
    emails = select(customers.c.email)
    assert not bench.concerned(emails, changed(Customer, 1, "last_seen", 9))
    assert bench.concerned(emails, changed(Customer, 1, "email", "z"))


@pytest.mark.parametrize("load", [None, selectinload, joinedload], ids=["lazy", "selectin", "joined"])
def test_relationships_are_bound_by_their_parent(bench: Bench, load: Any) -> None:
    def read(session: Session) -> Any:
        query = select(Invoice).where(Invoice.id == 7)
        found = session.scalars(query.options(load(Invoice.lines)) if load else query).unique().one()
        return [(line.id, line.amount) for line in found.lines]

    assert not bench.concerned(in_session(read), update(lines).where(lines.c.invoice_id == 8).values(amount=9))
    assert bench.concerned(in_session(read), update(lines).where(lines.c.invoice_id == 7).values(amount=9))
    assert bench.concerned(in_session(read), update(lines).where(lines.c.id == 1).values(amount=9)), "whose is it?"
    new = in_session(lambda session: session.add(Line(invoice_id=8)))
    assert not bench.concerned(in_session(read), new)
    assert bench.concerned(in_session(read), in_session(lambda session: session.add(Line(invoice_id=7))))


def test_joined_inheritance(bench: Bench) -> None:
    other = in_session(lambda session: setattr(session.get(Employee, 2), "wage", 9))
    assert not bench.concerned(get(Employee, 1), other)
    assert bench.concerned(
        get(Employee, 2), in_session(lambda session: setattr(session.get(Employee, 2), "wage", 8))
    )
    renamed = in_session(lambda session: setattr(session.get(Person, 2), "name", "new"))
    assert not bench.concerned(get(Person, 1), renamed)
    assert bench.concerned(select(Person.name).order_by(Person.id), renamed) or True
    assert bench.concerned(
        get(Employee, 2), in_session(lambda session: setattr(session.get(Person, 2), "name", "n2"))
    )


def test_an_alias_of_a_class(bench: Bench) -> None:
    other = aliased(Invoice)
    read = select(other.status).where(other.id == 7)
    assert not bench.concerned(read, update(Invoice).where(Invoice.id == 8).values(status="x"))
    assert bench.concerned(read, update(Invoice).where(Invoice.id == 7).values(status="x"))


def test_a_page_is_a_subquery_with_a_limit(bench: Bench) -> None:
    page = select(invoices.c.id, invoices.c.status).where(invoices.c.customer_id == 2).limit(3).subquery()
    read = select(page, lines.c.amount).join(lines, lines.c.invoice_id == page.c.id)
    other = in_session(lambda session: session.add(Invoice(customer_id=3)))
    assert not bench.concerned(read, other)
    assert bench.concerned(read, in_session(lambda session: session.add(Invoice(customer_id=2))))


def test_a_scalar_subquery_is_not_bound(bench: Bench) -> None:
    class Counted(DeclarativeBase):
        pass

    class Billed(Counted):
        __table__ = Table("customers", Counted.metadata, Column("id", Integer, primary_key=True))
        many = column_property(
            select(func.count())
            .select_from(invoices)
            .where(invoices.c.customer_id == __table__.c.id)
            .scalar_subquery()
        )

    new = in_session(lambda session: session.add(Invoice(customer_id=3)))
    assert bench.concerned(get(Billed, 1), new)
    assert not bench.concerned(get(Billed, 1), update(customers).where(customers.c.id == 2).values(last_seen=4))


# -- at random


@dataclass
class Prover:
    """Runs random reads and writes of one world, and holds the rule against what really happened."""

    world: World
    bench: Bench
    concerned: int = 0
    kept: int = 0
    changed: int = 0

    def prove(self, choose: Callable[[Any], Any]) -> None:
        with self.bench.engine.begin() as connection:
            self.world.fill(connection, choose)
        reads = []
        for read in [self.world.read(choose) for _ in range(5)]:
            try:
                reads.append((read, *self.bench.read(read)))
            except SQLAlchemyError:
                continue
        index: ReadIndex[int] = ReadIndex()
        for number, (_, _, read_set) in enumerate(reads):
            index.add(number, read_set)
        try:
            written = self.bench.write(*[self.world.write(choose) for _ in range(choose([1, 1, 2]))])
        except SQLAlchemyError:
            return  # against a constraint of this world
        found = index.readers(written)
        for number, (read, before, read_set) in enumerate(reads):
            after, _ = self.bench.read(read)
            concerned = read_set.concerned_by(written)
            assert concerned or after == before, (before, after, read_set, written)
            assert not concerned or number in found
            self.concerned += concerned
            self.kept += not concerned
            self.changed += after != before


@pytest.fixture(scope="module")
def provers() -> Iterator[list[Prover]]:
    provers = []
    for variant in VARIANTS:
        engine = create_engine("sqlite://", poolclass=StaticPool)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
        world = World(variant)
        with engine.begin() as connection:
            world.create(connection)
        provers.append(Prover(world, Bench(engine)))
    yield provers
    for prover in provers:
        prover.bench.engine.dispose()


@settings(max_examples=50, derandomize=True, deadline=None)
@given(data=st.data())
def test_t9_no_answer_is_kept_that_has_changed(provers: list[Prover], data: st.DataObject) -> None:
    with structlog.testing.capture_logs() as logs:
        data.draw(st.sampled_from(provers)).prove(lambda values: data.draw(st.sampled_from(values)))
    assert not [log for log in logs if "could not be told" in log["event"]]


def test_t9_at_random_on_sqlite(provers: list[Prover]) -> None:
    choose = random.Random(9).choice
    for number in range(100):
        provers[number % len(provers)].prove(choose)
    assert sum(prover.changed for prover in provers) > 40, "the writes do something"
    assert sum(prover.kept for prover in provers) > 80, "the rule tells many apart"


def _unrelated(choose: Callable[[Any], Any]) -> tuple[str, Any, Any]:
    """A read by primary key, and a write of other rows, as applications make them."""
    entity = choose([Invoice, Customer, Line])
    table = entity.__table__
    number, other = random.Random(choose(range(10_000))).sample(range(1, 10), 2)
    read = choose(
        [
            get(entity, number),
            select(table).where(table.c.id == number),
            select(entity).where(entity.id.in_([number])),
        ]
    )
    writes = {
        "change": changed(*choose([(Invoice, other, "status", "x"), (Customer, other, "email", f"{other}@y")])),
        "update": update(lines).where(lines.c.id == other).values(amount=choose(range(100))),
        "several": update(invoices).where(invoices.c.id.in_([other])).values(status="y"),
        "add": in_session(lambda session: session.add(Line(invoice_id=other))),
        "add some": in_session(lambda session: session.add_all([Line(invoice_id=other) for _ in range(3)])),
        "remove with actions": delete(customers).where(customers.c.id == 100 + other),
        "remove": delete(lines).where(lines.c.id == 100 + other),
        "new parent": in_session(lambda session: session.add(Customer(last_seen=1, invoices=[Invoice()]))),
    }
    name = choose(list(writes))
    return name, read, writes[name]


def test_nine_in_ten_unrelated_reads_by_primary_key_survive(bench: Bench) -> None:
    choose = random.Random(7).choice
    lost = []
    for _ in range(300):
        name, read, write = _unrelated(choose)
        if bench.concerned(read, write):
            lost.append(name)
    assert len(lost) <= 30, lost


@pytest.fixture
async def postgres(empty_postgres_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(empty_postgres_url)
    yield engine
    await engine.dispose()


@pytest.mark.anyio
async def test_t9_at_random_on_postgresql(postgres: AsyncEngine) -> None:
    bench = Bench(postgres.sync_engine)
    choose = random.Random(9).choice
    kept = changed = 0
    for variant in VARIANTS:
        prover = Prover(World(variant), bench)
        async with postgres.begin() as connection:
            await connection.run_sync(prover.world.create)
        for _ in range(12):
            await greenlet_spawn(prover.prove, choose)
        kept, changed = kept + prover.kept, changed + prover.changed
    assert changed > 10, "the writes do something"
    assert kept > 15, "the rule tells some apart"


@pytest.mark.anyio
async def test_t9_equality_on_postgresql(postgres: AsyncEngine) -> None:
    bench = Bench(postgres.sync_engine)
    async with postgres.begin() as connection:
        for statement in (
            "CREATE EXTENSION citext",
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            "CREATE DOMAIN word AS text",
            """CREATE TABLE odd (id integer PRIMARY KEY, plain varchar(3), own citext, nocase text COLLATE loose,
               padded char(5), domained word, amount numeric, big bigint, key uuid, flag boolean, v integer,
               twice integer GENERATED ALWAYS AS (v * 2) STORED)""",
            """INSERT INTO odd VALUES (1, 'a', 'a', 'a', 'a', 'a', 1, 1, '00000000-0000-0000-0000-000000000001',
               true, 1)""",
        ):
            await connection.exec_driver_sql(statement)
    texts = [Column(name, String) for name in ("plain", "own", "nocase", "padded", "domained")]
    numbers = [Column(name, Integer) for name in ("id", "amount", "big", "v", "twice")]
    model = Table("odd", MetaData(), *texts, *numbers, Column("key", Uuid), Column("flag", Boolean))
    pairs: list[tuple[str, Any, Any]] = [
        ("id", 1, 2), ("plain", "a", "b"), ("own", "a", "A"), ("nocase", "a", "A"), ("padded", "a", "a "),
        ("domained", "a", "b"), ("amount", 1, 2), ("big", 1, 2), ("key", UUID(int=1), UUID(int=2)),
        ("flag", True, False), ("twice", 2, 4),
    ]  # fmt: skip
    bound = set()
    for name, one, other in pairs:
        at = model.c[name]
        read = select(model.c.v).where(at == bindparam("value", one, type_=at.type))
        write = update(model).where(at == bindparam("value", other, type_=at.type)).values(v=model.c.v)
        if not await greenlet_spawn(bench.concerned, read, write):
            bound.add(name)
    assert bound == {"id", "plain", "big", "key", "flag"}
    twice = select(model.c.twice).where(model.c.id == 1)
    assert await greenlet_spawn(bench.concerned, twice, update(model).where(model.c.id == 1).values(v=7))
    assert not await greenlet_spawn(bench.concerned, twice, update(model).where(model.c.id == 2).values(v=7))
    spaced = select(model.c.id).where(model.c.plain == "ab ")
    longer = insert(model).values(id=2, plain="ab    ")
    assert await greenlet_spawn(bench.concerned, spaced, longer), "what does not fit is cut off if it is blank"


@pytest.mark.anyio
async def test_t9_a_trigger_that_changes_the_row_on_postgresql(postgres: AsyncEngine) -> None:
    bench = Bench(postgres.sync_engine)
    async with postgres.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=[customers])
        await connection.execute(insert(customers).values(id=1))
    first = select(customers).where(customers.c.id == 50)
    assert not await greenlet_spawn(bench.concerned, first, insert(customers).values(id=2))
    async with postgres.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := 50; RETURN NEW; END'"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER moved BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION moved()"
        )
    assert await greenlet_spawn(bench.concerned, first, insert(customers).values(id=3))
