"""Which answer of one URL a request selects (RFC 9111, 4.1)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.selection import MAX_SELECTIONS, MAX_VARIANTS, Variants, selected_key
from steinmetz.sql.effects import ReadSet

URL = b"http://a.test/a"


def test_without_names_the_url_is_the_key() -> None:
    assert selected_key(URL, (), [(b"foo", b"1")]) == URL


def test_the_same_values_are_the_same_key_however_they_are_written() -> None:
    key = selected_key(URL, (b"foo",), [(b"foo", b"1, 2")])
    assert selected_key(URL, (b"foo",), [(b"FOO", b"1"), (b"foo", b"2"), (b"bar", b"x")]) == key
    assert selected_key(URL, (b"foo",), [(b"foo", b"2, 1")]) != key


def test_absent_and_empty_are_not_the_same() -> None:
    assert selected_key(URL, (b"foo",), []) != selected_key(URL, (b"foo",), [(b"foo", b"")])


def test_languages_and_codings_have_no_order_and_no_case() -> None:
    for name in (b"accept-language", b"accept-encoding"):
        key = selected_key(URL, (name,), [(name, b"en, de;q=0.5")])
        assert selected_key(URL, (name,), [(name, b" DE; q=0.5 ,en")]) == key
        assert selected_key(URL, (name,), [(name, b"en, de;q=0.6")]) != key


@settings(derandomize=True, max_examples=200)
@given(
    st.tuples(st.binary(max_size=6), st.binary(max_size=6)),
    st.tuples(st.binary(max_size=6), st.binary(max_size=6)),
)
def test_no_value_can_look_like_another_field(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> None:
    def squeezed(values: tuple[bytes, bytes]) -> list[list[bytes]]:
        return [[part.strip() for part in value.split(b",")] for value in values]

    names = (b"bar", b"foo")
    keys = [selected_key(URL, names, list(zip(names, values, strict=True))) for values in (one, other)]
    assert (keys[0] == keys[1]) == (squeezed(one) == squeezed(other))


def test_what_is_known_of_a_url_is_newest_first_and_bounded() -> None:
    known = Variants(URL, (), (), ReadSet())
    for number in range(MAX_VARIANTS + 5):
        known = known.with_variant((b"%d" % number,), b"k%d" % number)
    assert len(known.keys) == MAX_VARIANTS
    assert len(known.selections) == MAX_SELECTIONS
    assert known.keys[0] == b"k%d" % (MAX_VARIANTS + 4)
    assert known.with_variant(known.selections[0], known.keys[0]) is known
    again = known.with_variant(known.selections[2], known.keys[2])
    assert (again.keys[0], len(again.keys)) == (known.keys[2], MAX_VARIANTS)
