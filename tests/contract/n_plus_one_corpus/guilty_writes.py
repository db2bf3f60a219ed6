"""One statement a row where one could have written them all."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.contract.n_plus_one_corpus.case import guilty
from tests.contract.n_plus_one_corpus.schema import Category, Customer, Invoice, Note, Setting, Tag


@guilty(remedy="insert(...).values")
def insert_in_a_loop(connection: Connection) -> None:
    for number in range(10):
        connection.execute(insert(Tag.__table__).values(name=f"new {number}"))  # <- insert_in_a_loop


@guilty(remedy="executemany")
def update_by_key(connection: Connection) -> None:
    table = Invoice.__table__
    for number in range(1, 13):
        connection.execute(update(table).where(table.c.id == number).values(status="sent"))  # <- update_by_key


@guilty(remedy="flush once")
def flush_in_a_loop(session: Session) -> None:
    for number in range(8):
        session.add(Note(customer_id=number + 1, text="called"))
        session.flush()  # <- flush_in_a_loop


@guilty(remedy="flush once")
def changes_flushed_one_by_one(session: Session) -> None:
    for customer in session.scalars(select(Customer)).all():
        customer.name = customer.name.title()
        session.flush()  # <- changes_flushed_one_by_one


@guilty(remedy="IN (...)")
def delete_in_a_loop(session: Session) -> None:
    for number in range(100, 108):
        session.execute(delete(Category).where(Category.id == number))  # <- delete_in_a_loop


@guilty(remedy="one transaction")
def commit_after_each(session: Session) -> None:
    for number in range(7):
        session.add(Tag(name=f"seven {number}"))
        session.commit()  # <- commit_after_each


@guilty(remedy="ON CONFLICT")
def upsert_in_a_loop(connection: Connection) -> None:
    for number in range(6):
        wanted = upsert(Setting.__table__).values(tenant=f"tenant {number}", value="y")
        wanted = wanted.on_conflict_do_update(index_elements=["tenant"], set_={"value": "y"})
        connection.execute(wanted)  # <- upsert_in_a_loop


@guilty(remedy="executemany")
async def text_inserted(session: AsyncSession) -> None:
    line = text("INSERT INTO notes (customer_id, text) VALUES (:customer, :text)")
    for number in range(1, 9):
        await session.execute(line, {"customer": number, "text": "hello"})  # <- text_inserted
