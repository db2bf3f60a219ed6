"""When an answer that somebody listens to must be computed again, and what its listeners had before."""

from __future__ import annotations

from steinmetz.live.telling import Said
from steinmetz.live.watch import Watch
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

INVOICES = Relation("main", "invoices")
NODES = Relation("main", "function_nodes")


def writes_of(*relations: Relation) -> WriteSet:
    return WriteSet(frozenset(relations))


def reads_of(*relations: Relation) -> ReadSet:
    return ReadSet(frozenset(relations))


def said(number: int) -> Said:
    return Said.of(f'"{number}"', str(number).encode())


def computed(watch: Watch, number: int, *relations: Relation, missed: tuple[WriteSet, ...] = ()) -> Said | None:
    watch.begin()
    for writes in missed:
        assert watch.note(writes) is False
    return watch.finish(reads_of(*relations), said(number))


def test_a_first_answer_that_no_commit_asked_for_is_no_news() -> None:
    watch = Watch()
    assert (computed(watch, 1, INVOICES), watch.is_unsaid, watch.said) == (None, False, said(1))


def test_a_first_answer_after_a_commit_is_news_because_nobody_knows_what_was_seen_before() -> None:
    watch = Watch()
    watch.note(writes_of(INVOICES))
    computed(watch, 1, INVOICES)
    assert watch.is_unsaid is True


def test_a_commit_that_does_not_concern_the_answer_moves_nothing() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    assert watch.note(writes_of(NODES)) is False
    assert watch.is_moved is False


def test_a_commit_that_concerns_the_answer_moves_it_once() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    assert watch.note(writes_of(INVOICES)) is True
    assert watch.note(writes_of(INVOICES)) is False


def test_an_unknown_write_concerns_every_answer_of_its_database() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    assert watch.note(WriteSet(unknown=frozenset({"main"}))) is True


def test_t34_a_commit_during_the_computation_asks_for_one_more_and_what_was_computed_counts() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    watch.note(writes_of(INVOICES))
    assert computed(watch, 2, INVOICES, missed=(writes_of(NODES), writes_of(INVOICES))) == said(1)
    assert (watch.said, watch.is_moved) == (said(2), True)


def test_a_commit_during_the_computation_that_does_not_concern_it_asks_for_none() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES, missed=(writes_of(NODES),))
    assert (watch.is_moved, watch.is_unsaid) == (False, False)


def test_a_commit_during_the_first_computation_makes_it_news() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES, missed=(writes_of(INVOICES),))
    assert (watch.is_moved, watch.is_unsaid) == (True, True)


def test_a_computation_that_failed_leaves_what_was_said_and_is_to_be_made_again() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    watch.note(writes_of(INVOICES))
    watch.begin()
    watch.fail()
    assert (watch.said, watch.is_moved, watch.is_computing) == (said(1), True, False)


def test_what_somebody_else_has_computed_is_not_moved_but_what_it_says_is_not_known() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    watch.note(writes_of(INVOICES))
    watch.adopt(reads_of(NODES))
    assert (watch.said, watch.is_moved) == (None, False)
    assert watch.note(writes_of(NODES)) is True


def test_what_is_forgotten_is_no_basis_any_more() -> None:
    watch = Watch()
    computed(watch, 1, INVOICES)
    watch.note(writes_of(INVOICES))
    watch.forget()
    assert (computed(watch, 2, INVOICES), watch.is_unsaid) == (None, False)
