from __future__ import annotations

from typing import Any

import pytest

from steinmetz.monitor.dialects.postgres_plan import buffers, plan_of, rows_given, rows_handled, without_values


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("(status = 'open'::text)", "(status = ?::text)"),
        ("((a = 1) AND (b > '-5'::integer))", "((a = ?) AND (b > ?::integer))"),
        ("(name = 'it''s geheim'::text)", "(name = ?::text)"),
        (r"(name = E'a\\b\'c geheim'::text)", "(name = ?::text)"),
        ("(a = ANY ('{1,2,3}'::integer[]))", "(a = ANY (?::integer[]))"),
        ("(col1 = 1.5e-7)", "(col1 = ?)"),
        ("((tenant_id = $1) AND (t2.c3 = 44))", "((tenant_id = $1) AND (t2.c3 = ?))"),
        ("(a = -12)", "(a = ?)"),
    ],
)
def test_a_condition_shows_no_value(condition: str, shown: str) -> None:
    assert without_values(condition) == shown


def node(kind: str, *plans: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"Node Type": kind, "Total Cost": 10.0, "Plans": list(plans)}
    return known | {name.replace("_", " "): value for name, value in more.items()}


def scan(**more: Any) -> dict[str, Any]:
    return node("Index Scan", Relation_Name="orders", Alias="o", Index_Name="<1>btree_orders_a", **more)


def test_a_plan_has_one_shape_whatever_its_costs_and_values() -> None:
    one = plan_of(node("Limit", scan(Index_Cond="(a = 1)", Plan_Rows=5)), {"<1>btree_orders_a": "ix"})
    other = plan_of(node("Limit", scan(Index_Cond="(a = 2)", Plan_Rows=900)), {"<1>btree_orders_a": "ix"})
    assert one == other
    assert one.indexes == {"ix"}
    assert one.text == "Limit\n  Index Scan using ix on orders o; Index Cond: (a = ?)"


@pytest.mark.parametrize(
    "other",
    [
        node("Limit", scan(), scan()),
        node("Limit", node("Seq Scan", Relation_Name="orders", Alias="o")),
        node("Limit", scan(Scan_Direction="Backward")),
        node("Unique", scan()),
    ],
    ids=["nodes", "scan", "direction", "top"],
)
def test_other_shapes_have_other_hashes(other: dict[str, Any]) -> None:
    assert plan_of(other, {}).hash != plan_of(node("Limit", scan()), {}).hash


def test_work_is_what_all_nodes_gave_and_threw_away() -> None:
    inner = scan(Actual_Rows=3, Actual_Loops=10, Rows_Removed_by_Filter=2)
    root = node("Nested Loop", inner, Actual_Rows=7, Actual_Loops=1, Shared_Hit_Blocks=4, Temp_Read_Blocks=5)
    assert rows_handled(root) == 7 + 10 * (3 + 2)
    assert buffers(root) == 9
    assert rows_given(root) == 7


def test_a_write_gives_the_rows_it_changed() -> None:
    root = node("ModifyTable", scan(Actual_Rows=3, Actual_Loops=1), Actual_Rows=0, Actual_Loops=1)
    assert rows_given(root) == 3
