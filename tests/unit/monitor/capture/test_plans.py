"""What is kept of statements and plans, its bounds, and that no value is shown; engines: tests/contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from steinmetz.clock import FakeClock
from steinmetz.monitor.analysis.plan import PlanNode
from steinmetz.monitor.capture import plans as module
from steinmetz.monitor.capture.plans import PlanRecord, Plans
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.sql import Execution, StatementFacts, Verb, hook


def execution(
    number: int = 1, values: Any = ("secret",), statement: str = "SELECT a FROM t WHERE b = ?"
) -> Execution:
    facts = StatementFacts(f"{number:016x}", statement, Verb.SELECT, frozenset(), frozenset())
    return Execution(facts, statement, values, False, 0, 5, None, None, None, "main", None)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def plans(clock: FakeClock) -> Plans:
    return Plans(clock)


def kept(plans: Plans, number: int = 1) -> Any:
    return plans._known[f"{number:016x}"].question.values


def test_the_slowest_run_is_the_one_that_is_kept(plans: Plans) -> None:
    plans.seen("t", execution(values=("first",)))
    plans.slow("t", 500, execution(values=("slow",)))
    plans.slow("t", 300, execution(values=("less slow",)))
    plans.seen("t", execution(values=("later",)))
    assert kept(plans) == ("slow",)


def test_the_first_of_many_sets_is_kept(plans: Plans) -> None:
    many = execution(values=[{"a": 1}, {"a": 2}])
    many.many = True
    plans.seen("t", many)
    assert kept(plans) == {"a": 1}


def test_nothing_kept_is_shown(plans: Plans) -> None:
    plans.seen("t", execution())
    assert "secret" not in repr(vars(plans._known))
    assert "secret" not in str(plans.told(f"{1:016x}"))


class TestBounds:
    def test_a_thousand_statements_are_kept(self, plans: Plans) -> None:
        for number in range(1_200):
            plans.seen("t", execution(number))
        assert plans.told(f"{199:016x}") is None
        assert plans.told(f"{200:016x}") is not None

    def test_a_statement_in_use_stays(self, plans: Plans) -> None:
        for number in range(1_200):
            plans.seen("t", execution(number))
            plans.seen("t", execution(0))
        assert plans.told(f"{0:016x}") is not None

    def test_a_batch_and_a_long_text_are_not_kept(self, plans: Plans) -> None:
        plans.seen("t", execution(1, values=tuple(range(501))))
        plans.seen("t", execution(2, statement="SELECT " + "a, " * 10_000))
        plans.seen("t", execution(3, values=("x" * 200_000,)))
        assert len(plans._known) == 0

    def test_the_queue_is_short_and_what_is_left_out_is_counted(self, clock: FakeClock) -> None:
        plans = Plans(clock, "slow")
        plans._wake = lambda: None
        for number in range(70):
            plans.slow("t", 5, execution(number))
            plans.slow("t", 6, execution(number))
        assert plans.left_out == 20 * 2

    def test_a_history_has_eight_plans(self, plans: Plans, clock: FakeClock) -> None:
        plans.seen("t", execution())
        known = plans._known[f"{1:016x}"]
        for number in range(12):
            plans._found(known, PlanNode("SCAN", f"t{number}"))
        assert [record.tree.relation for record in plans.history(f"{1:016x}")] == [
            f"t{n}" for n in range(11, 3, -1)
        ]


def test_a_plan_that_comes_back_is_told_and_keeps_its_first_day(plans: Plans, clock: FakeClock) -> None:
    heard: list[tuple[str, str]] = []

    def broken(*change: Any) -> None:
        raise ValueError("a listener's own fault")

    def listener(fingerprint: str, name: str, old: PlanRecord, new: PlanRecord) -> None:
        heard.append((old.tree.relation, new.tree.relation))

    plans.on_changed(broken)
    plans.on_changed(listener)
    plans.seen("t", execution())
    known = plans._known[f"{1:016x}"]
    for relation in ("a", "a", "b", "a"):
        plans._found(known, PlanNode("SCAN", relation))
        clock.advance(10)
    assert heard == [("a", "b"), ("b", "a")]
    first = plans.history(f"{1:016x}")[0]
    assert first.seen == 3
    assert (first.last_seen - first.first_seen).total_seconds() == 30


def test_executed_plans_that_take_turns_are_told_once(plans: Plans, clock: FakeClock) -> None:
    heard: list[tuple[str, str]] = []
    plans.on_changed(lambda fingerprint, name, old, new: heard.append((old.tree.relation, new.tree.relation)))
    plans.seen("t", execution())
    for relation in ("a", "b", "a", "b", "a"):
        plans._was_executed("SELECT a FROM t WHERE b = ?", PlanNode("SCAN", relation))
        clock.advance(10)
    assert heard == [("a", "b")]
    clock.advance(4_000)
    plans._was_executed("SELECT a FROM t WHERE b = ?", PlanNode("SCAN", "b"))
    assert heard == [("a", "b"), ("a", "b")]
    plans._was_executed("SELECT of another", PlanNode("SCAN", "c"))
    assert len(plans.history(f"{1:016x}")) == 2


def test_forgetting_keeps_the_listeners(plans: Plans) -> None:
    heard: list[str] = []
    plans.on_changed(lambda fingerprint, *change: heard.append(fingerprint))
    plans.seen("t", execution())
    plans.configure(FakeClock(), "slow")
    assert plans.told(f"{1:016x}") is None
    plans.seen("t", execution())
    known = plans._known[f"{1:016x}"]
    for relation in ("a", "b"):
        plans._found(known, PlanNode("SCAN", relation))
    assert heard == [f"{1:016x}"]


def test_a_mode_that_there_is_not_is_refused(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="'off' or 'slow'"):
        Plans(clock, "always")


@pytest.mark.anyio
async def test_too_many_callers_at_once_are_refused(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 0)
    plans.seen("t", execution())
    with pytest.raises(module.CannotExplain, match="too many plans"):
        await plans.of(f"{1:016x}")


@pytest.mark.anyio
async def test_starting_and_stopping_may_be_done_twice(clock: FakeClock) -> None:
    plans = Plans(clock, "slow")
    await plans.start()
    await plans.start()
    plans.slow("t", 5, execution())
    await plans.stop()
    await plans.stop()
    assert not plans._queue


@pytest.mark.anyio
async def test_of_several_engines_of_one_database_the_newest_is_asked(plans: Plans, tmp_path: Path) -> None:
    hooks = []
    for name in ("gone.db", "here.db"):
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        hooks.append(hook(engine))
        plans.watch(hooks[-1])
    with hooks[1].engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a, b)"))
    plans.seen("t", execution())
    assert (await plans.of(f"{1:016x}")).plan is not None
    plans.watch(hooks[0])
    with pytest.raises(CannotExplain, match="not there"):
        plans.of_sync(f"{1:016x}")
