"""Rows: a read that no write meets has the same result before and after it, in every small world there is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, StrEnum
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from steinmetz.sql.rows import (
    MAX_KEYS,
    MAX_ROWS,
    Change,
    Column,
    Kind,
    Rows,
    folded_changes,
    folded_rows,
    meet,
    normalised,
    values_of,
)

A, B = Column("a", Kind.INTEGER), Column("b", Kind.INTEGER)
Row = tuple[int | None, int | None]
SOME = [None, frozenset({0}), frozenset({1}), frozenset({0, 1})]
"""What may bind a column; None: nothing does."""


class Number(IntEnum):
    SEVEN = 7


class Word(StrEnum):
    SEVEN = "7"


class DriversOwn(UUID):
    """As asyncpg has one."""


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.INTEGER, 7, 7),
        (Kind.INTEGER, -7, -7),
        (Kind.INTEGER, True, None),
        (Kind.INTEGER, 7.0, None),
        (Kind.INTEGER, "7", None),
        (Kind.INTEGER, Number.SEVEN, None),
        (Kind.INTEGER, 2**53, None),
        (Kind.INTEGER, None, None),
        (Kind.TEXT, "7", "7"),
        (Kind.TEXT, "", ""),
        (Kind.TEXT, 7, None),
        (Kind.TEXT, b"7", None),
        (Kind.TEXT, Word.SEVEN, None),
        (Kind.TEXT, "7 ", None),
        (Kind.TEXT, "7" * 256, None),
        (Kind.UUID, UUID(int=7), UUID(int=7).hex),
        (Kind.WORD, Kind.TEXT, "text"),
        (Kind.WORD, "text", "text"),
        (Kind.WORD, 7, None),
        (Kind.UUID, DriversOwn(int=7), UUID(int=7).hex),
        (Kind.UUID, str(UUID(int=7)), None),
        (Kind.BOOLEAN, True, True),
        (Kind.BOOLEAN, 1, None),
        (Kind.BOOLEAN, "true", None),
        (Kind.TEXT, ["7"], None),
    ],
)
def test_t9_only_exact_types_are_compared(kind: Kind, value: Any, expected: Any) -> None:
    found = normalised(kind, value)
    assert found == expected
    assert type(found) is type(expected)


def test_t9_values_of_different_kinds_are_never_told_apart() -> None:
    seven = Rows({Column("a", Kind.INTEGER): frozenset({7})})
    word = Change({Column("a", Kind.TEXT): frozenset({"8"})})
    assert meet(seven, word)


def test_t9_one_column_with_different_values_is_enough() -> None:
    read = Rows({A: frozenset({5}), B: frozenset({1, 2})})
    assert not meet(read, Change({A: frozenset({6}), B: frozenset({1})}))
    assert not meet(read, Change({B: frozenset({3})}))
    assert meet(read, Change({A: frozenset({5}), B: frozenset({2})}))
    assert meet(read, Change({A: frozenset({5})}))
    assert meet(read, Change())
    assert meet(Rows(), Change({A: frozenset({6})}))


def test_columns_that_are_not_mentioned_do_not_matter() -> None:
    read = Rows({A: frozenset({5})}, frozenset({"a", "name"}))
    assert not meet(read, Change({}, frozenset({"last_seen"})))
    assert meet(read, Change({}, frozenset({"last_seen", "name"})))
    assert meet(read, Change({}, None)), "rows come or go"
    assert meet(Rows({A: frozenset({5})}, None), Change({}, frozenset({"last_seen"})))


def reads() -> Iterator[tuple[Rows, Any]]:
    """Every read of one table with two columns, and what it answers."""
    for a, b, shown in product(SOME, SOME, [(), (0,), (1,), (0, 1)]):
        bound = {column: values for column, values in ((A, a), (B, b)) if values is not None}
        mentioned = {"ab"[place] for place in shown} | {column.name for column in bound}

        def answer(row: Row | None, a: Any = a, b: Any = b, shown: Any = shown) -> Any:
            if row is None or (a is not None and row[0] not in a) or (b is not None and row[1] not in b):
                return None
            return tuple(row[place] for place in shown)

        yield Rows(bound, frozenset(mentioned)), answer


def writes() -> Iterator[tuple[Change, Any]]:
    """Every write of one row, and what becomes of a row."""
    values = [None, 0, 1]
    for new in product(values, values):
        within = {
            column: frozenset() if value is None else frozenset({value})
            for column, value in zip((A, B), new, strict=True)
        }
        yield Change(within), lambda row, new=new: new if row is None else row
    for a, b in product(SOME, SOME):
        where = {column: bound for column, bound in ((A, a), (B, b)) if bound is not None}

        def hits(row: Row | None, a: Any = a, b: Any = b) -> bool:
            return row is not None and (a is None or row[0] in a) and (b is None or row[1] in b)

        yield Change(where), lambda row, hits=hits: None if hits(row) else row
        for assignment in product(["keep", *values], ["keep", *values]):
            change = dict(where)
            assigned = set()
            for place, column in enumerate((A, B)):
                value = assignment[place]
                if value == "keep":
                    continue
                assigned.add(column.name)
                if column in change and value is not None:
                    change[column] = change[column] | {value}
            if assigned:
                yield (
                    Change(change, frozenset(assigned)),
                    lambda row, hits=hits, new=assignment: (
                        tuple(old if value == "keep" else value for old, value in zip(row, new, strict=True))
                        if hits(row)
                        else row
                    ),
                )


def test_t9_a_read_that_no_write_meets_is_the_same_afterwards() -> None:
    """Rows are read and written each by itself, so a world of one row shows all there is to see."""
    worlds = [None, *product([None, 0, 1], [None, 0, 1])]
    kept = 0
    for (change, become), (rows, answer) in product(list(writes()), list(reads())):
        if meet(rows, change):
            continue
        kept += 1
        for row in worlds:
            assert answer(row) == answer(become(row)), (rows, change, row)
    assert kept > 4_000, "the rule tells many apart"


def test_rows_of_one_column_become_one() -> None:
    assert folded_rows([Rows({A: frozenset({1})}), Rows({A: frozenset({2})})]) == (Rows({A: frozenset({1, 2})}),)


def test_t12_above_so_many_keys_the_table_counts() -> None:
    few = [Rows({A: frozenset({number})}) for number in range(MAX_KEYS)]
    assert folded_rows(few) is not None
    assert folded_rows([*few, Rows({A: frozenset({-1})})]) is None


def test_t12_above_so_many_ways_of_looking_the_table_counts() -> None:
    several = [Rows({A: frozenset({1})}, frozenset({f"c{number}"})) for number in range(MAX_ROWS + 1)]
    assert folded_rows(several[:-1]) is not None
    assert folded_rows(several) is None


def test_all_rows_and_all_columns_are_the_table() -> None:
    assert folded_rows([Rows(), Rows({A: frozenset({1})})]) is None
    assert folded_changes([Change(), Change({A: frozenset({1})})]) is None
    assert folded_rows([]) == ()


def test_changes_of_the_same_columns_become_one() -> None:
    one = Change({A: frozenset({1}), B: frozenset({5})}, frozenset({"c"}))
    two = Change({A: frozenset({2}), B: frozenset({6})}, frozenset({"c"}))
    folded = folded_changes([one, two, Change({A: frozenset({1})}, None)])
    assert folded == (
        Change({A: frozenset({1, 2}), B: frozenset({5, 6})}, frozenset({"c"})),
        Change({A: frozenset({1})}, None),
    )


def test_a_change_with_too_many_keys_is_one_of_any_row() -> None:
    many = [Change({A: frozenset({number})}, None) for number in range(MAX_KEYS + 1)]
    assert folded_changes(many) is None
    columns = [Change({A: frozenset({number})}, frozenset({"c"})) for number in range(MAX_KEYS + 1)]
    assert folded_changes(columns) == (Change({}, frozenset({"c"})),), "its columns are still known"
    kinds = [Change({A: frozenset({1})}, frozenset({f"c{number}"})) for number in range(MAX_ROWS + 1)]
    assert folded_changes(kinds) is None


def test_a_single_value_is_held_once_and_keeps_its_kind() -> None:
    assert values_of({7_000_001}) is values_of([7_000_001])
    assert values_of(["x", "y"]) == {"x", "y"}
    assert [type(value) for value in values_of([True])] == [bool]
    assert [type(value) for value in values_of([1])] == [int]
