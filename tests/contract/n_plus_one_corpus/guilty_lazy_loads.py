"""The ORM asks once a row because an attribute was not loaded with the rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.contract.n_plus_one_corpus.case import guilty
from tests.contract.n_plus_one_corpus.schema import Asset, Category, Customer, Invoice, Product


@guilty(relationship="Invoice.customer", remedy="joinedload(Invoice.customer)")
def many_to_one(session: Session) -> None:
    for invoice in session.scalars(select(Invoice)):
        print(invoice.customer.name)  # <- many_to_one


@guilty(relationship="Invoice.items", remedy="selectinload(Invoice.items)")
def one_to_many(session: Session) -> None:
    total = 0
    for invoice in session.scalars(select(Invoice)).all():
        total += len(invoice.items)  # <- one_to_many


@guilty(relationship="Invoice.tags", remedy="selectinload(Invoice.tags)")
def many_to_many(session: Session) -> None:
    names = set()
    for invoice in session.scalars(select(Invoice).order_by(Invoice.id)).all():
        for tag in invoice.tags:  # <- many_to_many
            names.add(tag.name)


@guilty("second_level", relationship="Invoice.items", remedy="selectinload(Invoice.items)", line="first_level")
def two_levels(session: Session) -> None:
    for invoice in session.scalars(select(Invoice)).all():
        for item in invoice.items:  # <- first_level
            print(item.product.name)  # <- second_level


@guilty(relationship="Invoice.customer", remedy="joinedload(Invoice.customer)")
def property_reads_a_parent(session: Session) -> None:
    for invoice in session.scalars(select(Invoice)).all():
        print(invoice.customer_name)


@guilty(relationship="Invoice.items", remedy="selectinload(Invoice.items)")
def hybrid_property_sums_children(session: Session) -> None:
    print([invoice.total for invoice in session.scalars(select(Invoice)).all()])


def as_json(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "supplier": product.supplier.name,  # <- serializer
    }


@guilty(relationship="Product.supplier", remedy="joinedload(Product.supplier)")
def serializer(session: Session) -> None:
    print(list(map(as_json, session.scalars(select(Product)))))


@guilty(relationship="Invoice.customer", remedy="joinedload(Invoice.customer)")
def template(session: Session) -> None:
    line = "{invoice.id} for {invoice.customer.name}"
    for invoice in session.scalars(select(Invoice)):
        print(line.format(invoice=invoice))  # <- template


@guilty(relationship="Customer.invoices", remedy="selectinload(Customer.invoices)")
def comprehension(session: Session) -> None:
    customers = session.scalars(select(Customer)).all()
    print({customer.id: len(customer.invoices) for customer in customers})  # <- comprehension


@guilty(relationship="Invoice.customer", remedy="joinedload(Invoice.customer)")
def sort_key(session: Session) -> None:
    invoices = session.scalars(select(Invoice)).all()
    print(sorted(invoices, key=lambda invoice: invoice.customer.name))  # <- sort_key


def size_of(invoice: Invoice) -> int:
    return len(invoice.items)  # <- helper_called_on_two_lines


@guilty(relationship="Invoice.items", remedy="selectinload(Invoice.items)")
def helper_called_on_two_lines(session: Session) -> None:
    invoices = session.scalars(select(Invoice)).all()
    for odd, even in zip(invoices[::2], invoices[1::2], strict=True):
        left = size_of(odd)
        right = size_of(even)
        print(left, right)


@guilty(relationship="Product.description", remedy="undefer(Product.description)")
def deferred_column(session: Session) -> None:
    for product in session.scalars(select(Product)).all():
        print(product.description)  # <- deferred_column


@guilty(remedy="selectin_polymorphic(Asset, [Vehicle])")
def joined_inheritance(session: Session) -> None:
    for asset in session.scalars(select(Asset)).all():
        print(asset.plate)  # type: ignore[attr-defined]  # <- joined_inheritance


@guilty(relationship="Invoice.items", remedy="selectinload(Invoice.items)")
async def awaitable_attribute(session: AsyncSession) -> None:
    for invoice in (await session.scalars(select(Invoice))).all():
        print(len(await invoice.awaitable_attrs.items))  # <- awaitable_attribute


def render(session: Session) -> str:
    return "".join(
        invoice.customer.name  # <- rendered_within_run_sync
        for invoice in session.scalars(select(Invoice)).all()
    )


@guilty(relationship="Invoice.customer", remedy="joinedload(Invoice.customer)")
async def rendered_within_run_sync(session: AsyncSession) -> None:
    await session.run_sync(render)


@guilty(remedy="expire_on_commit=False")
def expired_by_the_commit(session: Session) -> None:
    customers = session.scalars(select(Customer)).all()
    session.commit()
    for customer in customers:
        print(customer.name)  # <- expired_by_the_commit


@guilty(remedy="populate_existing")
def refresh_in_a_loop(session: Session) -> None:
    for product in session.scalars(select(Product)).all():
        session.refresh(product)  # <- refresh_in_a_loop


@guilty(relationship="Category.parent", remedy="recursive")
def up_the_tree(session: Session) -> None:
    category = session.get(Category, 8)
    depth = 0
    while category is not None:
        depth += 1
        category = category.parent  # <- up_the_tree


@guilty(remedy="IN (...)")
async def write_only_collection(session: AsyncSession) -> None:
    for customer in (await session.scalars(select(Customer))).all():
        await session.scalars(customer.notes.select())  # <- write_only_collection
