from __future__ import annotations

import pytest

from steinmetz.erp.modules.system.rules import differences, inert

WIDE = "\uff1d1"
"""A full-width equals sign: some spreadsheets take it for the common one."""


@pytest.mark.parametrize("cell", ["=1+1", "+49 711", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", WIDE])
def test_what_begins_like_a_formula_is_made_text(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "RE 2026-0001", "1-1", "a=b", "'=1", '{"a": "=1"}'])
def test_all_else_stays_as_it_is(cell: str) -> None:
    assert inert(cell) == cell


def test_differences_are_what_was_and_what_is() -> None:
    before = {"name": "A", "city": "Aalen", "gone": 1}
    after = {"name": "B", "city": "Aalen", "new": None, "came": 2}
    assert differences(before, after) == ({"name": "A", "gone": 1}, {"name": "B", "came": 2})
    assert differences(before, before) == ({}, {})
