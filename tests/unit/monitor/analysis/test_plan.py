"""Both engines' plans as one tree: its hash, its text, its remarks, and no value anywhere."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from steinmetz.monitor.analysis.plan import PlanNode, of_postgres, of_sqlite, why_not
from steinmetz.sql.shape import shape_of

SCHEMA = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, age INT, city TEXT);
    CREATE INDEX ix_email ON people (email, age);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, person INT, day TEXT);
    CREATE VIRTUAL TABLE notes USING fts5(body);
"""


def sqlite_plan(statement: str, sizes: dict[str, int] | None = None) -> PlanNode:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    connection.close()
    return of_sqlite(rows, sizes or {"people": 5_000, "orders": 20_000})


class TestOfSqlite:
    @pytest.mark.parametrize(
        ("statement", "remarks"),
        [
            ("SELECT * FROM people WHERE city = 'x'", ["reads all of people (5000 rows)"]),
            ("SELECT count(*) FROM people", ["reads all of index ix_email (5000 rows)"]),
            ("SELECT * FROM people WHERE email = 'x'", []),
            ("SELECT * FROM people WHERE id = 5", []),
            ("SELECT * FROM people WHERE email = 'x' ORDER BY city", ["sorts in a temporary b-tree (order by)"]),
            (
                "SELECT * FROM people a JOIN orders b ON b.day = a.city",
                ["builds an index on b for this run alone"],
            ),
            ("DELETE FROM orders WHERE day = 'x'", ["reads all of orders (20000 rows)"]),
            ("VALUES (1), (2)", []),
        ],
    )
    def test_remarks(self, statement: str, remarks: list[str]) -> None:
        assert sqlite_plan(statement).remarks() == remarks

    def test_a_small_table_may_be_read_whole(self) -> None:
        assert sqlite_plan("SELECT * FROM people", {"people": 12}).remarks() == []

    def test_the_tree_is_the_engines(self) -> None:
        plan = sqlite_plan("SELECT id FROM people WHERE id IN (SELECT person FROM orders)")
        assert [node.operation for node in plan.walk()] == ["QUERY", "SEARCH", "LIST SUBQUERY", "SCAN"]
        assert plan.text().splitlines()[1] == "  SEARCH of people by integer primary key rowid = ?"

    def test_indexes_are_named(self) -> None:
        assert sqlite_plan("SELECT * FROM people WHERE email = 'x' OR id = 3").indexes() == {
            "ix_email", "integer primary key",
        }  # fmt: skip

    def test_a_search_in_a_virtual_table_shows_nothing_of_it(self) -> None:
        plan = of_sqlite([(2, 0, 0, "SCAN notes VIRTUAL TABLE INDEX 0:secret word")])
        assert plan == PlanNode("SCAN VIRTUAL TABLE", "notes")

    def test_a_plan_of_any_length_is_read_in_bounds(self) -> None:
        plan = of_sqlite([(n + 1, n, 0, f"SCAN t{n}") for n in range(5_000)])
        assert sum(1 for _ in plan.walk()) <= 400


def postgres(**node: Any) -> dict[str, Any]:
    return {"Node Type": "Seq Scan", "Relation Name": "people", "Plan Rows": 10, "Total Cost": 99.5, **node}


class TestOfPostgres:
    def test_a_condition_shows_no_value(self) -> None:
        for condition in (
            "((email)::text = 'secret'::text)", "(id = 4711)", "(tags @> '{\"secret\": 4711}'::jsonb)",
            "(name = ANY ('{secret,4711}'::text[]))", r"(path ~ E'a\\secret4711'::text)", "(b = B'10'::bit(2))",
        ):  # fmt: skip
            shown = json.dumps(of_postgres(postgres(Filter=condition)).as_dict())
            assert "secret" not in shown
            assert "4711" not in shown

    def test_what_is_not_known_is_not_passed_on(self) -> None:
        plan = of_postgres(postgres(Output=["'secret'"], **{"Function Call": "f('secret')", "Alias": "secret"}))
        assert "secret" not in json.dumps(plan.as_dict())

    @pytest.mark.parametrize(
        ("node", "remark"),
        [
            (postgres(Filter="(a = 1)"), "reads all of people (50000 rows) for 10 of them"),
            (postgres(), ""),
            (
                {
                    "Node Type": "Sort",
                    "Sort Key": ["a"],
                    "Sort Method": "external merge",
                    "Sort Space Type": "Disk",
                },
                "sorts on disk: the rows do not fit into work_mem",
            ),
            (
                {"Node Type": "Nested Loop", "Plans": [postgres(**{"Plan Rows": 500}), postgres()]},
                "reads all of people again for each of 500 rows",
            ),
            (
                {"Node Type": "Index Scan", "Index Name": "ix", "Plan Rows": 10, "Actual Rows": 9_000},
                "9000 rows came where 10 were expected",
            ),
        ],
    )
    def test_remarks(self, node: dict[str, Any], remark: str) -> None:
        assert of_postgres(node, {"people": 50_000}).remark == remark

    def test_the_tree_reads_well(self) -> None:
        below = postgres(**{"Node Type": "Index Scan", "Index Name": "ix_email", "Index Cond": "(id = 5)"})
        top = {"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": ["city"], "Plan Rows": 3}
        plan = of_postgres({**top, "Plans": [below]})
        assert plan.text() == (
            "Hashed Aggregate (city) [3 rows expected]\n"
            "  Index Scan of people by ix_email (id = ?) [10 rows expected]"
        )


class TestHash:
    def test_costs_rows_and_values_do_not_matter(self) -> None:
        first = of_postgres(postgres(Filter="(a = 1)"), {"people": 5})
        second = of_postgres(postgres(Filter="(a = 2)", **{"Plan Rows": 7, "Total Cost": 1.0}), {"people": 50_000})
        assert first.hash() == second.hash()

    def test_an_index_and_how_much_of_it_is_used_do(self) -> None:
        hashes = {
            of_postgres(postgres(**{"Node Type": "Index Scan", "Index Name": name, "Index Cond": asked})).hash()
            for name, asked in (("ix_a", "(a = 1)"), ("ix_b", "(a = 1)"), ("ix_a", "((a = 1) AND (b = 2))"))
        }
        assert len(hashes) == 3

    def test_the_order_of_a_join_does(self) -> None:
        a, b = postgres(), postgres(**{"Relation Name": "orders"})
        one, other = ({"Node Type": "Hash Join", "Plans": plans} for plans in ([a, b], [b, a]))
        assert of_postgres(one).hash() != of_postgres(other).hash()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT 1; DROP TABLE t", "it is several statements at once"),
        ("CREATE TABLE t (a int)", "CREATE has no plan"),
        ("", "an empty text has no plan"),
        ("SELECT 'a", "it cannot be told where its literals end"),
        ("EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN has no plan"),
        ("DELETE FROM t", None),
        ("WITH x AS (SELECT 1) SELECT * FROM x", None),
    ],
)
def test_only_what_has_a_plan_is_explained(statement: str, reason: str | None) -> None:
    assert why_not(shape_of(statement)) == reason
