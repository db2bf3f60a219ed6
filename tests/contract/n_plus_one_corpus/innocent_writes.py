"""Writes that are batches already, or that cannot be one."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from steinmetz.sql import ScopeKind
from tests.contract.n_plus_one_corpus.case import innocent
from tests.contract.n_plus_one_corpus.schema import Category, Customer, Invoice, Job, Note, Setting, Tag


@innocent()
def many_sets_in_one(connection: Connection) -> None:
    connection.execute(insert(Tag.__table__), [{"name": f"many {number}"} for number in range(30)])


@innocent()
def many_sets_in_chunks(connection: Connection) -> None:
    table = Invoice.__table__
    statement = update(table).where(table.c.id == bindparam("key")).values(status=bindparam("new"))
    for start in range(1, 25, 4):
        connection.execute(statement, [{"key": start + n, "new": "sent"} for n in range(4)])


@innocent()
def rows_of_values_in_chunks(connection: Connection) -> None:
    for start in range(0, 60, 10):
        rows = [{"name": f"row {start + number}"} for number in range(10)]
        connection.execute(insert(Tag.__table__).values(rows))


@innocent()
def one_flush_of_many(session: Session) -> None:
    session.add_all(Note(customer_id=number % 8 + 1, text="all") for number in range(40))
    session.flush()


@innocent()
def one_flush_of_changes(session: Session) -> None:
    for customer in session.scalars(select(Customer)).all():
        customer.name = customer.name.upper()
    session.flush()


@innocent()
def heartbeat(connection: Connection) -> None:
    table = Job.__table__
    for now in range(10):
        connection.execute(update(table).where(table.c.id == 1).values(seen_at=now))


@innocent()
def progress_under_an_optimistic_lock(session: Session) -> None:
    job = session.get_one(Job, 2)
    for done in range(1, 9):
        job.done = done
        session.flush()


@innocent()
def counter_in_text(connection: Connection) -> None:
    for done in range(9):
        connection.execute(text("UPDATE jobs SET done = :done WHERE id = :id"), {"done": done, "id": 6})


@innocent()
def number_taken_try_the_next(connection: Connection) -> None:
    table = Customer.__table__
    for number in range(2, 12):
        try:
            connection.execute(insert(table).values(id=number, name="new", country="de"))
            break
        except IntegrityError:
            continue


@innocent()
def delete_by_chunks_of_keys(session: Session) -> None:
    for start in range(100, 112, 2):
        session.execute(delete(Category).where(Category.id.in_([start, start + 1])))


@innocent()
def delete_some_until_none_is_left(connection: Connection) -> None:
    table = Note.__table__
    some = select(table.c.id).where(table.c.customer_id > 2).limit(1)
    while connection.execute(delete(table).where(table.c.id.in_(some))).rowcount:
        pass


@innocent(kind=ScopeKind.JOB)
def queue_claimed_one_by_one(session: Session) -> None:
    """Each claim is a transaction of its own, so that others see it."""
    while True:
        with session.begin():
            number = session.scalar(select(Job.id).where(Job.status == "queued").order_by(Job.id).limit(1))
            if number is None:
                return
            session.execute(update(Job).where(Job.id == number, Job.status == "queued").values(status="done"))


@innocent()
def setting_saved_again(session: Session) -> None:
    for value in "abcdefgh":
        session.execute(update(Setting).where(Setting.tenant == "tenant 2").values(value=value))


@innocent()
def loop_of_two_writes(session: Session) -> None:
    for status in ("sent", "paid"):
        session.execute(update(Invoice).where(Invoice.status == status).values(status="done"))
