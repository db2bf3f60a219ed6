from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.monitor.analysis.block import PLACE_BYTES, Block


@dataclass(frozen=True, slots=True)
class Alike:
    """Keys among which many have the same hash."""

    number: int

    def __hash__(self) -> int:
        return self.number % 3 - 1


keys = st.one_of(st.text(max_size=3), st.builds(Alike, st.integers(0, 20)))


@given(st.dictionaries(keys, st.binary(max_size=12), max_size=40), st.lists(keys, max_size=10))
def test_a_block_is_the_mapping_it_was_made_of(cells: dict[str | Alike, bytes], others: list[str | Alike]) -> None:
    block = Block(cells)
    assert dict(block.items()) == cells
    assert block == cells
    assert len(block) == len(cells)
    for key in (*cells, *others):
        assert block.get(key) == cells.get(key)
        assert (key in block) == (key in cells)


def test_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="b"):
        Block({"a": b"1"})["b"]


@pytest.mark.parametrize("count", [100, 300, 2_000])
def test_it_takes_no_more_than_is_said(count: int) -> None:
    whose = [f"subject {number}" for number in range(count)]
    cells = {key: bytes([number % 256]) * 70 for number, key in enumerate(whose)}
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        block = Block(cells)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(block) == count
    assert after - before <= count * (70 + PLACE_BYTES)
