"""Which indexes are thought of, in which order of columns."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.monitor.advisor.candidates import MAX_COLUMNS, MAX_PER_PLACE, Candidates, candidates, is_prefix
from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.advisor.predicates import read
from steinmetz.monitor.advisor.workload import Query
from steinmetz.monitor.dialects.base import Table
from tests.unit.monitor.advisor.engine import index, query, table

ORDERS = table("orders", 10_000, tenant=50, status=4, created=9_000, customer=900, email=9_900, total=500)
ITEMS = table("items", 30_000, order_id=10_000, sku=300)


def thought(*queries: Query, dialect: str = "sqlite", tables: tuple[Table, ...] = (ORDERS, ITEMS)) -> Candidates:
    known = {each.name: each for each in tables}
    columns = {name: frozenset(each.columns) for name, each in known.items()}
    return candidates([(each, read(each.sql, dialect, columns)) for each in queries], known, dialect)


def definitions(*queries: Query, **given: Any) -> list[str]:
    return [each.index.definition() for each in thought(*queries, **given).all]


def test_equality_comes_first_by_selectivity_then_the_order_with_its_direction() -> None:
    found = definitions(
        query("SELECT * FROM orders WHERE status = ? AND tenant = ? ORDER BY created DESC LIMIT 20", ("open", 5))
    )
    assert found[0] == "orders (tenant, status, created DESC)"
    assert "orders (created DESC)" in found, "what somebody would try is judged, too"


def test_a_range_follows_equality_and_only_one() -> None:
    found = definitions(query("SELECT * FROM orders WHERE created > ? AND total > ? AND tenant = ?", (1, 2, 3)))
    assert "orders (tenant, created)" in found
    assert "orders (tenant, total)" in found
    assert not any("created, total" in each or "total, created" in each for each in found)


def test_a_column_that_more_statements_share_may_stand_in_front() -> None:
    found = definitions(
        query("SELECT * FROM orders WHERE customer = ? AND status = ?", (1, "open")),
        query("SELECT * FROM orders WHERE status = ?", ("open",)),
    )
    assert {"orders (customer, status)", "orders (status, customer)"} <= set(found)


def test_each_side_of_a_join_and_both_together() -> None:
    made = thought(
        query(
            "SELECT items.sku, orders.total FROM orders JOIN items ON items.order_id = orders.id"
            " WHERE orders.customer = ?",
            (1,),
        )
    )
    found = {each.index.definition() for each in made.all}
    assert {"orders (customer)", "items (order_id)"} <= found
    pairs = [{each.definition() for each in pair} for pair in made.together]
    assert {"items (order_id, sku)", "orders (customer, total)"} in pairs


def test_each_branch_of_an_or_gets_an_index_and_both_are_tried_together() -> None:
    made = thought(query("SELECT * FROM orders WHERE customer = ? OR email = ?", (1, "a")))
    assert frozenset({index("orders", "customer"), index("orders", "email")}) in made.together


def test_what_is_needed_besides_is_carried() -> None:
    sql = "SELECT total FROM orders WHERE customer = {}"
    assert "orders (customer, total)" in definitions(query(sql.format("?"), (1,)))
    assert "orders (customer) INCLUDE (total)" in definitions(query(sql.format("$1"), (1,)), dialect="postgresql")


@pytest.mark.parametrize(
    ("dialect", "value", "condition"),
    [("sqlite", "?", "status = 'open'"), ("postgresql", "$2", "status = 'open'")],
)
def test_a_value_that_is_always_the_same_makes_a_partial_index(dialect: str, value: str, condition: str) -> None:
    bind = "?" if dialect == "sqlite" else "$1"
    sets = [(number, "open") for number in range(100)]
    found = definitions(
        query(f"SELECT * FROM orders WHERE customer = {bind} AND status = {value}", *sets), dialect=dialect
    )
    assert f"orders (customer) WHERE {condition}" in found


def test_a_value_that_changes_makes_none() -> None:
    sets = [(number, "open" if number % 5 else "paid") for number in range(100)]
    found = definitions(query("SELECT * FROM orders WHERE customer = ? AND status = ?", *sets))
    assert not any("WHERE" in each for each in found)


def test_constants_in_the_text_and_null_make_partial_indexes() -> None:
    found = definitions(query("SELECT * FROM orders WHERE customer = ? AND status = 'it''s'", (1,)))
    assert "orders (customer) WHERE status = 'it''s'" in found
    found = definitions(query("SELECT * FROM orders WHERE customer = ? AND total IS NULL", (1,)))
    assert "orders (customer) WHERE total IS NULL" in found


def test_an_expression_is_indexed_as_it_is_written() -> None:
    assert "orders ((lower(email)))" in definitions(query("SELECT * FROM orders WHERE lower(email) = ?", ("a",)))


@pytest.mark.parametrize(
    ("dialect", "definition"),
    [("sqlite", "orders (email COLLATE NOCASE)"), ("postgresql", "orders (email text_pattern_ops)")],
)
def test_like_with_a_fixed_beginning_gets_the_comparison_it_needs(dialect: str, definition: str) -> None:
    bind = "?" if dialect == "sqlite" else "$1"
    sql = f"SELECT * FROM orders WHERE email LIKE {bind}"
    assert definition in definitions(query(sql, ("anna%",)), dialect=dialect)
    assert definitions(query(sql, ("%anna%",)), dialect=dialect) == []


def test_groups_and_extremes_get_theirs() -> None:
    assert "orders (status)" in definitions(query("SELECT status, count(*) FROM orders GROUP BY status"))
    found = definitions(query("SELECT max(created) FROM orders WHERE customer = ?", (1,)))
    assert found[0] == "orders (customer, created)"


def test_a_unique_key_found_by_equality_needs_no_other() -> None:
    unique = table("orders", 10_000, [index("orders", "email", name="uq", unique=True)], email=9_900, status=4)
    sql = "SELECT * FROM orders WHERE {} = ? AND status = ?"
    assert definitions(query(sql.format("id"), (1, "a"))) == []
    assert definitions(query(sql.format("email"), (1, "a")), tables=(unique,)) == []


def test_what_exists_is_not_thought_of_again() -> None:
    there = table("orders", 10_000, [index("orders", "customer", "status", name="there")], customer=900, status=4)
    found = definitions(query("SELECT * FROM orders WHERE customer = ?", (1,)), tables=(there,))
    assert found == []


def test_small_tables_are_left_alone() -> None:
    small = table("orders", 40, customer=30)
    assert definitions(query("SELECT * FROM orders WHERE customer = ?", (1,)), tables=(small,)) == []


def test_columns_and_candidates_are_bounded() -> None:
    everything = "tenant = ? AND status = ? AND customer = ? AND email = ? AND total = ? AND created > ?"
    made = thought(query(f"SELECT * FROM orders WHERE {everything} ORDER BY created, id", (1, 2, 3, 4, 5, 6)))
    assert max(len(each.index.columns) for each in made.all) <= MAX_COLUMNS
    assert len(made.all) <= MAX_PER_PLACE


def test_an_index_read_backwards_is_the_same() -> None:
    sql = "SELECT * FROM orders WHERE tenant = ? ORDER BY created{}"
    found = definitions(query(sql.format(" DESC"), (1,), calls=2_000), query(sql.format(""), (1,)))
    assert "orders (tenant, created DESC)" in found
    assert "orders (tenant, created)" not in found


def test_a_prefix_does_no_more_than_the_whole() -> None:
    whole = index("orders", "tenant", "status", "-created")
    assert is_prefix(index("orders", "tenant", "status"), whole)
    assert not is_prefix(index("orders", "status"), whole)
    assert not is_prefix(index("orders", "tenant", where="status = 1"), whole)
    assert is_prefix(Index("orders", (IndexColumn("tenant"),), include=("status",)), whole)
    assert not is_prefix(Index("orders", (IndexColumn("tenant"),), include=("total",)), whole)
