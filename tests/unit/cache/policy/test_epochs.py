from __future__ import annotations

from steinmetz.cache.policy.epochs import MAX_WEIGHT, Epochs
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, Change, Column, Kind

INVOICES, NODES = Relation("main", "invoices"), Relation("main", "nodes")
READS_INVOICES, READS_NODES = ReadSet(frozenset({INVOICES})), ReadSet(frozenset({NODES}))
WRITES_INVOICES = WriteSet(frozenset({INVOICES}))


def test_a_bump_moves_what_it_concerns_and_nothing_else() -> None:
    epochs = Epochs()
    began = epochs.begin()
    epochs.bump(epochs.mark(WRITES_INVOICES, 0))
    assert not epochs.unmoved_since(began, READS_INVOICES)
    assert epochs.unmoved_since(began, READS_NODES)
    assert epochs.unmoved_since(epochs.begin(), READS_INVOICES)


def test_a_mark_suspends_and_an_unmark_gives_back() -> None:
    epochs = Epochs()
    began = epochs.begin()
    mark = epochs.mark(WRITES_INVOICES, 0)
    assert epochs.suspends(READS_INVOICES)
    assert not epochs.suspends(READS_NODES)
    assert not epochs.unmoved_since(began, READS_INVOICES)
    epochs.unmark(mark)
    assert not epochs.suspends(READS_INVOICES)
    assert epochs.unmoved_since(began, READS_INVOICES)


def test_two_marks_on_one_table_are_taken_down_one_by_one() -> None:
    epochs = Epochs()
    first, second = epochs.mark(WRITES_INVOICES, 0), epochs.mark(WRITES_INVOICES, 0)
    epochs.unmark(first)
    assert epochs.suspends(READS_INVOICES)
    epochs.unmark(second)
    assert not epochs.suspends(READS_INVOICES)


def test_a_mark_past_its_lease_is_overdue() -> None:
    epochs = Epochs(lease_s=5)
    mark = epochs.mark(WRITES_INVOICES, 100)
    assert epochs.overdue(104.9) == []
    assert epochs.overdue(105) == [mark]


def test_a_bump_after_the_lease_moves_once_more_for_the_commit_came_later() -> None:
    epochs = Epochs(lease_s=5)
    mark = epochs.mark(WRITES_INVOICES, 0)
    epochs.bump(mark)
    began = epochs.begin()
    epochs.bump(mark)
    assert not epochs.unmoved_since(began, READS_INVOICES)


def test_an_unknown_write_moves_all_of_its_database() -> None:
    epochs = Epochs()
    began = epochs.begin()
    epochs.move(WriteSet(unknown=frozenset({"main"})))
    assert not epochs.unmoved_since(began, READS_NODES)
    assert epochs.unmoved_since(began, ReadSet(frozenset({Relation("other", "nodes")})))


def test_t12_whoever_began_before_the_oldest_remembered_move_may_not_keep() -> None:
    epochs = Epochs(ring=3)
    began = epochs.begin()
    for _ in range(4):
        epochs.move(WRITES_INVOICES)
    assert not epochs.unmoved_since(began, READS_NODES)
    assert epochs.unmoved_since(began + 1, READS_NODES)


def test_t12_many_heavy_moves_are_forgotten_earlier() -> None:
    epochs = Epochs()
    began, nodes = epochs.begin(), Relation("main", "nodes")
    values = frozenset(range(MAX_KEYS))
    heavy = WriteSet(frozenset({nodes}), changes={nodes: (Change({Column("id", Kind.INTEGER): values}),)})
    moves = MAX_WEIGHT // (MAX_KEYS + 2)
    for _ in range(moves):
        epochs.move(heavy)
    assert epochs.unmoved_since(began, READS_INVOICES)
    epochs.move(heavy)
    assert not epochs.unmoved_since(began, READS_INVOICES)
    assert epochs.unmoved_since(began + 1, READS_INVOICES)
    assert len(epochs._ring) == moves


def test_what_happens_after_a_moment_does_not_count_against_it() -> None:
    epochs = Epochs()
    began = epochs.begin()
    moment = epochs.moment()
    epochs.move(WRITES_INVOICES)
    assert epochs.unmoved_until(began, READS_INVOICES, moment)
    assert not epochs.unmoved_since(began, READS_INVOICES)


def test_after_forgetting_nothing_that_had_begun_may_be_kept() -> None:
    epochs = Epochs()
    began = epochs.begin()
    epochs.forget()
    assert not epochs.unmoved_since(began, ReadSet())
    assert epochs.unmoved_since(epochs.begin(), ReadSet())
