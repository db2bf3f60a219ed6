"""When the answers of many are complete."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.socketio.gathering import Gathering


class Told:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def gathering(told: Told) -> Gathering:
    return Gathering(7, told)


def test_it_is_settled_once_with_the_last_answer(gathering: Gathering, told: Told) -> None:
    gathering.expect(["anna", "ben"])
    gathering.check()
    assert gathering.answer("ben", [2, "more"])
    assert (told.times, gathering.is_settled, gathering.missing) == (0, False, {"anna"})
    assert [gathering.is_waiting_for(sid) for sid in ("anna", "ben", "eve")] == [True, False, False]
    assert gathering.answer("anna", [])
    assert (told.times, gathering.is_settled, gathering.answers) == (1, True, [2, None])
    gathering.check()
    assert told.times == 1


def test_nobody_to_ask_is_settled_at_once(gathering: Gathering, told: Told) -> None:
    gathering.expect([])
    gathering.check()
    assert (told.times, gathering.answers) == (1, [])


def test_who_was_not_asked_or_has_answered_counts_for_nothing(gathering: Gathering, told: Told) -> None:
    gathering.expect(["anna", "ben"])
    assert not gathering.answer("eve", [1])
    assert gathering.answer("anna", [1])
    assert not gathering.answer("anna", [2])
    gathering.lose("eve", "transport close")
    assert (gathering.answers, gathering.lost, told.times) == ([1], {}, 0)


def test_who_goes_away_is_missing_and_no_longer_waited_for(gathering: Gathering, told: Told) -> None:
    gathering.expect(["anna", "ben"])
    gathering.lose("anna", "ping timeout")
    gathering.answer("ben", [2])
    assert (told.times, gathering.answers, gathering.missing) == (1, [2], {"anna"})
    assert gathering.lost == {"anna": "ping timeout"}
    assert not gathering.answer("anna", ["too late"])


def test_it_waits_for_nodes_to_say_whom_they_ask(gathering: Gathering, told: Told) -> None:
    gathering.await_nodes(["b", "c"])
    gathering.expect([])
    gathering.check()
    assert (told.times, gathering.silent_nodes) == (0, {"b", "c"})
    gathering.expect(["ben"], node="b")
    gathering.check()
    gathering.expect([], node="c")
    gathering.check()
    assert told.times == 0
    gathering.answer("ben", ["ok"])
    assert (told.times, gathering.answers) == (1, ["ok"])


def test_a_node_that_is_down_is_missing(gathering: Gathering, told: Told) -> None:
    gathering.await_nodes(["b"])
    gathering.lose_node("b")
    gathering.lose_node("unknown")
    assert (told.times, gathering.missing) == (1, {"node b"})


def test_an_answer_that_overtakes_the_list_of_its_node_is_kept(gathering: Gathering, told: Told) -> None:
    gathering.await_nodes(["b"])
    gathering.expect(["ben", "bea"], node="b")
    gathering.answer("ben", [1])
    gathering.answer("bea", [2])
    assert (told.times, gathering.answers) == (1, [1, 2])


@settings(derandomize=True, max_examples=100)
@given(
    nodes=st.lists(st.sets(st.integers(0, 20), max_size=5), max_size=4),
    happenings=st.lists(st.tuples(st.sampled_from(["answer", "lose"]), st.integers(0, 25)), max_size=40),
)
def test_whatever_happens_in_whatever_order_everybody_is_accounted_for(
    nodes: list[set[int]], happenings: list[tuple[str, int]]
) -> None:
    told = Told()
    gathering = Gathering(1, told)
    names = [f"node {number}" for number in range(len(nodes))]
    gathering.await_nodes(names)
    asked: set[str] = set()
    for name, members in zip(names, nodes, strict=True):
        fresh = {str(member) for member in members} - asked
        asked |= fresh
        gathering.expect(fresh, node=name)
    gathering.check()
    for what, member in happenings:
        if what == "answer":
            gathering.answer(str(member), [member])
        else:
            gathering.lose(str(member), "transport close")
        answered = {str(answer) for answer in gathering.answers}
        assert answered | gathering.missing == asked
        assert not answered & gathering.missing
        assert len(gathering.answers) == len(answered)
    assert told.times == int(gathering.is_settled)


def test_one_that_is_given_up_is_settled_whatever_comes_and_says_so_to_nobody(
    gathering: Gathering, told: Told
) -> None:
    gathering.await_nodes(["two"])
    gathering.expect(["anna"])
    gathering.give_up()
    assert gathering.is_settled
    gathering.expect(["carl"], "two")
    gathering.answer("anna", [1])
    gathering.check()
    assert (gathering.is_settled, told.times) == (True, 0)
