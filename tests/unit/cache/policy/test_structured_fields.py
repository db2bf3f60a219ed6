"""Structured fields (RFC 9651): what they say, and that anything doubtful is refused whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.structured_fields import (
    InnerList,
    Instant,
    NotStructuredError,
    Token,
    parse_dictionary,
    parse_list,
)


@pytest.mark.parametrize(
    ("written", "members"),
    [
        (b"", {}),
        (b"  ", {}),
        (b"a", {"a": True}),
        (b"a=?0, b=?1", {"a": False, "b": True}),
        (b"max-age=60", {"max-age": 60}),
        (b"a=-1, b=1.5, c=-0.125", {"a": -1, "b": Decimal("1.5"), "c": Decimal("-0.125")}),
        (b'a="x\\"y\\\\z"', {"a": 'x"y\\z'}),
        (b"a=tok/en:*", {"a": Token("tok/en:*")}),
        (b"a=:aGk=:", {"a": b"hi"}),
        (b"a=@1659578233", {"a": Instant(1659578233)}),
        (b'a=%"f%c3%bc"', {"a": "fü"}),
        (b'a=(1 "x"  b);p=1, c', {"a": InnerList((1, "x", Token("b"))), "c": True}),
        (b"a=();x", {"a": InnerList(())}),
        (b"a;x=1;y, b=2;z", {"a": True, "b": 2}),
        (b"a=1,\tb=2", {"a": 1, "b": 2}),
        (b"a=1, a=2", {"a": 2}),
        (b"*a_b-c.d=1", {"*a_b-c.d": 1}),
        (b"a=999999999999999", {"a": 999999999999999}),
    ],
)
def test_a_dictionary_says(written: bytes, members: dict[str, object]) -> None:
    assert parse_dictionary(written) == members


@pytest.mark.parametrize(
    "written",
    [
        b",",
        b"a,",
        b"a=1,,b=2",
        b"a=",
        b"=1",
        b"A=1",
        b"1a=1",
        b"a =1",
        b"a= 1",
        b"a=1 b=2",
        b"a=1;",
        b"a=1;=2",
        b"a=1.",
        b"a=1.2345",
        b"a=1234567890123.1",
        b"a=1000000000000000",
        b"a=--1",
        b'a="x',
        b'a="\\x"',
        b'a="\x00"',
        b"a=?2",
        b"a=?",
        b"a=@1.5",
        b"a=@x",
        b"a=:a:",
        b"a=:aGk=",
        b'a=%"%C3"',
        b'a=%"%ff"',
        b"a=(1",
        b"a=(1,2)",
        b'a=("x""y")',
        b"a=&",
        b"max-age=10000, &&&&&",
        "a=ü".encode(),
    ],
)
def test_what_is_no_dictionary_is_refused_whole(written: bytes) -> None:
    with pytest.raises(NotStructuredError):
        parse_dictionary(written)


def test_a_list_says() -> None:
    assert parse_list(b'"x", y;p="1", (1 2)') == ["x", Token("y"), InnerList((1, 2))]
    assert parse_list(b"") == []


@pytest.mark.parametrize("written", [b",", b'"x",', b'"x" "y"', b'"x", "y'])
def test_what_is_no_list_is_refused_whole(written: bytes) -> None:
    with pytest.raises(NotStructuredError):
        parse_list(written)


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=40))
def test_no_bytes_do_anything_but_parse_or_be_refused(written: bytes) -> None:
    for parse in (parse_dictionary, parse_list):
        try:
            parse(written)
        except NotStructuredError:
            continue


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40), max_size=40))
def test_strings_come_back_as_they_were_written(strings: list[str]) -> None:
    escaped = [text.replace("\\", "\\\\").replace('"', '\\"') for text in strings]
    assert parse_list(", ".join(f'"{text}"' for text in escaped).encode()) == strings
