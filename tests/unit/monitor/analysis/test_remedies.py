"""What is advised instead of a loop; the corpus of tests/contract has the whole statements."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.remedies import APPLICATION, Cause, Origin, remedy_for_reads, remedy_for_writes
from steinmetz.sql.facts import Verb

SELECT = "SELECT items.id FROM items WHERE items.invoice_id = ?"


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        (Origin(Cause.LAZY_LOAD, "Invoice.items", is_collection=True), "selectinload(Invoice.items)"),
        (Origin(Cause.LAZY_LOAD, "Item.invoice"), "joinedload(Item.invoice)"),
        (Origin(Cause.LAZY_LOAD, "Node.parent", is_recursive=True), "select(...).cte(recursive=True)"),
        (Origin(Cause.EAGER_LOAD, "Invoice.items"), "select them in one query"),
        (Origin(Cause.DEFERRED, "Product.text"), "undefer(Product.text)"),
        (Origin(Cause.INHERITED, "Asset", "Vehicle"), "selectin_polymorphic(Asset, [Vehicle])"),
        (Origin(Cause.EXPIRED, entity="Invoice"), "expire_on_commit=False"),
        (Origin(Cause.REFRESH, entity="Invoice"), "populate_existing=True"),
        (Origin(entity="Item"), "select(Item).where(Item.invoice_id.in_(keys))"),
        (APPLICATION, "one query with WHERE items.invoice_id IN (...)"),
    ],
)
def test_reads(origin: Origin, advice: str) -> None:
    assert advice in remedy_for_reads(SELECT, ("items.invoice_id",), origin)


def test_aggregates_are_grouped_and_the_first_of_each_is_numbered() -> None:
    count = remedy_for_reads("SELECT count(*) FROM items WHERE invoice_id = ?", ("invoice_id",), APPLICATION)
    assert "GROUP BY invoice_id" in count
    exists = remedy_for_reads("SELECT EXISTS (SELECT 1 ...)", ("invoice_id",), APPLICATION)
    assert "SELECT DISTINCT invoice_id" in exists
    assert "row_number() OVER (PARTITION BY items.invoice_id" in remedy_for_reads(
        SELECT, ("items.invoice_id",), APPLICATION, is_limited=True
    )


def test_a_statement_whose_keys_have_no_column_is_advised_all_the_same() -> None:
    assert "WHERE the key IN (...)" in remedy_for_reads("SELECT f(?)", (), APPLICATION)


@pytest.mark.parametrize(
    ("verb", "text", "advice"),
    [
        (Verb.INSERT, "INSERT INTO t VALUES (?)", "insert(...).values(rows)"),
        (Verb.INSERT, "INSERT INTO t VALUES (?) ON CONFLICT (a) DO NOTHING", "on_conflict_do_update"),
        (Verb.UPDATE, "UPDATE t SET a = ? WHERE id = ?", "executemany"),
        (Verb.DELETE, "DELETE FROM t WHERE id = ?", "WHERE id IN (...)"),
    ],
)
def test_writes(verb: Verb, text: str, advice: str) -> None:
    once = remedy_for_writes(text, verb, ("id",), APPLICATION)
    assert advice in once
    assert "one transaction" not in once
    assert "one transaction" in remedy_for_writes(text, verb, ("id",), APPLICATION, commits=True)


def test_flushes() -> None:
    assert "flush once" in remedy_for_writes("INSERT ...", Verb.INSERT, (), Origin(Cause.FLUSH))
