"""Which columns of a row that a flush writes have images."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, load_only, mapped_column
from sqlalchemy.pool import StaticPool

from steinmetz.sql import Relation, WriteSet, hook, images
from steinmetz.sql.rows import Change
from steinmetz.sql.transaction_observer import Grain


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[int]
    state: Mapped[str]
    note: Mapped[str | None]
    changes: Mapped[int] = mapped_column(default=0, onupdate=7)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy's way


class Animal(Base):
    __tablename__ = "animals"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    age: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "animal"}  # noqa: RUF012  SQLAlchemy's way


class Dog(Animal):
    __tablename__ = "dogs"
    id: Mapped[int] = mapped_column(ForeignKey("animals.id"), primary_key=True)
    __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012  SQLAlchemy's way


class Journal:
    def __init__(self) -> None:
        self.written = WriteSet()

    def mark(self, writes: WriteSet) -> object:
        self.written = writes
        return writes

    def bump(self, token: object) -> None:
        return

    def unmark(self, token: object) -> None:
        return


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None})
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Order(id=number, customer=number, state="new") for number in range(1, 5)])
        session.add(Dog(id=1, name="Rex", age=3))
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine) -> Journal:
    journal = Journal()
    hook(engine).observe_transactions(journal)
    return journal


def told(journal: Journal, table: str = "orders") -> dict[str, set[Any]]:
    """The values by which the one change of a table is bound."""
    change: Change
    (change,) = journal.written.changes[Relation("main", table)]
    return {column.name: set(values) for column, values in change.within.items()}


def test_what_was_set_has_two_values_and_what_was_not_has_one(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        order = session.get_one(Order, 2)
        order.state = "paid"
        session.commit()
    # NULL equals nothing; `changes` is set by itself.
    assert told(journal) == {
        "id": {2},
        "customer": {2},
        "state": {"new", "paid"},
        "note": set(),
        "version": {1, 2},
    }


def test_the_rows_of_one_statement_are_told_together(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        for order in session.scalars(select(Order).where(Order.id < 3)):
            order.state = "paid"
        session.commit()
    assert told(journal)["customer"] == {1, 2}


def test_a_value_that_was_not_read_is_no_image(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        order = session.scalars(select(Order).options(load_only(Order.version)).where(Order.id == 2)).one()
        order.state = "paid"
        session.commit()
    assert told(journal).keys() == {"id", "version"}


def test_of_an_expression_history_does_not_tell(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        session.get_one(Order, 2).state = func.lower("PAID")
        session.commit()
    assert told(journal).keys() == {"id", "version"}


def test_a_deleted_row_is_told_as_it_was(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        order = session.get_one(Order, 2)
        order.state = "gone"
        session.delete(order)
        session.commit()
    assert told(journal) == {"id": {2}, "customer": {2}, "note": set(), "version": {1}}


def test_a_moved_key_and_several_tables_have_none(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        session.get_one(Order, 2).id = 8
        session.commit()
    assert told(journal).keys() == {"id", "version"}
    with Session(engine) as session:
        session.get_one(Dog, 1).name = "Max"
        session.commit()
    assert told(journal, "animals").keys() == {"id"}


def test_a_session_that_outlives_its_transaction_reads_anew(engine: Engine, journal: Journal) -> None:
    with Session(engine) as session:
        order = session.get_one(Order, 2)
        for state in ("paid", "sent"):
            order.state = state
            session.commit()
            assert "customer" in told(journal), state
    with Session(engine, expire_on_commit=False) as session:
        order = session.get_one(Order, 2)
        session.commit()
        order.state = "new"
        session.commit()
        assert told(journal).keys() == {"id", "version"}


def test_a_coarser_grain_asks_for_none(engine: Engine, journal: Journal) -> None:
    hook(engine).grain = Grain.ROWS
    with Session(engine) as session:
        session.get_one(Order, 2).state = "paid"
        session.commit()
    assert told(journal).keys() == {"id", "version"}
    hook(engine).grain = Grain.TABLE
    with Session(engine) as session:
        session.get_one(Order, 2).state = "sent"
        session.commit()
    assert journal.written == WriteSet(frozenset({Relation("main", "orders")}))


def test_sessions_are_listened_to_once() -> None:
    images.listen()
    images.listen()
    assert list(Session().dispatch.after_flush).count(images._after_flush) == 1


@pytest.mark.parametrize(
    ("dialect", "own", "of_engine", "holds"),
    [
        ("postgresql", "REPEATABLE READ", None, True),
        ("postgresql", "SERIALIZABLE", None, True),
        ("postgresql", None, "repeatable_read", True),
        ("postgresql", "READ COMMITTED", "SERIALIZABLE", False),
        ("postgresql", "AUTOCOMMIT", None, False),
        ("postgresql", None, None, False),
        ("mysql", "REPEATABLE READ", None, False),
    ],
)
def test_what_keeps_a_snapshot(dialect: str, own: str | None, of_engine: str | None, holds: bool) -> None:
    connection: Any = SimpleNamespace(
        dialect=SimpleNamespace(name=dialect, _on_connect_isolation_level=of_engine),
        get_execution_options=lambda: {} if own is None else {"isolation_level": own},
    )
    assert images._is_snapshot(connection) is holds
