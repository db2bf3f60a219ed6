"""HTTP-date in its three forms (RFC 9110, 5.6.7)."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.http_date import http_date, http_date_s

NOW_S = 1_767_225_600.0  # 2026-01-01
EXAMPLE_S = 784_111_777.0


@pytest.mark.parametrize(
    "written",
    [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"Sun Nov  6 08:49:37 1994"],
)
def test_the_three_forms_of_the_rfcs_example_are_one_instant(written: bytes) -> None:
    assert http_date_s(written, NOW_S) == EXAMPLE_S


def test_what_is_written_is_the_first_form() -> None:
    assert http_date(EXAMPLE_S + 0.9) == b"Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"0",
        b"-1",
        b"tomorrow",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 UTC",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"Sun, 06 nov 1994 08:49:37 GMT",
        b"Sun 06 Nov 1994 08:49:37 GMT",
        b"Sun, 32 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 24:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:61 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3\u00b2 GMT".encode("latin-1"),
    ],
)
def test_anything_else_is_no_date(written: bytes) -> None:
    assert http_date_s(written, NOW_S) is None


def test_a_leap_second_is_the_next_second() -> None:
    assert http_date_s(b"Sat, 31 Dec 2016 23:59:60 GMT", NOW_S) == http_date_s(
        b"Sun, 01 Jan 2017 00:00:00 GMT", NOW_S
    )


@pytest.mark.parametrize(("written", "year"), [(b"76", b"2076"), (b"77", b"1977"), (b"00", b"2000")])
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(written: bytes, year: bytes) -> None:
    short = b"Sunday, 06-Nov-" + written + b" 08:49:37 GMT"
    assert http_date_s(short, NOW_S) == http_date_s(b"Sun, 06 Nov " + year + b" 08:49:37 GMT", NOW_S)
