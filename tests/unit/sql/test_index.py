"""The index finds every answer that a write concerns, by tags alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.sql import ReadSet, Relation, WriteSet
from steinmetz.sql.index import ReadIndex
from steinmetz.sql.rows import Change, Column, Kind, Rows

RELATIONS = [Relation("main", "a"), Relation("main", "b"), Relation("other", "a")]
COLUMNS = [Column("id", Kind.INTEGER), Column("kind", Kind.INTEGER), Column("flag", Kind.BOOLEAN)]
ORDERS, ITEMS, _ = RELATIONS
ID, KIND, _ = COLUMNS

values = {Kind.INTEGER: st.integers(0, 2), Kind.BOOLEAN: st.booleans()}
bound = st.fixed_dictionaries(
    {}, optional={column: st.frozensets(values[column.kind], max_size=2) for column in COLUMNS}
)
columns = st.none() | st.frozensets(st.sampled_from(["id", "kind", "flag", "name"]), max_size=3)
relations = st.frozensets(st.sampled_from(RELATIONS), max_size=3)


def some(each: st.SearchStrategy[object]) -> st.SearchStrategy[dict[Relation, tuple[object, ...]]]:
    several = st.lists(each, min_size=1, max_size=3).map(tuple)
    return st.fixed_dictionaries({}, optional=dict.fromkeys(RELATIONS, several))


reads = st.builds(
    lambda named, rows: ReadSet(named | rows.keys(), frozenset(), rows),
    relations,
    some(st.builds(Rows, bound, columns)),
)
writes = st.builds(
    lambda named, changes, unknown: WriteSet(named | changes.keys(), unknown, changes),
    relations,
    some(st.builds(Change, bound, columns)),
    st.frozensets(st.sampled_from(["main", "other"]), max_size=1),
)
bounded = settings(max_examples=300, derandomize=True, deadline=None)


@bounded
@given(st.lists(reads, max_size=6), writes)
def test_no_answer_that_is_concerned_is_missed(answers: list[ReadSet], written: WriteSet) -> None:
    index: ReadIndex[int] = ReadIndex()
    for number, read_set in enumerate(answers):
        index.add(number, read_set)
    concerned = {number for number, read_set in enumerate(answers) if read_set.concerned_by(written)}
    assert concerned <= index.readers(written)


@bounded
@given(st.lists(reads, max_size=6))
def test_what_was_put_in_can_be_taken_out_again(answers: list[ReadSet]) -> None:
    index: ReadIndex[int] = ReadIndex()
    for number, read_set in enumerate(answers):
        index.add(number, read_set)
        index.add(number, read_set)
    for number, read_set in enumerate(answers):
        index.discard(number, read_set)
        index.discard(number, read_set)
    assert len(index) == 0
    assert not index._columns


@bounded
@given(reads, reads, writes)
def test_a_union_is_concerned_by_what_concerns_a_part(one: ReadSet, two: ReadSet, written: WriteSet) -> None:
    if one.concerned_by(written) or two.concerned_by(written):
        assert (one | two).concerned_by(written)


@bounded
@given(reads, writes, writes)
def test_a_union_of_writes_concerns_what_a_part_concerns(read_set: ReadSet, one: WriteSet, two: WriteSet) -> None:
    if read_set.concerned_by(one) or read_set.concerned_by(two):
        assert read_set.concerned_by(one | two)


def test_other_rows_are_not_even_asked() -> None:
    index: ReadIndex[int] = ReadIndex()
    for number in range(1_000):
        index.add(number, ReadSet(frozenset({ORDERS}), frozenset(), {ORDERS: (Rows({ID: frozenset({number})}),)}))
    index.add(-1, ReadSet(frozenset({ORDERS})))
    index.add(-2, ReadSet(frozenset({ORDERS}), frozenset(), {ORDERS: (Rows({KIND: frozenset({7})}),)}))
    seven = WriteSet(frozenset({ORDERS}), frozenset(), {ORDERS: (Change({ID: frozenset({7})}),)})
    assert index.readers(seven) == {7, -1, -2}
    assert index.readers(WriteSet(frozenset({ITEMS}))) == set()
    assert len(index.readers(WriteSet(frozenset({ORDERS})))) == 1_002
    assert len(index.readers(WriteSet(unknown=frozenset({"main"})))) == 1_002
    index.clear()
    assert index.readers(seven) == set()
