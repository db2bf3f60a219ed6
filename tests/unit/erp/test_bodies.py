from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache import Admitted, Principal, Refused
from steinmetz.erp.bodies import (
    DEFAULT_MAX_BYTES,
    MAX_BYTES_OF_STRANGERS,
    MAX_JSON_DEPTH,
    BodyReader,
    BodyRefused,
    announced_length,
    flaw,
    is_json,
    max_bytes,
)
from steinmetz.erp.errors import BadRequest

pytestmark = pytest.mark.anyio

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), below, max_size=4)
    ),
    max_leaves=30,
)


@settings(max_examples=100, derandomize=True)
@given(JSON)
def test_whatever_json_can_say_has_no_flaw(value: Any) -> None:
    assert flaw(json.dumps(value).encode()) is None
    assert flaw(json.dumps(value, ensure_ascii=False).encode()) is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'[{"x": {"a": 1, "b": 2, "a": 1}}]', "twice"),
        (b'{"a": 1, "\\u0061": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e400]", "larger"),
        (b"[-1e999999999]", "larger"),
        (b"[" + b"9" * 31 + b"]", "digits"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udc00\\ud800": 1}', "surrogate"),
        (b'["\xff"]', "UTF-8"),
        (b"[" * (MAX_JSON_DEPTH + 1) + b"]" * (MAX_JSON_DEPTH + 1), "deep"),
        (b"[" * 500_000, "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 900 + b"]" * 900, "deep"),
    ],
)
def test_what_only_pythons_parser_takes_is_a_flaw(body: bytes, word: str) -> None:
    found = flaw(body)
    assert found is not None
    assert word in found


@pytest.mark.parametrize(
    "body",
    [
        b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH,
        b'["' + b"[" * 1_000 + b'"]',
        b'["\\"' + b"{" * 1_000 + b'"]',
        b'["\\ud83d\\ude00"]',
        b'["\\\\ud800"]',
        b"-0",
        b"1e-999999",
        b"[" + b"[]," * 1_000 + b"[]]",
    ],
)
def test_what_merely_looks_odd_is_none(body: bytes) -> None:
    assert flaw(body) is None


@pytest.mark.parametrize("body", [b"", b"{", b"}", b"[}", b'{"a"', b"nope", b'"' * 7, b"\xef\xbb\xbf1"])
def test_what_is_no_json_is_left_to_the_parser(body: bytes) -> None:
    assert flaw(body) is None


def test_a_path_may_have_a_longer_or_a_shorter_limit_than_all_others() -> None:
    general = DEFAULT_MAX_BYTES
    assert max_bytes("/api/customers", general) == general
    assert max_bytes("/api/functions/import", general) == 5_000_000
    assert max_bytes("/api/functions/important", general) == general
    assert max_bytes("/api/batch/jobs", 9_000_000) == 9_000_000
    assert max_bytes("/api/auth/login", general) == 20_000
    assert max_bytes("/api/auth/login", 2_000) == 2_000
    assert max_bytes("/api/authors", general) == general


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"application/json", True),
        (b"Application/JSON; charset=utf-8", True),
        (b"application/problem+json", True),
        (b"text/json", False),
        (b"multipart/form-data; boundary=application/json", False),
        (b"", False),
    ],
)
def test_json_is_known_by_its_type(content_type: bytes, expected: bool) -> None:
    assert is_json(content_type) is expected


@pytest.mark.parametrize("value", [b"-1", b"1e3", b" 1", b"", b"1" * 19, "²".encode()])
def test_a_length_that_is_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest):
        announced_length(value)


def reader(*pieces: bytes, limit: int = 100, is_json: bool = True, **scope: Any) -> BodyReader:
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return BodyReader({"headers": [], **scope}, receive, limit, is_json=is_json)


async def drain(read: BodyReader) -> None:
    while (await read()).get("more_body"):
        pass


class TestBodyReader:
    async def test_counts_what_comes_and_refuses_what_is_too_long(self) -> None:
        read = reader(b" " * 60, b" " * 40)
        await drain(read)
        assert read.size == 100
        assert (await read())["type"] == "http.disconnect"
        with pytest.raises(BodyRefused) as refused:
            await drain(reader(b" " * 60, b" " * 41))
        assert refused.value.problem.status == 413

    async def test_looks_at_json_when_all_of_it_is_there_and_at_nothing_else(self) -> None:
        await drain(reader(b'{"a": N', b"aN}", is_json=False))
        with pytest.raises(BodyRefused) as refused:
            await drain(reader(b'{"a": N', b"aN}"))
        assert refused.value.problem.status == 422

    async def test_reads_little_of_a_stranger(self) -> None:
        long = b'"' + b"x" * MAX_BYTES_OF_STRANGERS
        refused = Refused("Token expired")
        known = Admitted(Principal("user:1", "clerk"))
        unproven = [(b"authorization", b"Bearer x")]
        for scope, reason in (
            ({}, "Authentication required"),
            ({"headers": unproven, "steinmetz.admission": refused}, "Token expired"),
            ({"headers": unproven, "steinmetz.admission": known}, None),
            ({"headers": unproven}, None),
        ):
            read = reader(long, limit=10**6, **scope)
            if reason is None:
                await drain(read)
                continue
            with pytest.raises(BodyRefused) as told:
                await drain(read)
            assert (told.value.problem.status, told.value.problem.title) == (401, reason)
