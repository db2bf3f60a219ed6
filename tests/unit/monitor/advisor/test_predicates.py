"""What a statement asks of each of its tables, in both dialects."""

from __future__ import annotations

import pytest

from steinmetz.monitor.advisor.predicates import read
from steinmetz.monitor.advisor.reading import Kind, Occurrence, OrderKey, Term, Unreadable

COLUMNS = {
    "orders": frozenset({"id", "tenant_id", "status", "created_at", "customer_id", "email", "active"}),
    "items": frozenset({"id", "order_id", "sku"}),
}


def places(sql: str, dialect: str = "sqlite") -> list[Occurrence]:
    return list(read(sql, dialect, COLUMNS).occurrences)


def terms(sql: str, dialect: str = "sqlite") -> list[tuple[str, Kind]]:
    (place,) = places(sql, dialect)
    (branch,) = place.branches
    return [(term.key, term.kind) for term in branch]


@pytest.mark.parametrize(
    ("dialect", "binds"),
    [
        ("sqlite", ("?", "?")),
        ("postgresql", ("$1::INTEGER", "$2::VARCHAR")),
        ("postgresql", ("%s", "%s")),
        ("sqlite", ("?1", "?2")),
    ],
)
def test_every_way_to_write_a_bind_is_found_by_its_position(dialect: str, binds: tuple[str, str]) -> None:
    (place,) = places(f"SELECT id FROM orders WHERE tenant_id = {binds[0]} AND status = {binds[1]}", dialect)
    assert place.branches == ((Term("tenant_id", Kind.EQUAL, bind=0), Term("status", Kind.EQUAL, bind=1)),)


@pytest.mark.parametrize("bind", ["%(kind)s", ":kind"])
def test_a_named_bind_is_found_by_its_name(bind: str) -> None:
    (place,) = places(f"SELECT id FROM orders WHERE status = {bind}")
    assert place.branches == ((Term("status", Kind.EQUAL, bind="kind"),),)


def test_question_marks_in_literals_are_no_binds() -> None:
    (place,) = places("SELECT id FROM orders WHERE email = 'who?' AND status = ?")
    assert place.branches == ((Term("email", Kind.EQUAL, literal="'who?'"), Term("status", Kind.EQUAL, bind=0)),)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("status IN (?, ?)", ("status", Kind.IN)),
        ("status IN (?)", ("status", Kind.EQUAL)),
        ("created_at >= ?", ("created_at", Kind.RANGE)),
        ("? < created_at", ("created_at", Kind.RANGE)),
        ("created_at BETWEEN ? AND ?", ("created_at", Kind.RANGE)),
        ("(created_at, id) < (?, ?)", ("created_at", Kind.RANGE)),
        ("status IS NULL", ("status", Kind.IS_NULL)),
        ("email LIKE ? ESCAPE '/'", ("email", Kind.PREFIX)),
        ("lower(orders.email) = ?", ("lower(email)", Kind.EQUAL)),
        ("active", ("active", Kind.EQUAL)),
        ("NOT active", ("active", Kind.EQUAL)),
        ("active IS 1", ("active", Kind.EQUAL)),
        ("customer_id IN (SELECT order_id FROM items)", ("customer_id", Kind.JOIN)),
    ],
)
def test_a_condition_is_told_by_how_it_narrows_its_column(condition: str, found: tuple[str, Kind]) -> None:
    place = next(each for each in places(f"SELECT id FROM orders WHERE {condition}") if each.table == "orders")
    ((term,),) = place.branches
    assert (term.key, term.kind) == found


def test_any_of_an_array_is_a_list() -> None:
    assert terms("SELECT id FROM orders WHERE status = ANY($1::VARCHAR[])", "postgresql") == [("status", Kind.IN)]


@pytest.mark.parametrize("condition", ["status <> ?", "status NOT IN (?, ?)", "NOT status = ?", "? = ?"])
def test_what_narrows_nothing_is_no_term(condition: str) -> None:
    assert terms(f"SELECT id FROM orders WHERE {condition}") == []


def test_the_sides_of_a_join_are_terms_of_both_tables() -> None:
    orders, items = places(
        "SELECT o.id FROM orders AS o JOIN items i ON i.order_id = o.customer_id WHERE o.status = ?"
    )
    assert [(term.key, term.kind) for term in orders.branches[0]] == [
        ("status", Kind.EQUAL),
        ("customer_id", Kind.JOIN),
    ]
    assert items.branches == ((Term("order_id", Kind.JOIN),),)
    assert orders.joined
    assert items.joined


def test_a_correlated_subquery_joins_its_outer_table() -> None:
    inner = places("SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM items WHERE items.order_id = orders.id)")[1]
    assert inner.branches == ((Term("order_id", Kind.JOIN),),)


def test_alternatives_of_or_are_told_apart() -> None:
    (place,) = places("SELECT id FROM orders WHERE tenant_id = ? AND (status = ? OR customer_id = ?)")
    assert [[term.key for term in branch] for branch in place.branches] == [
        ["tenant_id", "status"],
        ["tenant_id", "customer_id"],
    ]


def test_more_alternatives_than_are_kept_leave_what_certainly_holds() -> None:
    many = " OR ".join(f"status = 's{number}'" for number in range(20))
    (place,) = places(f"SELECT id FROM orders WHERE tenant_id = ? AND ({many})")
    assert place.branches == ((Term("tenant_id", Kind.EQUAL, bind=0),),)


def test_the_order_keeps_its_directions_and_limits_are_seen() -> None:
    (place,) = places("SELECT id FROM orders ORDER BY orders.created_at DESC, orders.id LIMIT ?")
    assert place.order == (OrderKey("created_at", True), OrderKey("id"))
    assert place.limited


def test_an_order_by_the_name_of_a_result_is_resolved() -> None:
    (place,) = places("SELECT lower(email) AS mail FROM orders ORDER BY mail")
    assert place.order == (OrderKey("lower(email)", is_expression=True),)


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT id FROM orders ORDER BY created_at DESC NULLS LAST", "postgresql"),
        ("SELECT id FROM orders ORDER BY created_at NULLS LAST", "sqlite"),
        ("SELECT o.id FROM orders o JOIN items i ON i.order_id = o.id ORDER BY o.created_at, i.sku", "sqlite"),
        ("SELECT count(*) FROM orders GROUP BY status ORDER BY status", "sqlite"),
    ],
)
def test_an_order_that_no_index_of_one_table_gives_is_none(sql: str, dialect: str) -> None:
    assert all(place.order == () for place in places(sql, dialect))


def test_groups_and_extremes_are_seen() -> None:
    (grouped,) = places("SELECT status, count(*) FROM orders GROUP BY status")
    (extreme,) = places("SELECT max(created_at) FROM orders WHERE customer_id = ?")
    (distinct,) = places("SELECT DISTINCT status FROM orders")
    assert grouped.group == distinct.group == ("status",)
    assert extreme.extremes == ("created_at",)


def test_the_columns_that_are_needed_are_known_unless_all_are() -> None:
    (some,) = places("SELECT id, count(*) FROM orders WHERE status = ?")
    (every,) = places("SELECT * FROM orders")
    assert some.columns == {"id", "status"}
    assert every.columns is None


def test_a_common_table_expression_is_no_table() -> None:
    found = places("WITH items AS (SELECT id FROM orders WHERE status = ?) SELECT * FROM items")
    assert [place.table for place in found] == ["orders"]


def test_an_update_tells_what_it_finds_and_what_it_sets() -> None:
    reading = read("UPDATE orders SET status = ?, email = ? WHERE orders.id = ?", "sqlite", COLUMNS)
    assert (reading.writes, reading.assigned) == ("orders", {"status", "email"})
    assert reading.occurrences[0].branches == ((Term("id", Kind.EQUAL, bind=2),),)


def test_inserts_and_deletes_write_all_columns() -> None:
    insert = read("INSERT INTO items (order_id) VALUES (?)", "sqlite", COLUMNS)
    delete = read("DELETE FROM items WHERE sku = ?", "sqlite", COLUMNS)
    assert (insert.writes, insert.assigned, insert.occurrences) == ("items", None, ())
    assert (delete.writes, delete.assigned) == ("items", None)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT FROM WHERE (", "not understood"),
        ("VACUUM", "command"),
        ("SELECT 1 FROM orders WHERE id IN (" + "1, " * 20_000 + "1)", "longer than"),
    ],
)
def test_what_cannot_be_read_is_said(sql: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(sql, "sqlite", COLUMNS)
