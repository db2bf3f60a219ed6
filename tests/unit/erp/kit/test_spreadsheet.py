"""What a spreadsheet would take for a formula stays text."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from steinmetz.erp.kit.spreadsheet import csv_line, inert

WIDE = "\uff1d1"
"""A full-width equals sign: some spreadsheets take it for the common one."""


@pytest.mark.parametrize("cell", ["=1+1", "+49 711", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", WIDE])
def test_what_begins_like_a_formula_is_made_text(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "RE 2026-0001", "1-1", "a=b", "'=1", '{"a": "=1"}'])
def test_all_else_stays_as_it_is(cell: str) -> None:
    assert inert(cell) == cell


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5", "@SUM(A1)", "\tx", "\rx", 'say "so"', "a;b,c"])
def test_a_line_is_read_as_it_was_made(text: str) -> None:
    (cell,) = next(csv.reader(StringIO(csv_line([text]), newline="")))
    assert cell == inert(text)


def test_a_number_stays_a_number() -> None:
    assert csv_line([-5, None, 0, "5-"]) == "-5,,0,5-\r\n"
