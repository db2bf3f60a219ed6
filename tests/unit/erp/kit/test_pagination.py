from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.pagination import Large, PageQuery, decode_cursor, encode_cursor


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50),
    st.integers(1, 2**31 - 1),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
def test_a_cursor_gives_back_what_went_in(name: str, number: int, cents: int, day: date, at: datetime) -> None:
    cursor = encode_cursor(name, number, cents, day, at)
    assert decode_cursor(cursor, str, int, Large, date, datetime) == (name, number, cents, day, at)
    assert PageQuery(cursor=cursor).after(str, int, Large, date, datetime) == (name, number, cents, day, at)


def test_the_first_page_has_no_cursor() -> None:
    assert PageQuery().after(int) is None


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "ä",
        "AA AA",
        encoded("5"),
        encoded("[]"),
        encoded("[1,2]"),
        encoded('["1"]'),
        encoded("[true]"),
        encoded("[1.5]"),
        encoded("[NaN]"),
        encoded("[2147483648]"),
        encoded("[null]"),
        encoded("[" * 700),
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(Unprocessable, match="begin without one") as refused:
        decode_cursor(cursor, int)
    assert refused.value.extra["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, r'"a\u0000"'),
        (str, r'"\ud800"'),
        (str, "null"),
        (Large, "9223372036854775808"),
        (date, "null"),
        (datetime, '"0001-01-01T00:00:00+14:00"'),
        (datetime, '"9999-12-31T23:59:59-14:00"'),
    ],
)
def test_what_no_column_could_hold_is_refused_before_the_database_sees_it(kind: type, value: str) -> None:
    with pytest.raises(Unprocessable):
        decode_cursor(encoded(f"[{value}]"), kind)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(Unprocessable):
        decode_cursor(encoded('["2026-03-02T09:00:00"]'), datetime)


@given(st.text(max_size=200))
def test_no_text_breaks_the_decoder(cursor: str) -> None:
    with suppress(Unprocessable):
        decode_cursor(cursor, int, str)
