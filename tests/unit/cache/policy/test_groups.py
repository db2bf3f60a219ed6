"""What an unsafe method invalidates: URLs (RFC 9111, 4.4) and cache groups (RFC 9875)."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.groups import (
    MAX_GROUPS,
    group_reads,
    groups_of,
    invalidated,
    is_at_target,
    url_of,
    url_reads,
)
from steinmetz.sql.effects import ReadSet

URL, ORIGIN = url_of("http", b"a.test", b"/d/a?x=1")
GROUPS = b"cache-groups"


def test_32_groups_of_32_characters_are_all_kept() -> None:
    names = [f"{number:02}" + "x" * 30 for number in range(32)]
    said = ", ".join(f'"{name}"' for name in names).encode()
    assert groups_of([(GROUPS, said)], GROUPS) == tuple(names)


def test_more_groups_than_the_limit_are_cut_and_names_beyond_it_dropped() -> None:
    said = ", ".join(f'"{number}"' for number in range(MAX_GROUPS + 1)).encode()
    assert len(groups_of([(GROUPS, said)], GROUPS)) == MAX_GROUPS
    assert groups_of([(GROUPS, b'"' + b"x" * 257 + b'", "y"')], GROUPS) == ("y",)


@pytest.mark.parametrize("said", [b"x", b'"x", y', b'"x", 1', b'"x', b'("x")', b'"x",'])
def test_what_is_no_list_of_strings_names_no_group(said: bytes) -> None:
    assert groups_of([(GROUPS, said)], GROUPS) == ()


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", b"A.test", b"http://a.test"),
        ("http", b"a.test:80", b"http://a.test"),
        ("http", b"a.test:443", b"http://a.test:443"),
        ("https", b"a.test:443", b"https://a.test"),
        ("http", b"a.test:8080", b"http://a.test:8080"),
        ("http", b"", b"http://"),
    ],
)
def test_an_origin_has_its_host_in_lower_case_and_no_default_port(scheme: str, host: bytes, origin: bytes) -> None:
    assert url_of(scheme, host, b"/x") == (origin + b"/x", origin)


@pytest.mark.parametrize(
    ("location", "also"),
    [
        (b"/b", b"http://a.test/b"),
        (b"b", b"http://a.test/d/b"),
        (b"?y=2", b"http://a.test/d/a?y=2"),
        (b"http://a.test:80/b", b"http://a.test/b"),
        (b"HTTP://A.TEST/b", b"http://a.test/b"),
        (b"http://a.test", b"http://a.test/"),
        (b"//a.test/b#c", b"http://a.test/b"),
        (b"http://b.test/b", None),
        (b"https://a.test/b", None),
        (b"http://a.test:81/b", None),
        (b"http://[a/b", None),
        (b"mailto:a@a.test", None),
    ],
)
def test_location_and_content_location_of_the_same_origin_are_invalidated(
    location: bytes, also: bytes | None
) -> None:
    for name in (b"Location", b"content-location"):
        writes = invalidated("POST", 201, [(name, location)], URL, ORIGIN)
        expected = url_reads(URL) | (url_reads(also) if also is not None else frozenset())
        assert writes.relations == expected


@pytest.mark.parametrize("status", [199, 400, 404, 500])
def test_an_error_invalidates_nothing(status: int) -> None:
    assert not invalidated("DELETE", status, [(b"cache-group-invalidation", b'"x"')], URL, ORIGIN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "PROPFIND"])
def test_a_safe_method_invalidates_nothing(method: str) -> None:
    assert not invalidated(method, 200, [(b"cache-group-invalidation", b'"x"')], URL, ORIGIN)


def test_a_group_concerns_its_members_of_the_same_origin_only() -> None:
    writes = invalidated("POST", 200, [(b"Cache-Group-Invalidation", b'"x"')], URL, ORIGIN)
    assert ReadSet(group_reads(ORIGIN, ["x"])).concerned_by(writes)
    assert not ReadSet(group_reads(ORIGIN, ["y"])).concerned_by(writes)
    assert not ReadSet(group_reads(b"http://b.test", ["x"])).concerned_by(writes)


def test_the_answer_to_post_is_at_its_target_if_content_location_says_so() -> None:
    assert is_at_target([(b"content-location", b"/d/a?x=1")], URL, ORIGIN)
    assert not is_at_target([(b"content-location", b"/d/a")], URL, ORIGIN)
    assert not is_at_target([(b"content-location", b"http://b.test/d/a?x=1")], URL, ORIGIN)
    assert not is_at_target([], URL, ORIGIN)
