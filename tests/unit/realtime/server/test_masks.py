"""Whichever way this installation undoes masks, it is the way of RFC 6455."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.texts import xor
from steinmetz.realtime.server.masks import fastest_xor


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
@settings(max_examples=60, derandomize=True)
def test_both_ways_say_the_same(data: bytes, mask: bytes) -> None:
    assert fastest_xor()(data, mask) == xor(data, mask)
    assert xor(xor(data, mask), mask) == data


def test_without_the_package_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    assert fastest_xor() is xor
