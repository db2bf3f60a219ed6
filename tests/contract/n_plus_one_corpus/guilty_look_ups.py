"""The application itself asks once a row."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, bindparam, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from tests.contract.n_plus_one_corpus.case import guilty
from tests.contract.n_plus_one_corpus.schema import Category, Customer, Invoice, Item, Product, Supplier

customers = Customer.__table__
invoices = Invoice.__table__
categories = Category.__table__


@guilty(remedy="select(Customer).where(Customer.id.in_(")
def session_get(session: Session) -> None:
    for number in range(1, 9):
        session.get(Customer, number)  # <- session_get


@guilty(remedy="WHERE customers.id IN (...)")
def core_on_a_connection(connection: Connection) -> None:
    for invoice in connection.execute(select(invoices)).all():
        wanted = select(customers.c.name).where(customers.c.id == invoice.id % 8)
        connection.execute(wanted).all()  # <- core_on_a_connection


@guilty(remedy="IN (...)")
def values_inlined(session: Session) -> None:
    for number in range(1, 13):
        wanted = bindparam("wanted", number, literal_execute=True)
        session.scalar(select(Product.name).where(Product.id == wanted))  # <- values_inlined


@guilty(remedy="IN (...)")
def formatted_text(connection: Connection) -> None:
    for number in range(1, 9):
        statement = f"SELECT name FROM suppliers WHERE id = {number}"
        connection.execute(text(statement)).scalar()  # <- formatted_text


@guilty(remedy="WHERE id IN (...)")
def text_with_parameters(session: Session) -> None:
    wanted = text("SELECT name FROM customers WHERE id = :id")
    for number in (3, 1, 4, 5, 2, 6):
        session.execute(wanted, {"id": number})  # <- text_with_parameters


@guilty(remedy="IN (...)")
def driver_text(connection: Connection) -> None:
    for name in ("tag 1", "tag 2", "tag 3", "tag 4", "tag 5", "tag 6"):
        connection.exec_driver_sql("SELECT id FROM tags WHERE name = ?", (name,)).all()  # <- driver_text


@guilty(remedy="GROUP BY")
def count_per_parent(session: Session) -> None:
    for customer in session.scalars(select(Customer)).all():
        counting = select(func.count()).select_from(Invoice).where(Invoice.customer_id == customer.id)
        print(session.scalar(counting))  # <- count_per_parent


@guilty(remedy="IN (...)")
def exists_per_parent(session: Session) -> None:
    numbers = session.scalars(select(Product.id)).all()
    for number in numbers:
        print(session.scalar(select(exists().where(Item.product_id == number))))  # <- exists_per_parent


@guilty(remedy="row_number()")
def newest_per_parent(session: Session) -> None:
    for number in range(1, 9):
        newest = select(Invoice).where(Invoice.customer_id == number).order_by(Invoice.issued_on.desc()).limit(1)
        session.scalars(newest).first()  # <- newest_per_parent


def names(session: Session) -> Iterator[str]:
    for number in session.scalars(select(Supplier.id)).all():
        found = session.execute(select(Supplier.name).where(Supplier.id == number))  # <- generator_driven
        yield found.scalar_one()


@guilty(remedy="IN (...)")
def generator_driven(session: Session) -> None:
    print(" ".join(names(session)))


async def fetched(sessions: async_sessionmaker[AsyncSession], number: int) -> None:
    async with sessions() as session:
        await session.get(Supplier, number)  # <- gathered


@guilty(remedy="select(Supplier).where(Supplier.id.in_(")
async def gathered(sessions: async_sessionmaker[AsyncSession]) -> None:
    await asyncio.gather(*(fetched(sessions, number) for number in range(1, 9)))


@guilty(remedy="IN (...)")
async def task_group(sessions: async_sessionmaker[AsyncSession]) -> None:
    async def one(number: int) -> None:
        async with sessions() as session:
            await session.execute(select(Product.name).where(Product.id == number))  # <- task_group

    async with asyncio.TaskGroup() as group:
        for number in range(1, 13):
            group.create_task(one(number))


@guilty(remedy="IN (...)")
def threads(engine: Engine) -> None:
    def one(number: int) -> None:
        with engine.connect() as connection:
            connection.execute(select(customers.c.country).where(customers.c.id == number)).all()  # <- threads

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(contextvars.copy_context().run, one, number) for number in range(1, 9)]
        for run in runs:
            run.result()


def below(connection: Connection, number: int) -> int:
    children = connection.execute(select(categories).where(categories.c.parent_id == number))  # <- down_the_tree
    return 1 + sum(below(connection, child.id) for child in children.all())


@guilty(remedy="IN (...)")
def down_the_tree(connection: Connection) -> None:
    print(below(connection, 1))


@guilty(remedy="IN (...)")
def lists_of_one(session: Session) -> None:
    for number in range(1, 9):
        session.scalars(select(Customer).where(Customer.id.in_([number]))).all()  # <- lists_of_one


@guilty(remedy="IN (...)")
async def asynchronous_core(session: AsyncSession) -> None:
    connection = await session.connection()
    for status, number in (("draft", 1), ("draft", 2), ("sent", 3), ("sent", 4), ("draft", 5), ("draft", 6)):
        wanted = select(invoices.c.id).where(invoices.c.status == status, invoices.c.customer_id == number)
        await connection.execute(wanted)  # <- asynchronous_core


@guilty(remedy="IN (...)")
def lower_case_compared(session: Session) -> None:
    for name in ("Customer 1", "Customer 2", "CUSTOMER 3", "customer 4", "customer 5", "customer 6"):
        wanted = select(Customer.id).where(func.lower(Customer.name) == name.lower())
        session.scalar(wanted)  # <- lower_case_compared


@guilty(remedy="IN (...)")
def mixed_with_other_work(connection: Connection) -> None:
    for number in range(1, 9):
        connection.execute(select(func.count()).select_from(categories)).scalar()
        wanted = select(invoices.c.id).where(invoices.c.customer_id == number, invoices.c.issued_on > 3)
        connection.execute(wanted).all()  # <- mixed_with_other_work
