from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import combinations
from typing import Any

import pytest

from steinmetz.cache.policy.call import call_key


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


DIFFERENT: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((1.0,), {}),
    ((True,), {}),
    ((Decimal(1),), {}),
    (("1",), {}),
    ((b"1",), {}),
    ((None,), {}),
    ((1, 2), {}),
    (((1, 2),), {}),
    (([1, 2],), {}),
    (({1, 2},), {}),
    (("1,int:2",), {}),
    (("1", "2"), {}),
    ((Colour.RED,), {}),
    ((Colour.BLUE,), {}),
    (("RED",), {}),
    ((date(2026, 3, 2),), {}),
    ((), {"a": 1}),
    ((), {"b": 1}),
    (("a=int:1",), {}),
    (("x" * 300,), {}),
    (("x" * 301,), {}),
]


def test_calls_that_differ_have_different_keys() -> None:
    keys = [call_key("f", arguments, named) for arguments, named in DIFFERENT]
    assert all(one != other for one, other in combinations(keys, 2))
    assert max(len(key) for key in keys) <= 200


def test_the_order_of_named_arguments_and_of_sets_does_not_matter() -> None:
    assert call_key("f", (), {"a": 1, "b": 2}) == call_key("f", (), {"b": 2, "a": 1})
    assert call_key("f", ({"x", "y", "z"},), {}) == call_key("f", ({"z", "y", "x"},), {})
    assert call_key("f", (), {}) != call_key("g", (), {})


@pytest.mark.parametrize("argument", [object(), [object()], type("Own", (str,), {})("1")])
def test_what_is_no_plain_value_is_refused_with_what_to_do(argument: Any) -> None:
    with pytest.raises(TypeError, match=r"memo\(key="):
        call_key("f", (argument,), {})
