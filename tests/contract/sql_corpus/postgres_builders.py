"""Statements for PostgreSQL that SQLAlchemy builds, with what they must be found to touch; written down first.

Sources: the SQLAlchemy tutorial and its PostgreSQL dialect page (forms), and the ways in which a visitor of
statements misses tables (UPDATE ... FROM by a mere WHERE, literal columns, text within Core).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    lateral,
    literal,
    literal_column,
    select,
    table,
    text,
    true,
    tuple_,
    union_all,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    aliased,
    column_property,
    joinedload,
    mapped_column,
    query_expression,
    relationship,
    with_expression,
)

from tests.contract.sql_corpus.postgres_corpus import Verdict

metadata = MetaData()
customers = Table(
    "customers", metadata,
    Column("id", Integer, primary_key=True), Column("name", String), Column("city", String),
    Column("invoices", Integer),  # a column named like a table
)  # fmt: skip
invoices = Table(
    "invoices", metadata,
    Column("id", Integer, primary_key=True), Column("customer_id", ForeignKey("customers.id")),
    Column("number", String), Column("status", String), Column("total", Integer),
)  # fmt: skip
items = Table("items", metadata, Column("id", Integer, primary_key=True), Column("price", Integer))
stats = Table("stats", metadata, Column("key", String, primary_key=True), Column("n", Integer))
nodes = Table("nodes", metadata, Column("id", Integer, primary_key=True), Column("parent_id", Integer))
entries = Table("entries", metadata, Column("day", String), Column("hours", Integer))
vectors = Table("vectors", metadata, Column("id", Integer), Column("tags", ARRAY(Text)), Column("body", JSONB))
vehicles = Table("vehicles", metadata, Column("id", Integer), Column("plate", String))
employees = Table("employees", metadata, Column("id", Integer), Column("name", String), schema="hr")
open_invoices = Table("open_invoices", metadata, Column("id", Integer), Column("total", Integer))
mapped = Table("customers", MetaData(), Column("id", Integer), Column("name", String), schema="tenant")


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    note: Mapped[str | None] = query_expression()
    bills: Mapped[list[Bill]] = relationship(back_populates="customer")


class Bill(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    total: Mapped[int]
    customer: Mapped[Customer] = relationship(back_populates="bills")


class Worth(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    bills = column_property(select(func.count(Bill.id)).where(Bill.customer_id == 1).scalar_subquery())


@dataclass(frozen=True)
class Built:
    """``build`` makes the statement anew at each call; ``values`` are bound at execution."""

    name: str
    build: Callable[[], Any]
    verdict: Verdict
    values: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def touches(read: str, written: str = "", also: str = "") -> Verdict:
    """Names apart by spaces; ``also`` are found too much, which is known."""
    return Verdict(frozenset(read.split()), frozenset(written.split()), also=frozenset(also.split()))


def reads(names: str) -> Verdict:
    return touches(names)


def writes(names: str) -> Verdict:
    return touches("", names)


def _tree() -> Any:
    top = select(nodes.c.id).where(nodes.c.parent_id.is_(None)).cte("tree", recursive=True)
    return select(top.union_all(select(nodes.c.id).join(top, nodes.c.parent_id == top.c.id)))


def _gone() -> Any:
    gone = delete(items).where(items.c.price < 0).returning(items.c.id).cte("gone")
    return insert(stats).from_select(["key"], select(literal("gone")).select_from(gone).limit(1))


def _upsert() -> Any:
    new = postgres_insert(stats).values(key="u", n=1)
    return new.on_conflict_do_update(index_elements=["key"], set_={"n": new.excluded.n + 1})


def _upsert_from_select() -> Any:
    new = postgres_insert(stats).from_select(["key", "n"], select(customers.c.name, customers.c.id))
    return new.on_conflict_do_update(
        index_elements=["key"], set_={"n": select(func.max(nodes.c.id)).scalar_subquery()}
    )


def _latest() -> Any:
    latest = lateral(
        select(invoices.c.total).where(invoices.c.customer_id == customers.c.id).limit(1), name="latest"
    )
    return select(customers.c.name, latest.c.total).join(latest, true())


CASES = [
    Built("all columns", lambda: select(customers), reads("customers")),
    Built("count", lambda: select(func.count()).select_from(customers), reads("customers")),
    Built("one column", lambda: select(customers.c.invoices), reads("customers")),
    Built("a short list", lambda: select(customers.c.id).where(customers.c.id.in_([1, 2])), reads("customers")),
    Built(
        "a long list", lambda: select(customers.c.id).where(customers.c.id.in_(range(3000))), reads("customers")
    ),
    Built("an empty list", lambda: select(customers.c.id).where(customers.c.id.in_([])), reads("customers")),
    Built(
        "pairs",
        lambda: select(customers.c.id).where(tuple_(customers.c.id, customers.c.name).in_([(1, "a"), (2, "b")])),
        reads("customers"),
    ),
    Built("join", lambda: select(customers.c.id).join(invoices), reads("customers invoices")),
    Built(
        "outer join",
        lambda: select(customers.c.id, invoices.c.total).join(invoices, isouter=True, full=True),
        reads("customers invoices"),
    ),
    Built(
        "exists",
        lambda: select(customers.c.name).where(exists().where(invoices.c.customer_id == customers.c.id)),
        reads("customers invoices"),
    ),
    Built("alias named like a table", lambda: select(customers.alias("items")), reads("customers")),
    Built("label named like a table", lambda: select(customers.c.id.label("items")), reads("customers")),
    Built("CTE named like a table", lambda: select(select(invoices.c.id).cte("payments")), reads("invoices")),
    Built(
        "sub-query named like a table",
        lambda: select(select(invoices.c.id).subquery("stats")),
        reads("invoices"),
    ),
    Built("recursive", _tree, reads("nodes")),
    Built("lateral", _latest, reads("customers invoices")),
    Built(
        "union",
        lambda: union_all(select(invoices.c.id), select(items.c.id)).order_by("id"),
        reads("invoices items"),
    ),
    Built("a view", lambda: select(open_invoices), reads("customers invoices")),
    Built("another schema", lambda: select(employees), reads("hr.employees hr.grants")),
    Built("partitions", lambda: select(func.sum(entries.c.hours)), reads("entries entries_2025 entries_2026")),
    Built("inheritance", lambda: select(vehicles.c.plate), reads("vehicles trucks")),
    Built("ONLY", lambda: select(vehicles.c.plate).with_hint(vehicles, "ONLY", "postgresql"), reads("vehicles")),
    Built("a function", lambda: select(func.customer_total(1)), reads("invoices")),
    Built("a function that writes", lambda: select(func.log_call("core")), writes("calls")),
    Built(
        "a function as a table",
        lambda: select(func.customer_names().table_valued("name")),
        touches("customers", "", "hr.customers"),
    ),
    Built("JSON", lambda: select(vectors.c.body["customers"].astext), reads("vectors")),
    Built("arrays", lambda: select(vectors.c.id).where(vectors.c.tags.contains(["a"])), reads("vectors")),
    Built(
        "aggregate in order",
        lambda: select(func.array_agg(aggregate_order_by(customers.c.name, customers.c.id.desc()))),
        reads("customers"),
    ),
    Built("values", lambda: select(values(column("id", Integer), name="customers").data([(1,), (2,)])), reads("")),
    Built(
        "a lightweight table",
        lambda: select(column("name")).select_from(table("customers")),
        reads("customers"),
    ),
    Built("for update", lambda: select(invoices.c.id).with_for_update(skip_locked=True), reads("invoices")),
    Built("a literal column", lambda: select(literal_column("(SELECT count(*) FROM items)")), reads("items")),
    Built(
        "text in Core",
        lambda: select(customers.c.id).where(text("EXISTS (SELECT FROM nodes WHERE nodes.id = customers.id)")),
        reads("customers nodes"),
    ),
    Built(
        "text as a source",
        lambda: select(text("name")).select_from(text("open_invoices")),
        reads("customers invoices"),
    ),
    Built(
        "text with values",
        lambda: text("SELECT name AS invoices FROM customers WHERE id = :id AND name > :name"),
        reads("customers"),
        {"id": 1, "name": ""},
    ),
    Built(
        "text with a list",
        lambda: text("SELECT name FROM customers WHERE id IN :ids").bindparams(bindparam("ids", expanding=True)),
        reads("customers"),
        {"ids": [1, 2, 3]},
    ),
    Built(
        "text as columns",
        lambda: text("SELECT id, number FROM invoices WHERE status <> 'payments'").columns(
            invoices.c.id, invoices.c.number
        ),
        reads("invoices"),
    ),
    Built(
        "mapped schema",
        lambda: select(mapped.c.name),
        reads("hr.customers"),
        None,
        {"schema_translate_map": {"tenant": "hr"}},
    ),
    Built(
        "the same in another schema",
        lambda: select(mapped.c.name),
        reads("customers"),
        None,
        {"schema_translate_map": {"tenant": "public"}},
    ),
    Built("insert", lambda: insert(customers).values(name="a"), writes("customers")),
    Built("insert many", lambda: insert(customers), writes("customers"), [{"name": "a"}, {"name": "b"}]),
    Built(
        "insert many, returning",
        lambda: insert(customers).returning(customers.c.id),
        writes("customers"),
        [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    ),
    Built(
        "multi-row insert",
        lambda: insert(stats).values([{"key": "1", "n": 1}, {"key": "2", "n": 2}]),
        writes("stats"),
    ),
    Built(
        "insert from select",
        lambda: insert(customers).from_select(["name"], select(invoices.c.number)),
        touches("invoices", "customers"),
    ),
    Built("upsert", _upsert, writes("stats")),
    Built("upsert from select", _upsert_from_select, touches("customers nodes", "stats")),
    Built(
        "insert in a CTE",
        lambda: select(insert(stats).values(key="b", n=1).returning(stats.c.key).cte("done").c.key),
        writes("stats"),
    ),
    Built("delete in a CTE", _gone, writes("items stats")),
    Built("update", lambda: update(stats).values(n=stats.c.n + 1), writes("stats")),
    Built(
        "update from",
        lambda: update(invoices).values(status="x").where(invoices.c.customer_id == customers.c.id),
        touches("customers", "invoices"),
    ),
    Built(
        "update by a sub-query",
        lambda: update(stats).values(n=select(func.count(nodes.c.id)).scalar_subquery()),
        touches("nodes", "stats"),
    ),
    Built(
        "update many",
        lambda: update(stats).where(stats.c.key == bindparam("k")).values(n=bindparam("m")),
        writes("stats"),
        [{"k": "a", "m": 1}, {"k": "b", "m": 2}],
    ),
    Built("delete", lambda: delete(invoices).where(invoices.c.id == -1), writes("invoices items payments")),
    Built(
        "delete using",
        lambda: delete(stats).where(stats.c.key == customers.c.name),
        touches("customers", "stats"),
    ),
    Built(
        "update of a view",
        lambda: update(table("plain_customers", column("name"))).values(name="v"),
        touches("", "customers", "invoices"),
    ),
    Built("ORM entity", lambda: select(Customer), reads("customers")),
    Built("ORM alias", lambda: select(aliased(Bill, name="items")), reads("invoices")),
    Built("ORM join", lambda: select(Customer.name, Bill.total).join(Customer.bills), reads("customers invoices")),
    Built("ORM joined load", lambda: select(Bill).options(joinedload(Bill.customer)), reads("customers invoices")),
    Built(
        "ORM any()",
        lambda: select(Customer).where(Customer.bills.any(Bill.total > 1)),
        reads("customers invoices"),
    ),
    Built("ORM has()", lambda: select(Bill).where(Bill.customer.has(name="a")), reads("customers invoices")),
    Built("ORM column property", lambda: select(Worth), reads("tenants invoices")),
    Built(
        "ORM expression",
        lambda: select(Customer).options(
            with_expression(Customer.note, literal_column("(SELECT max(id)::text FROM nodes)"))
        ),
        reads("customers nodes"),
    ),
    Built(
        "ORM sub-query entity",
        lambda: select(aliased(Customer, select(Customer).limit(1).subquery("stats"))),
        reads("customers"),
    ),
    Built("ORM bulk update", lambda: update(Bill).where(Bill.id == 1).values(total=3), writes("invoices")),
    Built("ORM bulk delete", lambda: delete(Bill).where(Bill.id == -1), writes("invoices items payments")),
    Built(
        "ORM insert, returning",
        lambda: insert(Customer).values(name="orm").returning(Customer),
        writes("customers"),
    ),
]
"""Executed on a connection, one by one."""
