"""Which values of a statement say which rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.monitor.analysis.slots import Role, slots_of


def keys_of(statement: str) -> list[tuple[Any, str]]:
    return [(slot.source, slot.column) for slot in slots_of(statement).slots if slot.role is Role.KEY]


@pytest.mark.parametrize(
    ("statement", "keys"),
    [
        ("SELECT a FROM t WHERE t.id = ?", [(0, "t.id")]),
        ("SELECT a FROM t WHERE ? = t.id", [(0, "t.id")]),
        ("SELECT a FROM t WHERE ?::INTEGER = t.id", [(0, "t.id")]),
        ("SELECT a FROM t WHERE id = $2::INTEGER AND x > $1", [(1, "id")]),
        ("SELECT a FROM t WHERE id = :id AND at < :now", [("id", "id")]),
        ("SELECT a FROM t WHERE id = %(id_1)s", [("id_1", "id")]),
        ("SELECT a FROM t WHERE lower(t.name) = lower(%s)", [(0, "t.name")]),
        ('SELECT a FROM t WHERE "t"."id" = 7', [("7", "t.id")]),
        ("SELECT a FROM t WHERE name LIKE 'a%'", [("'a%'", "name")]),
        ("SELECT EXISTS (SELECT 1 FROM t WHERE t.id = ?)", [(0, "t.id")]),
        ("SELECT a FROM t JOIN u ON u.t_id = ? WHERE t.b = ?", [(0, "u.t_id"), (1, "t.b")]),
        ("SELECT a FROM t WHERE id IN (?)", [(0, "id")]),
        ("INSERT INTO t (a, b) VALUES (?, ?)", [(0, ""), (1, "")]),
        ("INSERT INTO t SELECT ? FROM u WHERE u.id = ?", [(0, ""), (1, "u.id")]),
        ("DELETE FROM t WHERE t.id = ?", [(0, "t.id")]),
        ("UPDATE t SET a = ? WHERE t.id = ?", [(1, "t.id")]),
        ("SELECT a -- of ?\nFROM t /* ? */ WHERE id = ?", [(0, "id")]),
    ],
)
def test_equality_and_inserted_values_are_keys(statement: str, keys: list[tuple[Any, str]]) -> None:
    assert keys_of(statement) == keys


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a FROM t WHERE id > ? ORDER BY id LIMIT ?",
        "SELECT a FROM t ORDER BY id LIMIT ? OFFSET ?",
        "SELECT a FROM t WHERE at BETWEEN ? AND ?",
        "SELECT a FROM t WHERE (a, b) > (?, ?)",
        "SELECT a FROM t WHERE id <> ?",
        "SELECT a FROM t WHERE id IN (?, ?, ?)",
        "SELECT a FROM t WHERE (a, b) IN ((?, ?), (?, ?))",
        "SELECT ?, coalesce(a, ?) FROM t",
        "UPDATE t SET seen_at = ?, n = n + ?",
    ],
)
def test_bounds_pages_lists_and_assigned_values_are_none(statement: str) -> None:
    assert keys_of(statement) == []


def test_a_column_that_is_assigned_is_no_key() -> None:
    """An optimistic lock compares the version that it replaces."""
    assert keys_of("UPDATE t SET done = ?, version = ? WHERE t.id = ? AND t.version = ?") == [(2, "t.id")]


def test_an_and_ends_the_between() -> None:
    assert keys_of("SELECT a FROM t WHERE at BETWEEN ? AND ? AND c = ?") == [(2, "c")]


def test_a_constant_list_does_not_hide_the_key_beside_it() -> None:
    assert keys_of("SELECT a FROM t WHERE s IN ('x', 'y') AND id = ?") == [(0, "id")]


def test_a_row_of_keys_is_one_key() -> None:
    assert len(keys_of("SELECT a FROM t WHERE (a, b) IN ((?, ?))")) == 2


def test_several_rows_of_values_are_a_batch() -> None:
    assert slots_of("INSERT INTO t (a) VALUES (?), (?)").is_batch
    assert not slots_of("INSERT INTO t (a, b) VALUES (?, ?)").is_batch
    assert slots_of("SELECT " + "1, " * 20_000 + "1").is_batch


def test_only_a_limit_of_its_own_counts() -> None:
    assert slots_of("SELECT a FROM t WHERE id = ? LIMIT 1").is_limited
    assert not slots_of("SELECT a FROM t WHERE id IN (SELECT b FROM u LIMIT 1)").is_limited


class TestDigests:
    def test_differ_if_and_only_if_the_keys_do(self) -> None:
        slots = slots_of("SELECT a FROM t WHERE id = ? AND at > ?")
        assert slots.keys((1, 5)) == slots.keys((1, 6))
        assert slots.keys((1, 5)) != slots.keys((2, 5))

    def test_see_literals(self) -> None:
        one, two = "SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = 2"
        assert slots_of(one).keys(()) != slots_of(two).keys(())

    def test_pass_over_the_tie_breaker_of_a_page(self) -> None:
        slots = slots_of("SELECT a FROM t WHERE c > :c OR (c = :d AND id > :id)")
        assert slots.keys({"c": 1, "d": 1, "id": 3}) == slots.keys({"c": 2, "d": 2, "id": 9})

    def test_count_a_key_that_happens_to_equal_another_column_s_bound(self) -> None:
        slots = slots_of("SELECT a FROM t WHERE id = ? AND at > ?")
        assert slots.keys((1, 1)) != slots.keys((2, 2))

    def test_pass_over_an_array_of_keys(self) -> None:
        slots = slots_of("SELECT a FROM t WHERE id = ANY(?)")
        assert slots.keys(([1, 2],)) == slots.keys(([3, 4],))
        assert slots.keys(([1],)) != slots.keys(([2],))

    def test_take_what_cannot_be_hashed_and_miss_what_is_not_there(self) -> None:
        slots = slots_of("SELECT a FROM t WHERE doc = ? AND id = ?")
        assert slots.keys(({"a": 1}, 1)) != slots.keys(({"a": 2}, 1))
        assert isinstance(slots.keys(()), int)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(alphabet="SELECTFROMWHEREINVALUESsetand ?:$1'\"()=<>,.a%;\n", max_size=80))
def test_any_text_can_be_read(statement: str) -> None:
    assert isinstance(slots_of(statement).keys(()), int)
