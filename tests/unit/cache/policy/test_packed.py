from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.packed import MAX_BODY_BYTES, life_s, packed, unpacked
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column, Kind, Rows

INVOICES = Relation("main", "invoices")
READS = ReadSet(
    frozenset({INVOICES, Relation("(path)", "/äpfel")}),
    rows={INVOICES: (Rows({Column("id", Kind.INTEGER): frozenset({7})}, frozenset({"id", "total"})),)},
)
ALIKE = ("key", "path", "route", "headers", "body", "read_set", "status", "cost_ns", "valid_until_s", "variant",
         "vary", "etag")  # fmt: skip


def entry(**more: object) -> Entry:
    told: dict[str, object] = {
        "key": b"cache:1:/invoices#role=a\xff",
        "path": "/invoices",
        "route": "/invoices",
        "headers": ((b"content-type", b"text/plain"), (b"x-odd", b"\xe4\xff")),
        "body": b"\x00body",
        "read_set": READS,
        "sequence": 3,
        "stored_at_s": 100.0,
        "terms": Terms(
            ttl_s=60.0, vary=(b"accept",), age_s=5.0, stale_while_revalidate_s=9.0, must_revalidate=True
        ),
        "status": 203,
        "cost_ns": 12,
        "valid_until_s": 1e9,
        "variant": b"role=a",
        "vary": ((b"accept", b"x"), (b"accept-language", None)),
        **more,
    }
    return Entry(**told)  # type: ignore[arg-type]


def test_an_answer_comes_back_as_it_was_with_its_age() -> None:
    one = entry()
    value = packed(one, b"boot", 110.0)
    assert value is not None
    other = unpacked(value, one.key, b"boot", left_s=40.0, sequence=9, now_s=5_000.0)
    assert other is not None
    for name in ALIKE:
        assert getattr(other, name) == getattr(one, name), name
    assert other.sequence == 9
    # 45 s were left when it was packed, so 5 s have passed: at 115 on the first clock, 40 s are left.
    assert life_s(other, 5_000.0) == pytest.approx(40.0)
    assert life_s(other, 5_000.0) == pytest.approx(life_s(one, 115.0))


def test_h21_no_clock_is_compared_with_another() -> None:
    one = entry()
    value = packed(one, b"boot", 110.0)
    assert value is not None
    for now_s in (0.0, 1e9):
        other = unpacked(value, one.key, b"boot", left_s=40.0, sequence=0, now_s=now_s)
        assert other is not None
        assert life_s(other, now_s) == pytest.approx(40.0)


def test_what_is_too_long_or_uncertain_is_not_packed() -> None:
    assert packed(entry(body=b"x" * (MAX_BODY_BYTES + 1)), b"boot", 100.0) is None
    assert packed(entry(read_set=ReadSet(unknown=frozenset({"why"}))), b"boot", 100.0) is None


def test_another_key_or_another_life_is_a_miss() -> None:
    value = packed(entry(), b"boot", 100.0)
    assert value is not None
    assert unpacked(value, b"other", b"boot", left_s=1.0, sequence=0, now_s=0.0) is None
    assert unpacked(value, entry().key, b"other", left_s=1.0, sequence=0, now_s=0.0) is None


@given(st.binary(max_size=80), st.integers(0, 400))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_rubbish_is_a_miss(rubbish: bytes, cut: int) -> None:
    value = packed(entry(), b"boot", 100.0)
    assert value is not None
    for bad in (rubbish, value[:7] + rubbish, value[: min(cut, 300)], value[:3] + b"\xff" + value[4:]):
        found = unpacked(bad, entry().key, b"boot", left_s=1.0, sequence=0, now_s=0.0)
        assert found is None


def test_another_version_is_a_miss() -> None:
    value = packed(entry(), b"boot", 100.0)
    assert value is not None
    assert unpacked(b"SZ\x01" + value[3:], entry().key, b"boot", left_s=1.0, sequence=0, now_s=0.0) is None
