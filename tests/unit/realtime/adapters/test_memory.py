"""Rooms of one process."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.engineio.packet import NOOP, Outgoing
from steinmetz.realtime.socketio.gathering import Gathering

pytestmark = pytest.mark.anyio


class Namespace:
    """Notes what the adapter asks for."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, ...]] = []
        self.dropped: list[tuple[tuple[str, ...], bool]] = []
        self.removals = 0

    def deliver(
        self, members: Sequence[str], outgoing: Outgoing, flags: Flags, position: int | None = None
    ) -> None:
        self.delivered.append(tuple(members))

    def ask(self, members: Sequence[str], outgoing: Outgoing, flags: Flags, gathering: Gathering) -> None:
        gathering.expect([member.lower() for member in members])

    def stop_asking(self, ack_id: int) -> None:
        raise AssertionError("a process alone leaves that to whoever asks")

    async def hear(self, event: str, args: Sequence[object]) -> object:
        raise AssertionError("there is no other server")

    def note_removal(self) -> None:
        self.removals += 1

    def drop(self, members: Sequence[str], *, close: bool) -> None:
        self.dropped.append((tuple(members), close))


@pytest.fixture
def namespace() -> Namespace:
    return Namespace()


@pytest.fixture
def adapter(namespace: Namespace) -> MemoryAdapter[str]:
    """Members are called like their ids, in capitals."""
    adapter: MemoryAdapter[str] = MemoryAdapter(namespace)
    for sid in ("anna", "ben", "carl"):
        adapter.add(sid, sid.upper())
    adapter.join("anna", "finance")
    adapter.join("ben", "finance")
    adapter.join("ben", "hr")
    return adapter


def selected(adapter: MemoryAdapter[str], *rooms: str, without: tuple[str, ...] = ()) -> list[str]:
    return sorted(adapter.select(Selection(frozenset(rooms), frozenset(without))))


def test_a_room_is_its_members(adapter: MemoryAdapter[str]) -> None:
    assert selected(adapter, "finance") == ["ANNA", "BEN"]
    assert selected(adapter, "hr") == ["BEN"]
    assert selected(adapter, "nobody") == []


def test_several_rooms_are_each_member_once(adapter: MemoryAdapter[str]) -> None:
    assert selected(adapter, "finance", "hr") == ["ANNA", "BEN"]


def test_no_room_is_everybody(adapter: MemoryAdapter[str]) -> None:
    assert sorted(adapter.select(EVERYBODY)) == ["ANNA", "BEN", "CARL"]


def test_rooms_can_be_excepted(adapter: MemoryAdapter[str]) -> None:
    assert selected(adapter, without=("hr",)) == ["ANNA", "CARL"]
    assert selected(adapter, "finance", without=("anna",)) == ["BEN"]


def test_everybody_is_alone_in_a_room_of_the_own_name(adapter: MemoryAdapter[str]) -> None:
    assert selected(adapter, "carl") == ["CARL"]
    assert adapter.has_members("carl")
    assert "carl" not in adapter.rooms()


def test_who_enters_the_room_of_another_does_not_replace_him(adapter: MemoryAdapter[str]) -> None:
    adapter.join("anna", "carl")
    assert selected(adapter, "carl") == ["ANNA", "CARL"]
    adapter.remove("carl")
    assert selected(adapter, "carl") == ["ANNA"]


def test_who_is_gone_is_in_no_room_and_empty_rooms_end(adapter: MemoryAdapter[str]) -> None:
    adapter.remove("ben")
    assert selected(adapter, "finance") == ["ANNA"]
    assert set(adapter.rooms()) == {"finance"}
    assert not adapter.has_members("hr")
    adapter.remove("ben")


def test_leaving_a_room_twice_or_one_never_entered_changes_nothing(adapter: MemoryAdapter[str]) -> None:
    for _ in range(2):
        adapter.leave("ben", "hr")
    adapter.leave("carl", "finance")
    adapter.leave("nobody", "finance")
    assert adapter.rooms_of("ben") == {"finance"}


def test_joining_needs_a_member(adapter: MemoryAdapter[str]) -> None:
    adapter.join("nobody", "finance")
    assert selected(adapter, "finance") == ["ANNA", "BEN"]


def test_a_selection_is_a_snapshot(adapter: MemoryAdapter[str]) -> None:
    before = adapter.select(Selection(frozenset({"finance"})))
    adapter.join("carl", "finance")
    assert sorted(before) == ["ANNA", "BEN"]
    assert selected(adapter, "finance") == ["ANNA", "BEN", "CARL"]


def test_the_members_of_a_quiet_room_are_listed_once(adapter: MemoryAdapter[str]) -> None:
    finance = Selection(frozenset({"finance"}))
    assert adapter.select(finance) is adapter.select(finance)


def test_a_broadcast_reaches_the_selected_and_costs_nothing_without_any(
    adapter: MemoryAdapter[str], namespace: Namespace
) -> None:
    adapter.broadcast(Selection(frozenset({"hr"})), NOOP, RELIABLE)
    adapter.broadcast(Selection(frozenset({"nobody"})), NOOP, RELIABLE)
    assert namespace.delivered == [("BEN",)]


async def test_the_selected_can_be_fetched_moved_and_disconnected(
    adapter: MemoryAdapter[str], namespace: Namespace
) -> None:
    finance = Selection(frozenset({"finance"}))
    assert sorted(await adapter.fetch(finance)) == ["ANNA", "BEN"]
    adapter.join_all(finance, ["audit", "archive"])
    adapter.leave_all(finance, ["finance"])
    assert selected(adapter, "audit") == selected(adapter, "archive") == ["ANNA", "BEN"]
    assert not adapter.has_members("finance")
    adapter.disconnect_all(Selection(frozenset({"hr"})), close=True)
    assert namespace.dropped == [(("BEN",), True)]


def test_a_removal_is_noted_even_if_it_finds_nobody(adapter: MemoryAdapter[str], namespace: Namespace) -> None:
    """Who is meant may be on his way in: whoever decides about him hears of it."""
    nobody = Selection(frozenset({"user:5"}))
    adapter.disconnect_all(nobody, close=False)
    adapter.leave_all(nobody, ["finance"])
    adapter.join_all(nobody, ["finance"])
    assert namespace.removals == 2


moves = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "join", "leave"]),
        st.sampled_from(["anna", "ben", "carl"]),
        st.sampled_from(["finance", "hr", "anna"]),
    )
)


@given(moves)
def test_after_any_moves_rooms_and_members_agree(sequence: list[tuple[str, str, str]]) -> None:
    adapter: MemoryAdapter[str] = MemoryAdapter(Namespace())
    model: dict[str, set[str]] = {}
    for move, sid, room in sequence:
        if move == "add":
            adapter.add(sid, sid)
            model.setdefault(sid, set())
        elif move == "remove":
            adapter.remove(sid)
            model.pop(sid, None)
        elif move == "join" and sid != room:
            adapter.join(sid, room)
            if sid in model:
                model[sid].add(room)
        elif move == "leave":
            adapter.leave(sid, room)
            if sid in model:
                model[sid].discard(room)
    for room in ("finance", "hr", "anna"):
        expected = {sid for sid, rooms in model.items() if room in rooms or room == sid}
        assert set(selected(adapter, room)) == expected
    assert set(adapter.rooms()) == {room for rooms in model.values() for room in rooms}


def test_a_broadcast_with_acknowledgements_asks_just_who_is_selected(adapter: MemoryAdapter[str]) -> None:
    settled: list[str] = []
    gathering = Gathering(1, lambda: settled.append("settled"))
    adapter.broadcast_with_ack(Selection(frozenset({"finance"})), NOOP, RELIABLE, gathering)
    assert gathering.missing == {"anna", "ben"}
    assert settled == []


def test_a_broadcast_with_acknowledgements_to_nobody_is_settled(adapter: MemoryAdapter[str]) -> None:
    settled: list[str] = []
    gathering = Gathering(1, lambda: settled.append("settled"))
    adapter.broadcast_with_ack(Selection(frozenset({"nobody"})), NOOP, RELIABLE, gathering)
    assert settled == ["settled"]


async def test_a_process_alone_hears_no_other_server(adapter: MemoryAdapter[str]) -> None:
    adapter.server_side_emit("x", [])
    assert await adapter.server_side_emit_with_ack("x", [], 1.0) == []


def test_a_watcher_that_fails_leaves_nobody_half_in_a_room(adapter: MemoryAdapter[str]) -> None:
    class Broken:
        def joined(self, member: str, room: str) -> None:
            raise RuntimeError

        left = joined

    told: list[str] = []

    class Fine:
        def joined(self, member: str, room: str) -> None:
            told.append(f"{member} in {room}")

        def left(self, member: str, room: str) -> None:
            told.append(f"{member} out of {room}")

    adapter.watchers += [Broken(), Fine()]
    adapter.join("carl", "audit")
    adapter.join("carl", "stock")
    adapter.remove("carl")
    assert told == ["CARL in audit", "CARL in stock", "CARL out of audit", "CARL out of stock"]
    assert not adapter.has_room("audit")
    assert not adapter.has_room("stock")
