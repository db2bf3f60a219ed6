from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.policy.patterns import PathPattern
from steinmetz.cache.policy.tags import MAX_SEGMENTS
from steinmetz.cache.stores.paths import PathIndex


def test_nothing_is_left_of_a_path_at_which_nothing_is_kept() -> None:
    index = PathIndex()
    index.add(b"1", "/a/b/c")
    index.add(b"2", "/a/b")
    assert len(index) == 3
    index.discard(b"1", "/a/b/c")
    assert len(index) == 2
    index.discard(b"2", "/a/b")
    assert len(index) == 0
    index.discard(b"2", "/a/b")
    index.discard(b"3", "/x")


def test_a_deep_path_takes_so_many_places_only() -> None:
    index = PathIndex()
    index.add(b"1", "/a" * 1_000)
    assert len(index) == MAX_SEGMENTS
    assert list(index.matching(PathPattern.of("/a/**"))) == [b"1"]
    index.discard(b"1", "/a" * 1_000)
    assert len(index) == 0


segments = st.lists(st.sampled_from("abc"), max_size=4)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(segments, st.booleans()), max_size=30),
    st.lists(st.sampled_from(["a", "b", "*"]), max_size=4),
    st.booleans(),
)
def test_it_finds_what_a_scan_finds(
    paths: list[tuple[list[str], bool]], wanted: list[str], has_rest: bool
) -> None:
    index, there = PathIndex(), {}
    for number, (path, stays) in enumerate(paths):
        key, shown = b"%d" % number, "/" + "/".join(path)
        index.add(key, shown)
        there[key] = shown
        if not stays:
            index.discard(key, there.pop(key))
    pattern = PathPattern(tuple(wanted), has_rest)
    assert sorted(index.matching(pattern)) == sorted(key for key, path in there.items() if pattern.matches(path))
    prefixes = {tuple(path.split("/")[1 : depth + 1]) for path in there.values() for depth in range(1, 5)}
    assert len(index) == len(prefixes - {("",)})
