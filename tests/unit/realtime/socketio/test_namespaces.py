"""A mapping like any other, only smaller."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.socketio.namespaces import ByNamespace

NAMES = st.sampled_from(["/", "/admin", "/orders"])
STEPS = st.lists(st.tuples(st.sampled_from(["set", "delete", "pop"]), NAMES, st.integers(0, 9)), max_size=12)


@given(STEPS)
@settings(max_examples=60, derandomize=True)
def test_it_does_what_a_dict_does(steps: list[tuple[str, str, int]]) -> None:
    few, plain = ByNamespace[int](), dict[str, int]()
    for act, name, value in steps:
        if act == "set":
            few[name] = plain[name] = value
        elif act == "pop":
            assert few.pop(name, None) == plain.pop(name, None)
        elif name in plain:
            del few[name], plain[name]
        else:
            with pytest.raises(KeyError):
                del few[name]
        assert dict(few) == plain
        assert len(few) == len(plain)
        assert few.get(name) == plain.get(name)
        assert few.get(name, -1) == plain.get(name, -1)
        assert (name in few) is (name in plain)


def test_one_entry_costs_no_dict() -> None:
    few = ByNamespace[int]()
    few["/"] = 1
    assert sys.getsizeof(few) <= 64
    assert few._more is None
    few["/admin"] = 2
    del few["/admin"]
    assert few._more is None


def test_an_unknown_name_is_an_error_as_everywhere() -> None:
    few = ByNamespace[int]()
    with pytest.raises(KeyError):
        few["/"]
    few["/"] = 1
    few["/admin"] = 2
    with pytest.raises(KeyError):
        few["/orders"]
