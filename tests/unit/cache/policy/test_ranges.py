"""Byte ranges (RFC 9110, 14)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.ranges import Part, Unsatisfiable, part_of, said_part


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (b"bytes=0-0", Part(0, 0, 10)),
        (b"bytes=2-4", Part(2, 4, 10)),
        (b"BYTES=2-4", Part(2, 4, 10)),
        (b" bytes= 2-4 ", Part(2, 4, 10)),
        (b"bytes=2-", Part(2, 9, 10)),
        (b"bytes=2-999999999999999999", Part(2, 9, 10)),
        (b"bytes=-1", Part(9, 9, 10)),
        (b"bytes=-10", Part(0, 9, 10)),
        (b"bytes=-11", Part(0, 9, 10)),
        (b"bytes=10-", Unsatisfiable(10)),
        (b"bytes=10-12", Unsatisfiable(10)),
        (b"bytes=-0", Unsatisfiable(10)),
        (b"bytes=-", None),
        (b"bytes=", None),
        (b"bytes=4-2", None),
        (b"bytes=0-1,3-4", None),
        (b"bytes=a-b", None),
        (b"bytes=1", None),
        (b"lines=1-2", None),
        (b"bytes=+1-2", None),
        (b"bytes=0-" + b"9" * 19, None),
        (b"", None),
    ],
)
def test_a_range_field_asks_for(asked: bytes, part: Part | Unsatisfiable | None) -> None:
    assert part_of(asked, 10) == part


def test_of_nothing_there_is_no_part() -> None:
    assert part_of(b"bytes=0-", 0) == Unsatisfiable(0)
    assert part_of(b"bytes=-5", 0) == Unsatisfiable(0)


@pytest.mark.parametrize(
    ("said", "length", "part"),
    [
        (b"bytes 2-4/10", 3, Part(2, 4, 10)),
        (b"bytes 2-4/10", 4, None),
        (b"bytes 2-4/*", 3, None),
        (b"bytes 4-2/10", 3, None),
        (b"bytes 8-10/10", 3, None),
        (b"bytes */10", 0, None),
        (b"lines 2-4/10", 3, None),
        (b"bytes 2-4/" + b"9" * 19, 3, None),
        (None, 3, None),
    ],
)
def test_a_partial_answer_says_which_part_it_is(said: bytes | None, length: int, part: Part | None) -> None:
    assert said_part(said, length) == part


def test_a_part_holds_what_lies_within_it_of_the_same_whole() -> None:
    kept = Part(2, 6, 10)
    assert kept.holds(Part(2, 6, 10))
    assert kept.holds(Part(3, 4, 10))
    assert not kept.holds(Part(1, 4, 10))
    assert not kept.holds(Part(3, 7, 10))
    assert not kept.holds(Part(3, 4, 11))


def test_content_range_is_written() -> None:
    assert Part(2, 4, 10).content_range == b"bytes 2-4/10"
    assert Unsatisfiable(10).content_range == b"bytes */10"


@settings(derandomize=True, max_examples=200)
@given(st.integers(0, 20), st.integers(0, 30), st.integers(0, 30))
def test_a_part_is_what_a_slice_would_give(complete: int, first: int, last: int) -> None:
    body = bytes(range(complete))
    part = part_of(b"bytes=%d-%d" % (first, last), complete)
    if isinstance(part, Part):
        assert body[part.first : part.last + 1] == body[first : last + 1] != b""
    else:
        assert last < first or body[first : last + 1] == b""
