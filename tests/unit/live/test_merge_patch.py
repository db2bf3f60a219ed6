"""JSON Merge Patch: RFC 7396's own cases, and the way back for every pair of values."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.live.merge_patch import applied, holds_null, patch_between

RFC_7396_APPENDIX_A = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

names = st.sampled_from("abcd")
scalars = st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 2, -0.5, "", "x"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
documents = st.dictionaries(names, values, max_size=4)


def written(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396_APPENDIX_A)
def test_a_patch_is_applied_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    before = deepcopy(target)
    assert applied(target, patch) == result
    assert target == before


@settings(max_examples=200, derandomize=True, deadline=None)
@given(documents | values, documents | values)
def test_t31_a_patch_leads_to_the_new_value_or_there_is_none(old: Any, new: Any) -> None:
    patch = patch_between(old, new)
    if patch is None:
        assert holds_null(new) or not isinstance(old, dict) or not isinstance(new, dict)
    else:
        assert written(applied(old, patch)) == written(new)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(documents)
def test_there_is_nothing_to_say_between_equal_values(value: Any) -> None:
    assert patch_between(value, deepcopy(value)) in ({}, None)


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({"n": 1}, {"n": True}, {"n": True}),
        ({"n": 1}, {"n": 1.0}, {"n": 1.0}),
        ({"n": [1, {"m": 0}]}, {"n": [1, {"m": False}]}, {"n": [1, {"m": False}]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}),
        ({"paidAt": None}, {"paidAt": "2026-03-02"}, {"paidAt": "2026-03-02"}),
    ],
)
def test_a_patch_holds_what_differs_in_json_and_no_more(old: Any, new: Any, patch: Any) -> None:
    assert written(patch_between(old, new)) == written(patch)


@pytest.mark.parametrize("new", [{"paidAt": None}, {"a": {"b": [1, {"c": None}]}, "d": 1}])
def test_t31_there_is_no_patch_towards_a_null(new: Any) -> None:
    assert patch_between({"paidAt": "2026-03-02"}, new) is None
