"""Relationships that were loaded for nothing."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session, joinedload, selectinload, subqueryload

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.capture.eager_loads import EagerLoads
from steinmetz.sql import ScopeKind, hook, open_scope
from tests.contract.n_plus_one_corpus.schema import Base, Customer, Invoice, Item, Product, fill


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        fill(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def monitor(engine: Engine) -> Iterator[QueryMonitor]:
    monitor, sql = QueryMonitor(FakeClock()), hook(engine)
    monitor.attach(sql)
    monitor.patterns.watch_eager_loads(Base)
    yield monitor
    monitor.patterns.unwatch_eager_loads()
    monitor.detach(sql)


def unused(monitor: QueryMonitor, engine: Engine, work: Callable[[Session], Any]) -> list[Finding]:
    with open_scope(ScopeKind.REQUEST, "GET /invoices"), Session(engine) as session:
        work(session)
    return [habit.worst for habit in monitor.patterns.habits({PatternKind.UNUSED_EAGER_LOAD})]


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload])
def test_a_relationship_that_nobody_read(monitor: QueryMonitor, engine: Engine, load: Any) -> None:
    def work(session: Session) -> None:
        for invoice in session.scalars(select(Invoice).options(load(Invoice.customer))).unique():
            print(invoice.id)

    (found,) = unused(monitor, engine, work)
    assert found.subject == "Invoice.customer"
    assert found.evidence == {"loaded": 24, "read": 0}
    assert found.place is not None
    assert found.place.function.endswith("work")
    assert "drop the loader option for Invoice.customer" in found.remedy


def test_one_read_is_enough(monitor: QueryMonitor, engine: Engine) -> None:
    def work(session: Session) -> None:
        invoices = session.scalars(select(Invoice).options(selectinload(Invoice.items))).all()
        print(len(invoices[3].items))

    assert unused(monitor, engine, work) == []


def test_the_second_level_is_judged_for_itself(monitor: QueryMonitor, engine: Engine) -> None:
    def work(session: Session) -> None:
        wanted = select(Invoice).options(selectinload(Invoice.items).joinedload(Item.product))
        print(sum(len(invoice.items) for invoice in session.scalars(wanted)))

    assert [found.subject for found in unused(monitor, engine, work)] == ["Item.product"]


def test_lazy_loads_and_what_is_not_loaded_are_no_matter(monitor: QueryMonitor, engine: Engine) -> None:
    def work(session: Session) -> None:
        for product in session.scalars(select(Product)).all():
            print(product.supplier.name)

    assert unused(monitor, engine, work) == []


def test_what_the_application_sets_was_not_loaded(monitor: QueryMonitor, engine: Engine) -> None:
    def work(session: Session) -> None:
        someone = session.get_one(Customer, 1)
        for invoice in session.scalars(select(Invoice).where(Invoice.customer_id > 4)).all():
            invoice.customer = someone
        session.rollback()

    assert unused(monitor, engine, work) == []


def test_two_rows_are_no_habit(monitor: QueryMonitor, engine: Engine) -> None:
    def work(session: Session) -> None:
        session.scalars(select(Invoice).limit(2).options(selectinload(Invoice.items))).all()

    assert unused(monitor, engine, work) == []


def test_objects_are_let_go_with_the_scope(monitor: QueryMonitor, engine: Engine) -> None:
    loaded: list[weakref.ref[Invoice]] = []

    def work(session: Session) -> None:
        loaded.extend(weakref.ref(invoice) for invoice in session.scalars(select(Invoice)).all())

    unused(monitor, engine, work)
    gc.collect()
    assert [reference() for reference in loaded] == [None] * 24


def test_outside_of_any_scope_nothing_is_held(monitor: QueryMonitor, engine: Engine) -> None:
    with Session(engine) as session:
        session.scalars(select(Invoice).options(selectinload(Invoice.items))).all()
    assert monitor.patterns.habits() == []


def test_unwatched_models_are_as_before() -> None:
    before = [type(Invoice.items), type(Customer.invoices)]
    loads = EagerLoads(tuple)
    loads.watch(Base)
    loads.watch(Base)
    assert type(Invoice.items) is not before[0]
    loads.unwatch()
    assert [type(Invoice.items), type(Customer.invoices)] == before
