from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from steinmetz.cache.policy.key import answer_key, canonical_query, own_key, variant_key


def test_the_order_of_parameters_does_not_matter() -> None:
    assert canonical_query(b"to=2&from=1") == canonical_query(b"from=1&to=2") == b"from=1&to=2"


def test_the_order_of_values_of_one_parameter_does() -> None:
    assert canonical_query(b"id=2&id=1") != canonical_query(b"id=1&id=2")


def test_an_escaped_name_is_the_same_name_so_its_order_is_kept() -> None:
    assert canonical_query(b"a=1&%61=2") == b"a=1&%61=2"
    assert canonical_query(b"%61=2&a=1") == b"%61=2&a=1"


def test_empty_pairs_say_nothing() -> None:
    assert canonical_query(b"&&a=1&") == b"a=1"


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "%61", "b", "c+d", "c%20d"]), st.sampled_from(["", "1", "2"])), max_size=6
    )
)
def test_equal_queries_have_equal_values_for_every_name(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)

    def values(text: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found

    assert values(canonical_query(query.encode()).decode()) == values(query)


def test_a_key_has_prefix_version_path_and_query() -> None:
    assert answer_key("1.2+abc", "/api/invoices", b"b=1&a=2") == b"cache:1.2%2Babc:/api/invoices?a=2&b=1"


def test_another_version_is_another_key() -> None:
    assert answer_key("1", "/a", b"") != answer_key("2", "/a", b"")


@given(st.text(max_size=8), st.binary(max_size=8), st.text(max_size=8), st.binary(max_size=8))
def test_no_path_and_query_can_pose_as_another(path: str, query: bytes, other: str, other_query: bytes) -> None:
    same = (path, canonical_query(query)) == (other, canonical_query(other_query))
    assert (answer_key("v", path, query) == answer_key("v", other, other_query)) is same


def test_a_variant_cannot_be_asked_for_by_query_or_path() -> None:
    asked = answer_key("v", "/a#user=1", b"#user=1")
    assert b"#" not in asked
    assert variant_key(asked, b"user=1").count(b"#") == 1


def test_an_own_key_stands_in_place_of_the_query_and_is_escaped() -> None:
    assert own_key("v", "/a", "x?y#z") == b"cache:v:/a?!x%3Fy%23z"
    assert own_key("v", "/a", "x") != answer_key("v", "/a", b"x")
