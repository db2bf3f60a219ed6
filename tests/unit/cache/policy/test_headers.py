from __future__ import annotations

import pytest

from steinmetz.cache.policy.headers import (
    cache_control,
    cache_status,
    delta_seconds,
    format_cache_control,
    matches,
    selected,
    storable_headers,
    value_of,
    vary_names,
)


class TestCacheControl:
    """RFC 9111, 5.2."""

    @pytest.mark.parametrize(
        ("value", "directives"),
        [
            (b"", {}),
            (b"no-store", {"no-store": None}),
            (b"Max-Age=60, PRIVATE", {"max-age": "60", "private": None}),
            (b'private="x, y", max-age="5"', {"private": "x, y", "max-age": "5"}),
            (b" , max-age=1 ,,", {"max-age": "1"}),
            (b"max-age=1, max-age=9", {"max-age": "1"}),
        ],
    )
    def test_directives(self, value: bytes, directives: dict[str, str | None]) -> None:
        assert cache_control(value) == directives

    @pytest.mark.parametrize(
        ("argument", "seconds"),
        [("60", 60), ("0", 0), ("", 0), ("-1", 0), ("1.5", 0), ("x", 0), ("9" * 30, 2**31)],
    )
    def test_what_is_no_number_is_no_time(self, argument: str, seconds: int) -> None:
        assert delta_seconds({"max-age": argument}, "max-age") == seconds

    def test_an_absent_directive_is_none(self) -> None:
        assert delta_seconds({}, "max-age") is None

    def test_formatting(self) -> None:
        assert format_cache_control({"private": None, "max-age": 5}) == b"private, max-age=5"


class TestVary:
    def test_names_are_sorted_and_in_lower_case(self) -> None:
        assert vary_names(b"Origin, Accept-Language ,") == (b"accept-language", b"origin")

    def test_a_star_can_never_be_matched(self) -> None:
        assert vary_names(b"origin, *") is None

    def test_absent_selects_nothing(self) -> None:
        assert vary_names(None) == ()

    def test_spaces_and_lines_do_not_make_another_selection(self) -> None:
        one = selected([(b"Accept", b"a,b")], (b"accept", b"origin"))
        two = selected([(b"accept", b"a"), (b"accept", b" b")], (b"accept", b"origin"))
        assert one == two == ((b"accept", b"a, b"), (b"origin", None))


class TestEntityTags:
    """RFC 9110, 13.1.2: the weak comparison."""

    @pytest.mark.parametrize(
        ("etag", "asked", "same"),
        [
            (b'"a"', b'"a"', True),
            (b'"a"', b'W/"a"', True),
            (b'W/"a"', b'"a"', True),
            (b'"a"', b'"b", "a"', True),
            (b'"a"', b"*", True),
            (b'"a"', b'"b"', False),
            (b'"a"', b"a", False),
            (b'"a"', b"", False),
            (b'"a,b"', b'"x", "a,b"', True),
        ],
    )
    def test_comparison(self, etag: bytes, asked: bytes, same: bool) -> None:
        assert matches(etag, asked) is same


def test_lines_of_one_field_are_one_list() -> None:
    assert value_of([(b"Vary", b"a"), (b"x", b"y"), (b"vary", b"b")], b"vary") == b"a, b"


def test_what_belongs_to_one_hop_is_not_stored() -> None:
    headers = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"Keep-Alive", b"5"), (b"ETag", b'"a"')]
    assert storable_headers(headers) == ((b"etag", b'"a"'),)


def test_cache_status_escapes_its_detail() -> None:
    assert (
        cache_status(fwd="uri-miss", stored=True, detail='a "b"\n')
        == b'SteinmetZ; fwd=uri-miss; stored; detail="a \\"b\\""'
    )


def test_of_directives_that_name_fields_all_lines_count_and_a_bare_one_is_the_whole() -> None:
    assert cache_control(b'private="a", private="b, c"') == {"private": "a,b, c"}
    assert cache_control(b'private="a", private') == {"private": None}
    assert cache_control(b'private, private="a"') == {"private": None}
    assert cache_control(b'no-cache="", no-cache="a"') == {"no-cache": None}
    assert cache_control(b"max-age=1, max-age=2") == {"max-age": "1"}


def test_a_quote_that_is_never_closed_hides_nothing() -> None:
    assert cache_control(b'x="y, no-store') == {"x": "y", "no-store": None}
    assert cache_control(b'a="b,c", x="y, no-store, private') == {
        "a": "b,c",
        "x": "y",
        "no-store": None,
        "private": None,
    }


def test_a_blank_beside_the_equals_sign_leaves_no_argument() -> None:
    assert cache_control(b"max-age =60, s-maxage= 5, private = a") == {
        "max-age": "",
        "s-maxage": "",
        "private": "",
    }
