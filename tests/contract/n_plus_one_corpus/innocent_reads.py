"""Repetition for a reason: batches, pages, polls, places of their own."""

from __future__ import annotations

import asyncio
from functools import cache

from sqlalchemy import Connection, and_, func, literal, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, joinedload, selectinload, subqueryload

from steinmetz.sql import ScopeKind, open_scope
from tests.contract.n_plus_one_corpus.case import innocent
from tests.contract.n_plus_one_corpus.schema import (
    Category,
    Customer,
    Invoice,
    Item,
    Job,
    Product,
    Setting,
    Supplier,
    Tag,
)

invoices = Invoice.__table__
categories = Category.__table__


@innocent()
def one_batch(session: Session) -> None:
    numbers = session.scalars(select(Invoice.customer_id).distinct()).all()
    session.scalars(select(Customer).where(Customer.id.in_(numbers))).all()


@innocent()
def select_in_loading(session: Session) -> None:
    wanted = select(Invoice).options(selectinload(Invoice.items).selectinload(Item.product))
    print(sum(len(item.product.name) for invoice in session.scalars(wanted) for item in invoice.items))


@innocent()
def joined_loading(session: Session) -> None:
    for invoice in session.scalars(select(Invoice).options(joinedload(Invoice.customer))):
        print(invoice.customer.name)


@innocent()
def subquery_loading(session: Session) -> None:
    print([len(invoice.tags) for invoice in session.scalars(select(Invoice).options(subqueryload(Invoice.tags)))])


@innocent()
def poll(connection: Connection) -> None:
    for _ in range(12):
        connection.execute(text("SELECT status FROM jobs WHERE id = :id"), {"id": 5}).scalar()


@innocent()
def wait_until_due(connection: Connection) -> None:
    for now in range(20):
        connection.execute(select(Job.id).where(Job.seen_at <= now, Job.status == "queued").limit(1)).all()


@innocent()
def poll_by_refresh(session: Session) -> None:
    job = session.get_one(Job, 3)
    for _ in range(9):
        session.refresh(job)


@innocent()
def two_look_ups_on_two_lines(session: Session) -> None:
    buyer = session.scalar(select(Customer.name).where(Customer.id == 1))
    seller = session.scalar(select(Customer.name).where(Customer.id == 2))
    print(buyer, seller)


def name_of(session: Session, number: int) -> str | None:
    return session.scalar(select(Supplier.name).where(Supplier.id == number))


@innocent()
def one_helper_on_six_lines(session: Session) -> None:
    print(name_of(session, 1))
    print(name_of(session, 2))
    print(name_of(session, 3))
    print(name_of(session, 4))
    print(name_of(session, 5))
    print(name_of(session, 6))


@innocent()
def five_literals_on_five_lines(connection: Connection) -> None:
    draft = connection.execute(text("SELECT count(*) FROM invoices WHERE status = 'draft'")).scalar()
    sent = connection.execute(text("SELECT count(*) FROM invoices WHERE status = 'sent'")).scalar()
    paid = connection.execute(text("SELECT count(*) FROM invoices WHERE status = 'paid'")).scalar()
    late = connection.execute(text("SELECT count(*) FROM invoices WHERE status = 'overdue'")).scalar()
    gone = connection.execute(text("SELECT count(*) FROM invoices WHERE status = 'cancelled'")).scalar()
    print(draft, sent, paid, late, gone)


@innocent()
def try_again(connection: Connection) -> None:
    wanted = select(Job.done).where(Job.id == 2)
    for _ in range(6):
        if connection.execute(wanted).scalar() == 1:
            break


@innocent()
def pages_by_offset(connection: Connection) -> None:
    for offset in range(0, 48, 6):
        connection.execute(select(invoices).order_by(invoices.c.id).limit(6).offset(offset)).all()


@innocent()
def pages_by_key(connection: Connection) -> None:
    last = 0
    while rows := connection.execute(
        select(invoices.c.id).where(invoices.c.id > last).order_by(invoices.c.id).limit(3)
    ).all():
        last = rows[-1].id


@innocent()
def pages_by_two_keys(session: Session) -> None:
    last = (0, 0)
    while True:
        after = or_(
            Invoice.customer_id > last[0],
            and_(Invoice.customer_id == last[0], Invoice.id > last[1]),
        )
        wanted = select(Invoice).where(after).order_by(Invoice.customer_id, Invoice.id).limit(2)
        rows = session.scalars(wanted).all()
        if not rows:
            return
        last = (rows[-1].customer_id, rows[-1].id)


@innocent()
def pages_by_row_value(connection: Connection) -> None:
    last = (0, 0)
    key = tuple_(invoices.c.issued_on, invoices.c.id)
    wanted = select(invoices.c.issued_on, invoices.c.id).order_by(invoices.c.issued_on, invoices.c.id).limit(3)
    while rows := connection.execute(wanted.where(key > tuple_(literal(last[0]), literal(last[1])))).all():
        last = (rows[-1].issued_on, rows[-1].id)


@innocent()
def pages_of_one_customer(session: Session) -> None:
    for page in range(7):
        wanted = select(Invoice).where(Invoice.customer_id == 3).order_by(Invoice.id).limit(1).offset(page)
        session.scalars(wanted).all()


@innocent()
def constant_of_the_tenant(session: Session) -> None:
    for invoice in session.scalars(select(Invoice)).all():
        print(invoice.id, session.scalar(select(Setting.value).where(Setting.tenant == "tenant 1")))


@innocent()
def remembered_look_ups(session: Session) -> None:
    @cache
    def name(number: int) -> str | None:
        return session.scalar(select(Tag.name).where(Tag.id == number))

    for invoice in session.scalars(select(Invoice)).all():
        print(name(invoice.id % 3 + 1))


@innocent()
def chunks_of_keys(session: Session) -> None:
    numbers = list(range(1, 25))
    for start in range(0, 24, 3):
        session.scalars(select(Invoice).where(Invoice.id.in_(numbers[start : start + 3]))).all()


@innocent()
def chunks_in_plain_text(connection: Connection) -> None:
    for start in range(1, 25, 4):
        chunk = tuple(range(start, start + 4))
        connection.exec_driver_sql("SELECT * FROM invoices WHERE id IN (?, ?, ?, ?)", chunk).all()


@innocent()
def chunks_between_keys(connection: Connection) -> None:
    for start in range(1, 25, 3):
        wanted = text("SELECT * FROM invoices WHERE id BETWEEN :first AND :last")
        connection.execute(wanted, {"first": start, "last": start + 2}).all()


@innocent()
def months(session: Session) -> None:
    for month in range(12):
        counting = select(func.count(Invoice.id)).where(
            Invoice.issued_on >= month * 2, Invoice.issued_on < month * 2 + 2
        )
        session.scalar(counting)


@innocent()
def down_by_level(connection: Connection) -> None:
    level = list(connection.execute(select(categories.c.id).where(categories.c.parent_id == 1)).scalars())
    while level:
        children = select(categories.c.id).where(categories.c.parent_id.in_(level))
        level = list(connection.execute(children).scalars())


@innocent()
def one_recursive_statement(connection: Connection) -> None:
    tree = select(categories.c.id).where(categories.c.parent_id.is_(None)).cte(recursive=True)
    tree = tree.union_all(select(categories.c.id).where(categories.c.parent_id == tree.c.id))
    print(connection.execute(select(func.count()).select_from(tree)).scalar())


@innocent()
def loop_of_two(session: Session) -> None:
    for invoice in session.scalars(select(Invoice).limit(2)).all():
        print(invoice.customer.name)


@innocent(own_scopes=True)
def one_look_up_a_request(session: Session) -> None:
    for number in range(1, 9):
        with open_scope(ScopeKind.REQUEST, "GET /customers/{id}"):
            session.scalar(select(Customer.name).where(Customer.id == number))


@innocent()
def a_statement_for_each_table(connection: Connection) -> None:
    for model in (Customer, Invoice, Item, Product, Supplier, Tag):
        connection.execute(select(func.count()).select_from(model)).scalar()


@innocent()
def already_in_the_session(session: Session) -> None:
    held = session.scalars(select(Customer)).all()  # the session itself holds them weakly
    for customer in held:
        session.get(Customer, customer.id)


@innocent()
def all_of_one_invoice(session: Session) -> None:
    invoice = session.get_one(Invoice, 7)
    print(invoice.customer.name, invoice.items, invoice.tags, [item.product for item in invoice.items])


@innocent()
def streamed(session: Session) -> None:
    for part in session.scalars(select(Invoice).execution_options(yield_per=4)).partitions():
        print(len(part))


@innocent()
async def three_at_once(sessions: async_sessionmaker[AsyncSession]) -> None:
    async def one(number: int) -> None:
        async with sessions() as session:
            await session.get(Product, number)

    await asyncio.gather(one(1), one(2), one(3))


@innocent()
async def different_things_at_once(sessions: async_sessionmaker[AsyncSession]) -> None:
    async def count(model: type) -> None:
        async with sessions() as session:
            await session.scalar(select(func.count()).select_from(model))

    await asyncio.gather(*(count(model) for model in (Customer, Invoice, Item, Tag, Product, Job)))


@innocent()
async def asynchronous_poll(session: AsyncSession) -> None:
    for _ in range(10):
        await session.execute(select(Job.status).where(Job.id == 4))
        await asyncio.sleep(0)


@innocent(kind=ScopeKind.JOB)
def one_unit_an_item(session: Session) -> None:
    """A worker: reads one job, does it, commits; the next one may come an hour later."""
    for number in range(1, 9):
        with session.begin():
            print(session.scalar(select(Job.done).where(Job.id == number)))
