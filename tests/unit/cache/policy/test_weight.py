from __future__ import annotations

from steinmetz.cache.policy.weight import (
    READ_BYTES,
    SEGMENT_BYTES,
    VALUE_BYTES,
    weight_of_headers,
    weight_of_path,
    weight_of_reads,
)
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column, Kind, Rows

NODES = Relation("main", "nodes")
ID = Column("id", Kind.INTEGER)


def test_t12_every_membership_in_the_index_weighs() -> None:
    table = ReadSet(frozenset({NODES}))
    tables = ReadSet(frozenset({NODES, Relation("main", "users")}))
    assert weight_of_reads(tables) == weight_of_reads(table) + READ_BYTES
    one = ReadSet(frozenset({NODES}), rows={NODES: (Rows({ID: frozenset({1})}),)})
    many = ReadSet(frozenset({NODES}), rows={NODES: (Rows({ID: frozenset(range(64))}),)})
    assert weight_of_reads(one) >= weight_of_reads(table) + VALUE_BYTES
    assert weight_of_reads(many) == weight_of_reads(one) + 63 * VALUE_BYTES


def test_the_values_that_an_answer_is_found_by_are_those_that_weigh() -> None:
    name = Column("name", Kind.TEXT)
    rows = Rows({ID: frozenset({1}), name: frozenset({"a" * 100, "b" * 100})})
    both = ReadSet(frozenset({NODES}), rows={NODES: (rows,)})
    alone = ReadSet(frozenset({NODES}), rows={NODES: (Rows({ID: frozenset({1})}),)})
    assert weight_of_reads(both) == weight_of_reads(alone)


def test_a_path_weighs_by_what_it_shares_with_no_other() -> None:
    assert weight_of_path("/api/invoices", "/api/invoices") == len("/api/invoices")
    one = weight_of_path("/api/invoices/7", "/api/invoices/{id}")
    assert SEGMENT_BYTES < one < 2 * SEGMENT_BYTES
    assert weight_of_path("/api/invoices/7/pdf", "/api/invoices/{id}/pdf") > 2 * SEGMENT_BYTES
    assert weight_of_path("/x/y", "(unrouted)") > 2 * SEGMENT_BYTES
    deep = "/x" * 1_000
    assert weight_of_path(deep, "/{rest:path}") == len(deep) + 32 * (SEGMENT_BYTES + len(deep))


def test_header_lines_weigh_more_than_their_bytes() -> None:
    assert weight_of_headers([(b"a", b"b" * 100)]) > 200
