"""From a workload to advice, over a made-up engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.advise import advise
from steinmetz.monitor.advisor.selection import Weights
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.monitor.dialects.base import ForeignKey
from tests.unit.monitor.advisor.engine import Engine, index, query, table

ORDERS = table("orders", 10_000, tenant=50, status=4, created=9_000, customer=900, total=500)
NEWEST = "SELECT * FROM orders WHERE tenant = ? AND status = ? ORDER BY created DESC LIMIT 20"
NOBODY = 9_999


def given(*queries: Query, engine: Engine | None = None, proof: bool = False, **options: Any) -> Advice:
    engine = engine or Engine({"orders": ORDERS})
    return advise(Workload(list(queries)), engine, "sqlite", proof=engine if proof else None, **options)


def created(advice: Advice) -> list[str]:
    return [each.index.definition() for each in advice.create]


def reasons(advice: Advice) -> dict[str, str]:
    return {each.index.definition(): each.reason for each in advice.rejected}


def test_the_index_that_finds_and_orders_is_advised_with_what_it_gains() -> None:
    advice = given(query(NEWEST, (5, "open"), name="newest"))
    assert created(advice) == ["orders (tenant, status, created DESC)"]
    (creation,) = advice.create
    (effect,) = creation.helps
    assert effect.name == "newest"
    assert effect.gain.estimated is not None
    assert effect.gain.estimated > 100
    assert effect.gain.verified is None
    assert 900 < creation.saves_ms < 1_000, "of a thousand calls of a millisecond"
    assert not advice.is_verified


def test_what_two_indexes_save_together_is_not_told_of_each() -> None:
    both = "SELECT * FROM orders JOIN parts ON parts.number = orders.created WHERE orders.customer = ?"
    engine = Engine({"orders": ORDERS, "parts": table("parts", 10_000, number=9_000, name=5_000)})
    advice = given(query(both, (5,)), engine=engine)
    assert len(advice.create) == 2
    total_ms = advice.create[0].helps[0].total_ms
    assert sum(creation.saves_ms for creation in advice.create) <= total_ms


def test_the_order_alone_is_refused_by_rule_before_anything_is_run() -> None:
    reason = reasons(given(query(NEWEST, (5, "open"), name="newest")))["orders (created DESC)"]
    assert reason.startswith("It gives newest its order but not its rows")


def test_running_says_how_much_the_order_alone_would_harm() -> None:
    engine = Engine({"orders": ORDERS}, rare=frozenset({NOBODY}))
    advice = given(query(NEWEST, (5, "open"), (NOBODY, "open"), name="newest"), engine=engine, proof=True)
    assert created(advice) == ["orders (tenant, status, created DESC)"]
    assert reasons(advice)["orders (created DESC)"] == (
        "It would make newest 2.0 times as costly for some parameters (measured)."
    )
    (effect,) = advice.create[0].helps
    assert effect.gain.worst is not None
    assert effect.gain.worst > 100
    assert advice.is_verified


def test_an_order_without_a_condition_may_be_given_by_its_own_index() -> None:
    advice = given(query("SELECT * FROM orders ORDER BY created DESC LIMIT 20", ()))
    assert created(advice) == ["orders (created DESC)"]


def test_an_index_that_harms_another_statement_is_taken_only_with_the_one_that_protects_it() -> None:
    advice = given(query("SELECT * FROM orders ORDER BY created DESC LIMIT 20", ()), query(NEWEST, (5, "open")))
    assert set(created(advice)) == {"orders (created DESC)", "orders (tenant, status, created DESC)"}


def test_one_index_serves_two_statements_where_it_can() -> None:
    advice = given(
        query("SELECT * FROM orders WHERE customer = ? AND status = ?", (1, "open")),
        query("SELECT * FROM orders WHERE customer = ?", (1,)),
    )
    assert len(advice.create) == 1
    assert created(advice)[0].startswith("orders (customer")
    assert len(advice.create[0].helps) == 2


def test_writes_that_cost_more_than_reads_save_leave_the_table_as_it_is() -> None:
    insert = query("INSERT INTO orders (tenant) VALUES (?)", (1,), calls=10**6, name="insert")
    advice = given(query("SELECT * FROM orders WHERE customer = ?", (1,), calls=2), insert)
    assert created(advice) == []
    assert "would cost more" in reasons(advice)["orders (customer)"]


def test_the_writes_that_pay_for_an_index_are_named() -> None:
    update = query("UPDATE orders SET customer = ? WHERE id = ?", (1, 2), calls=3, name="move")
    other = query("UPDATE orders SET total = ? WHERE id = ?", (1, 2), calls=3, name="price")
    advice = given(query("SELECT * FROM orders WHERE customer = ?", (1,)), update, other)
    assert [effect.name for effect in advice.create[0].slows] == ["move"]


def test_a_set_that_running_refutes_is_given_up_and_the_next_best_is_taken() -> None:
    class Deceived(Engine):
        """Planning knows nothing of it: with the three-column index everything gets slower."""

        def run(self, sql: str, values: Any, *, adding: Any = (), without: Any = ()) -> Any:
            work = super().run(sql, values, adding=adding, without=without)
            is_bad = any(len(each.columns) == 3 for each in adding)
            return type(work)(1e6 if is_bad else work.steps, work.duration_ms, work.rows)

    advice = given(query(NEWEST, (5, "open"), name="newest"), engine=Deceived({"orders": ORDERS}), proof=True)
    assert created(advice) == ["orders (tenant, status)"]
    assert "times as costly" in reasons(advice)["orders (tenant, status, created DESC)"]
    assert "measured" in reasons(advice)["orders (tenant, status, created DESC)"]


def test_what_cannot_be_read_or_explained_is_said_and_the_others_are_advised() -> None:
    engine = Engine({"orders": ORDERS}, refused={"total": "it has no plan here"})
    advice = given(
        query("SELECT * FROM orders WHERE customer = ?", (1,)),
        query("SELECT total FROM orders WHERE tenant = ?", (1,), name="dark"),
        engine=engine,
    )
    assert created(advice) == ["orders (customer)"]
    assert [(each.name, each.reason) for each in advice.unheard] == [("dark", "No plan: it has no plan here")]


def test_a_rare_statement_that_becomes_a_look_up_counts_beside_a_heavy_one() -> None:
    advice = given(
        query("SELECT * FROM orders WHERE tenant = ?", (1,), calls=100_000),
        query("SELECT * FROM orders WHERE customer = ?", (1,), calls=3),
    )
    assert set(created(advice)) == {"orders (tenant)", "orders (customer)"}


def test_duplicates_are_to_be_dropped_but_never_what_a_constraint_needs() -> None:
    there = [
        index("orders", "tenant", name="short"),
        index("orders", "tenant", "status", name="long"),
        index("orders", "customer", name="by_key"),
        index("orders", "total", name="only", unique=True),
        index("orders", "created", name="idle"),
    ]
    orders = table("orders", 10_000, there, tenant=50, status=4, created=9_000, customer=900, total=500)
    engine = Engine({"orders": replace(orders, foreign_keys=(ForeignKey(("customer",), "customers", ("id",)),))})
    advice = given(
        query("SELECT * FROM orders WHERE tenant = ? AND status = ?", (5, "open"), calls=5_000),
        engine=engine,
    )
    assert {each.index.name: each.reason for each in advice.drop} == {
        "short": "long begins with the same columns and does its work, too.",
        "idle": "No plan uses it, in 1 statements on orders that ran 5,000 times.",
    }
    assert [each.ddl for each in advice.drop if each.index.name == "idle"] == ["DROP INDEX idle"]


def test_a_delete_gets_the_index_by_which_its_foreign_keys_are_looked_up() -> None:
    items = table("items", 30_000, order_id=10_000)
    items = replace(items, foreign_keys=(ForeignKey(("order_id",), "orders", ("id",)),))
    engine = Engine({"orders": ORDERS, "items": items})
    advice = advise(Workload([query("DELETE FROM orders WHERE id = ?", (1,), name="go")]), engine, "postgresql")
    (creation,) = advice.create
    assert creation.index.definition() == "items (order_id)"
    assert creation.ddl.startswith("CREATE INDEX CONCURRENTLY ")
    assert [effect.name for effect in creation.helps] == ["go: rows of items by order_id"]
    assert advice.statements == 1


def test_few_calls_do_not_tell_that_an_index_is_idle() -> None:
    there = [index("orders", "created", name="idle")]
    engine = Engine({"orders": table("orders", 10_000, there, created=9_000, customer=900)})
    assert given(query("SELECT * FROM orders WHERE customer = ?", (1,), calls=20), engine=engine).drop == []


def test_values_that_all_differ_are_noted() -> None:
    engine = Engine({"orders": table("orders", 10_000, email=10_000)})
    advice = given(query("SELECT * FROM orders WHERE email = ?", ("a",)), engine=engine)
    assert "make it UNIQUE" in advice.create[0].note


def test_progress_is_told_from_beginning_to_end() -> None:
    heard: list[str] = []
    given(query(NEWEST, (5, "open")), proof=True, told=lambda what, done, total: heard.append(what))
    assert list(dict.fromkeys(heard)) == [
        "Reading statements",
        "Weighing indexes",
        "Running statements",
        "Looking for needless indexes",
        "Done",
    ]


def test_the_document_shows_no_bound_value() -> None:
    advice = given(query(NEWEST, (4_711, "geheim")), proof=True)
    shown = str(advice.document())
    assert "4711" not in shown
    assert "geheim" not in shown
    assert advice.document()["create"][0]["columns"] == ["tenant", "status", "created DESC"]


def test_what_was_gained_since_is_noted_where_it_belongs() -> None:
    advice = given(query(NEWEST, (5, "open"), name="newest"))
    name = advice.create[0].index.shown_name
    assert advice.observe(name, NEWEST, 12.0) is False, "that is no fingerprint"
    assert advice.observe(name, "newest", 12.0)
    assert advice.document()["create"][0]["helps"][0]["gain"]["observed"] == 12.0


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_weights_are_in_the_engine_s_own_unit(dialect: str) -> None:
    assert Weights.of(dialect).costs_tell_writes is (dialect == "sqlite")
