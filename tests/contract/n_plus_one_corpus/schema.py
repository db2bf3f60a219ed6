"""A small trading company: 8 customers, 24 invoices of 2 items, 12 products of 8 suppliers, a tree, assets."""

from __future__ import annotations

from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    WriteOnlyMapped,
    column_property,
    deferred,
    mapped_column,
    relationship,
)


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str] = mapped_column(default="de")
    invoices: Mapped[list[Invoice]] = relationship(back_populates="customer")
    notes: WriteOnlyMapped[Note] = relationship()


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    text: Mapped[str] = mapped_column(default="")


invoice_tags = Table(
    "invoice_tags",
    Base.metadata,
    Column("invoice_id", ForeignKey("invoices.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Invoice(Base):
    __tablename__ = "invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(default="draft")
    issued_on: Mapped[int] = mapped_column(default=0)
    customer: Mapped[Customer] = relationship(back_populates="invoices")
    items: Mapped[list[Item]] = relationship(back_populates="invoice")
    tags: Mapped[list[Tag]] = relationship(secondary=invoice_tags)

    @property
    def customer_name(self) -> str:
        return self.customer.name  # <- property_reads_a_parent

    @hybrid_property
    def total(self) -> int:
        return sum(item.cents for item in self.items)  # <- hybrid_property_sums_children


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    cents: Mapped[int] = mapped_column(default=100)
    invoice: Mapped[Invoice] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    supplier_id: Mapped[int] = mapped_column(ForeignKey("suppliers.id"))
    description: Mapped[str] = deferred(mapped_column(String, default=""))
    supplier: Mapped[Supplier] = relationship()


class Supplier(Base):
    __tablename__ = "suppliers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    parent: Mapped[Category | None] = relationship(remote_side="Category.id", back_populates="children")
    children: Mapped[list[Category]] = relationship(back_populates="parent")


class Asset(Base):
    __tablename__ = "assets"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}  # noqa: RUF012


class Vehicle(Asset):
    __tablename__ = "vehicles"

    id: Mapped[int] = mapped_column(ForeignKey("assets.id"), primary_key=True)
    plate: Mapped[str] = mapped_column(default="")
    __mapper_args__ = {"polymorphic_identity": "vehicle"}  # noqa: RUF012


class Job(Base):
    """Has an optimistic lock."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="queued")
    done: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    twice = column_property(done * 2)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Setting(Base):
    __tablename__ = "settings"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


def fill(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    rows = {
        Customer: [{"id": n, "name": f"customer {n}"} for n in range(1, 9)],
        Note: [{"customer_id": n} for n in range(1, 9)],
        Invoice: [{"id": n, "customer_id": n % 8 + 1, "issued_on": n} for n in range(1, 25)],
        Supplier: [{"id": n, "name": f"supplier {n}"} for n in range(1, 9)],
        Product: [{"id": n, "name": f"product {n}", "supplier_id": n % 8 + 1} for n in range(1, 13)],
        Item: [{"invoice_id": n % 24 + 1, "product_id": n % 12 + 1} for n in range(48)],
        Tag: [{"id": n, "name": f"tag {n}"} for n in range(1, 7)],
        # A chain of eight from the root to the deepest leaf, three children on each of its first nodes.
        Category: [
            {"id": n, "parent_id": None if n == 1 else n - 1} for n in range(1, 9)
        ] + [{"id": 100 + n, "parent_id": n // 2 + 1} for n in range(12)],
        Vehicle: [{"id": n, "kind": "vehicle", "plate": f"EN SZ {n}"} for n in range(1, 9)],
        Job: [{"id": n, "version": 1} for n in range(1, 9)],
        Setting: [{"tenant": f"tenant {n}", "value": "x"} for n in range(3)],
    }  # fmt: skip
    for model, values in rows.items():
        if model is Vehicle:
            connection.execute(insert(Asset.__table__), [{"id": v["id"], "kind": v["kind"]} for v in values])
            connection.execute(insert(Vehicle.__table__), [{"id": v["id"], "plate": v["plate"]} for v in values])
        else:
            connection.execute(insert(model.__table__), values)
    connection.execute(insert(invoice_tags), [{"invoice_id": n, "tag_id": n % 6 + 1} for n in range(1, 25)])
