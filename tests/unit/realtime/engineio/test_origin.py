"""Which pages may connect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.origin import origin_allowed


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "erp.example"),
        (None, None),
        ("https://erp.example", "erp.example"),
        ("http://erp.example", "erp.example:80"),
        ("https://erp.example:443", "erp.example"),
        ("http://localhost:3000", "localhost:3000"),
        ("http://LOCALHOST:3000", "localhost:3000"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
def test_the_servers_own_pages_may_connect(origin: str | None, host: str | None) -> None:
    assert origin_allowed(origin, host, ())


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "erp.example"),
        ("https://erp.example.evil.example", "erp.example"),
        ("http://localhost:3001", "localhost:3000"),
        ("http://erp.example:8080", "erp.example"),
        ("null", "erp.example"),
        ("", "erp.example"),
        ("file://", "erp.example"),
        ("https://erp.example", None),
        ("https://erp.example@evil.example", "erp.example"),
        ("https://[bad", "erp.example"),
        ("https://erp.example:99999999", "erp.example"),
    ],
)
def test_foreign_pages_may_not(origin: str, host: str | None) -> None:
    assert not origin_allowed(origin, host, ())


def test_listed_pages_may_connect() -> None:
    assert origin_allowed("https://portal.example", "erp.example", ("https://portal.example",))
    assert not origin_allowed("http://portal.example", "erp.example", ("https://portal.example",))
    assert origin_allowed("https://anything.example", "erp.example", ("*",))


@given(st.text(), st.text())
def test_no_header_raises(origin: str, host: str) -> None:
    assert origin_allowed(origin, host, ()) in (True, False)
