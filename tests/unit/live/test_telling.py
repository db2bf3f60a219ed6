"""What is said of a new answer; and, in a small model, that each client ends with the newest in whatever order."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import orjson
import pytest

from steinmetz.live import telling as module
from steinmetz.live.merge_patch import applied
from steinmetz.live.telling import Patch, Said, Whole, has_it, telling


def said(value: Any, etag: str = "") -> Said:
    text = orjson.dumps(value)
    return Said.of(etag or f'"{hash(text)}"', text)


MUCH = {f"name{number}": "x" * 20 for number in range(10)}


def test_nothing_is_said_of_the_same_answer() -> None:
    assert telling(said({"n": 1}, '"a"'), said({"n": 1}, '"a"')) is None


def test_a_first_answer_is_said_whole() -> None:
    assert telling(None, said({"n": 1}, '"a"')) == Whole('"a"', {"n": 1})


def test_a_patch_is_said_if_it_is_smaller_and_names_its_base() -> None:
    told = telling(said({**MUCH, "n": 1}, '"a"'), said({**MUCH, "n": 2}, '"b"'))
    assert isinstance(told, Patch)
    assert told.payload("/x") == {"path": "/x", "etag": '"b"', "base": '"a"', "patch": {"n": 2}}
    assert told.whole.payload("/x") == {"path": "/x", "etag": '"b"', "body": {**MUCH, "n": 2}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"n": 1}, {"n": 2}),
        ({**MUCH, "n": 1}, {"n": 1}),
        ([1, 2], [1, 2, 3]),
        ({**MUCH, "paidAt": "today"}, {**MUCH, "paidAt": None}),
    ],
    ids=["as small", "removals are longer", "no object", "T31 a null"],
)
def test_otherwise_the_whole_is_said(old: Any, new: Any) -> None:
    assert telling(said(old, '"a"'), said(new, '"b"')) == Whole('"b"', new)


@pytest.mark.parametrize("error", [RecursionError, TypeError])
def test_what_is_nested_too_deeply_to_compare_is_said_whole(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def too_deep(old: Any, new: Any) -> Any:
        raise error

    monkeypatch.setattr(module, "patch_between", too_deep)
    assert telling(said({**MUCH, "n": 1}, '"a"'), said({**MUCH, "n": 2}, '"b"')) == Whole('"b"', {**MUCH, "n": 2})


@pytest.mark.parametrize("shown", ['"a"', 'W/"a"', '"a-gzip"', '"a-zstd"'])
def test_the_etag_of_a_response_means_the_answer_in_any_coding(shown: str) -> None:
    assert has_it('"a"', shown)


@pytest.mark.parametrize("shown", ["", '"b"', '"a-br"', "a"])
def test_another_etag_means_another_answer(shown: str) -> None:
    assert not has_it('"a"', shown)


# ---- A small model: what is said, to a client that reads when it likes


class World(NamedTuple):
    """``state`` is what has been committed, ``told`` what was said last; ``line`` waits for the client.

    A patch in line is (base, new), a whole (None, new); ``shown`` is what the screen has.
    """

    state: int
    told: int
    line: tuple[tuple[int | None, int], ...]
    shown: int
    misfits: int


LAST = 4


def value_of(state: int) -> dict[str, Any]:
    """State 3 holds a null."""
    return {**MUCH, "n": None if state == 3 else state}


def after(world: World) -> list[World]:
    """All that can happen next: a commit, a computation that is said, the client reads the first in line."""
    found = []
    if world.state < LAST:
        found.append(world._replace(state=world.state + 1))
    if world.told < world.state:
        told = telling(said(value_of(world.told), str(world.told)), said(value_of(world.state), str(world.state)))
        assert told is not None
        # As Subscriptions.tell: a patch for whom nothing waits, else the whole in the place of a whole that waits.
        if isinstance(told, Patch) and not world.line:
            line: tuple[tuple[int | None, int], ...] = ((int(told.base), world.state),)
        else:
            line = (*(one for one in world.line if one[0] is not None), (None, world.state))
        found.append(world._replace(told=world.state, line=line))
    if world.line:
        (base, new), *rest = world.line
        fits = base is None or base == world.shown
        if fits and base is not None:
            told = telling(said(value_of(base), str(base)), said(value_of(new), str(new)))
            assert isinstance(told, Patch)
            assert applied(value_of(world.shown), told.patch) == value_of(new)
        shown = new if fits else world.shown
        found.append(world._replace(line=tuple(rest), shown=shown, misfits=world.misfits + (not fits)))
    return found


def test_t31_in_every_order_the_screen_goes_forward_only_and_ends_with_the_newest() -> None:
    first = World(0, 0, (), 0, 0)
    seen, waiting = {first}, deque([first])
    ends = set()
    while waiting:
        world = waiting.popleft()
        following = after(world)
        for one in following:
            assert one.shown >= world.shown
            assert one.misfits == 0
            if one not in seen:
                seen.add(one)
                waiting.append(one)
        if not following:
            ends.add(world.shown)
    assert ends == {LAST}
    assert len(seen) > 50
