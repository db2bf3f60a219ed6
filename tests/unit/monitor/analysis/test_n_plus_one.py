"""Statement x call site x distinct keys; the corpus of tests/contract has whole programs."""

from __future__ import annotations

from dataclasses import replace

from steinmetz.monitor.analysis.n_plus_one import Repeated, Trodden, loops
from steinmetz.monitor.analysis.patterns import PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.analysis.remedies import APPLICATION, Cause, Origin
from steinmetz.sql.facts import StatementFacts, Verb

FACTS = StatementFacts("1a2b", "SELECT a FROM t WHERE t.id = ?", Verb.SELECT, frozenset(), frozenset())
LOOP, MAIN = Place("shop.py", 7, "total"), Place("shop.py", 30, "main")
TRODDEN = Trodden((LOOP, MAIN), looked=8, keys=8, columns=("t.id",), origin=APPLICATION)
TEN = Repeated(FACTS, count=10, total_ns=1_000, trails=(TRODDEN,))


def test_different_keys_at_one_trail_are_a_loop() -> None:
    (found,) = loops([TEN], "GET /shop")
    assert found.kind is PatternKind.N_PLUS_ONE
    assert (found.place, found.callers, found.scope) == (LOOP, (MAIN,), "GET /shop")
    assert (found.count, found.total_ns, found.saved_ns) == (10, 1_000, 900)
    assert "WHERE t.id IN (...)" in found.remedy


def test_equal_keys_are_none() -> None:
    assert loops([replace(TEN, trails=(replace(TRODDEN, keys=2),))], "") == []
    assert len(loops([replace(TEN, trails=(replace(TRODDEN, keys=2),))], "", distinct=2)) == 1


def test_different_trails_are_judged_each_for_itself() -> None:
    straight = [replace(TRODDEN, trail=(LOOP, Place("shop.py", n, "main")), looked=1, keys=1) for n in range(8)]
    assert loops([replace(TEN, trails=straight)], "") == []


def test_trails_to_one_line_are_one_finding() -> None:
    other = replace(TRODDEN, trail=(LOOP, Place("shop.py", 40, "main")))
    (found,) = loops([replace(TEN, count=20, trails=(TRODDEN, other))], "")
    assert found.count == 20


def test_runs_are_shared_out_among_the_trails() -> None:
    elsewhere = replace(TRODDEN, trail=(MAIN,), looked=24, keys=1)
    (found,) = loops([replace(TEN, count=40, total_ns=4_000, trails=(TRODDEN, elsewhere))], "")
    assert (found.count, found.total_ns) == (10, 1_000)


def test_writes_are_write_loops_and_a_commit_after_each_is_told() -> None:
    insert = replace(FACTS, verb=Verb.INSERT, text="INSERT INTO t VALUES (?)")
    (found,) = loops([replace(TEN, facts=insert)], "")
    assert found.kind is PatternKind.WRITE_LOOP
    assert "one transaction" not in found.remedy
    (found,) = loops([replace(TEN, facts=insert, trails=(replace(TRODDEN, transactions=8),))], "")
    assert "one transaction" in found.remedy


def test_an_eager_load_at_the_line_of_its_owner_s_loop_is_part_of_that() -> None:
    eager = Origin(Cause.EAGER_LOAD, "Invoice.items", is_collection=True)
    consequence = replace(TEN, facts=replace(FACTS, fingerprint="2b"), trails=(replace(TRODDEN, origin=eager),))
    assert len(loops([TEN, consequence], "")) == 1
    assert len(loops([consequence], "")) == 1
