"""Cases thought of after the first detector had seen the others; their verdicts, too, came before its change.

Two are known to be missed: a list of keys for each parent looks like a batch, and rows that are paged one by one
look like pages.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.orm import Session, selectinload

from tests.contract.n_plus_one_corpus.case import guilty, innocent
from tests.contract.n_plus_one_corpus.schema import Category, Customer, Invoice, Item, Note, Product, Tag

invoices = Invoice.__table__
notes = Note.__table__


@guilty(remedy="select(Customer).where(Customer.id.in_(")
def eager_loads_of_single_rows(session: Session) -> None:
    for number in range(1, 9):
        wanted = select(Customer).where(Customer.id == number).options(selectinload(Customer.invoices))
        session.scalars(wanted).one()  # <- eager_loads_of_single_rows


@guilty(remedy="IN (...)")
def since_a_date_of_its_own(connection: Connection) -> None:
    for number in range(1, 9):
        wanted = select(invoices.c.id).where(invoices.c.customer_id == number, invoices.c.issued_on > number)
        connection.execute(wanted).all()  # <- since_a_date_of_its_own


@guilty(remedy="IN (...)")
def constant_list_beside_the_key(session: Session) -> None:
    for number in range(1, 9):
        wanted = select(Invoice.id).where(Invoice.customer_id == number, Invoice.status.in_(["draft", "sent"]))
        session.scalars(wanted).all()  # <- constant_list_beside_the_key


@guilty(remedy="IN (...)")
def legacy_query(session: Session) -> None:
    for number in range(1, 9):
        session.query(Invoice).filter_by(customer_id=number).all()  # <- legacy_query


@guilty(remedy="IN (...)")
def a_list_for_each_parent(session: Session) -> None:
    for customer in session.scalars(select(Customer).options(selectinload(Customer.invoices))).all():
        numbers = [invoice.id for invoice in customer.invoices]
        session.scalars(select(Item).where(Item.invoice_id.in_(numbers))).all()  # <- a_list_for_each_parent


@guilty(remedy="page")
def row_by_row(connection: Connection) -> None:
    last = 0
    for _ in range(24):
        wanted = select(invoices).where(invoices.c.id > last).order_by(invoices.c.id).limit(1)
        last = connection.execute(wanted).one().id  # <- row_by_row


@guilty(remedy="executemany")
def moved_to_its_own_status(session: Session) -> None:
    for number in range(1, 9):
        wanted = update(Invoice).where(Invoice.id == number).values(status=f"step {number}")
        session.execute(wanted)  # <- moved_to_its_own_status


@guilty(remedy="IN (...)")
def tidied_by_parent(connection: Connection) -> None:
    for number in range(1, 9):
        connection.execute(delete(notes).where(notes.c.customer_id == number))  # <- tidied_by_parent


@innocent()
def one_flush_of_expressions(session: Session) -> None:
    """SQLAlchemy writes expressions row by row; there is nothing that the application could do."""
    for customer in session.scalars(select(Customer)).all():
        customer.name = func.upper(Customer.name)
    session.flush()


def note(connection: Connection, number: int, line: str) -> None:
    connection.execute(insert(notes).values(customer_id=number, text=line))


@innocent()
def a_log_line_after_each_step(connection: Connection) -> None:
    note(connection, 1, "began")
    note(connection, 2, "read")
    note(connection, 3, "checked")
    note(connection, 4, "written")
    note(connection, 5, "sent")
    note(connection, 6, "ended")


@innocent()
def counters_of_one_row(connection: Connection) -> None:
    wanted = text("UPDATE jobs SET done = done + 1 WHERE id = :id AND done < :most")
    for _ in range(8):
        connection.execute(wanted, {"id": 1, "most": 9})


@innocent()
def tail_of_a_log(connection: Connection) -> None:
    last = 0
    for _ in range(10):
        rows = connection.execute(select(notes).where(notes.c.customer_id == 3, notes.c.id > last)).all()
        last = rows[-1].id if rows else last


@innocent()
def same_page_of_each_status_chunk(session: Session) -> None:
    for page in range(6):
        wanted = select(Invoice).where(Invoice.status.in_(["draft", "sent", "paid"])).limit(4).offset(page * 4)
        session.scalars(wanted).all()


@innocent()
def batches_of_pairs(connection: Connection) -> None:
    for start in range(1, 13, 2):
        wanted = text("SELECT * FROM items WHERE (invoice_id, product_id) IN ((:a, :b), (:c, :d))")
        connection.execute(wanted, {"a": start, "b": start, "c": start + 1, "d": start + 1}).all()


@innocent()
def five_models_by_their_key(session: Session) -> None:
    for model in (Customer, Invoice, Product, Tag, Category):
        session.get(model, 1)


@innocent()
def window_that_slides(connection: Connection) -> None:
    for start in range(0, 20, 2):
        wanted = text("SELECT count(*) FROM invoices WHERE status = 'draft' AND issued_on BETWEEN :x AND :y")
        connection.execute(wanted, {"x": start, "y": start + 2}).scalar()
