"""Offsets and pids, entries as bytes, and what a session has missed: by cases, and by a model of the whole."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import Decoder, encode
from steinmetz.realtime.socketio.recovery import (
    Entry,
    Epoch,
    History,
    Kind,
    Lane,
    Replay,
    Session,
    shield,
    stamp,
    without_offset,
)

EPOCH = Epoch(b"k" * 32, "/")


def event(*data: object) -> Outgoing:
    return encode(Packet(PacketType.EVENT, data=list(data)))


def heard(outgoing: Outgoing) -> list[object]:
    """What the stock client's parser makes of it."""
    decoder = Decoder(10_000)
    for part in outgoing.packets:
        packet = decoder.feed(part.data)
    assert packet is not None
    data: list[object] = packet.data
    return data


class TestEpoch:
    @given(st.integers(1, 10**15))
    @settings(max_examples=50, derandomize=True)
    def test_an_offset_names_its_position(self, position: int) -> None:
        offset = EPOCH.offset(position)
        assert EPOCH.position(offset) == position
        assert len(offset) < 40

    @given(st.integers(1, 10**9), st.integers(0, 100), st.characters(codec="ascii"))
    @settings(max_examples=200, derandomize=True)
    def test_no_other_text_passes_for_one(self, position: int, place: int, character: str) -> None:
        offset = EPOCH.offset(position)
        place %= len(offset)
        forged = offset[:place] + character + offset[place + 1 :]
        # The name of the epoch is for people to read; the code is what counts.
        is_name = 0 < place < 6
        assert EPOCH.position(forged) == (position if forged == offset or is_name else None)

    @pytest.mark.parametrize("text", ["", "~", "~~~", "~a.b.c", "text", "~" + "x" * 10_000, "\ud83d", None, 7, []])
    def test_nor_does_anything_else(self, text: object) -> None:
        assert EPOCH.position(text) is None
        assert EPOCH.sid(text) is None

    def test_those_of_another_life_or_namespace_are_foreign(self) -> None:
        for other in (Epoch(b"j" * 32, "/"), Epoch(b"k" * 32, "/admin")):
            assert other.id != EPOCH.id
            assert other.position(EPOCH.offset(5)) is None
            assert other.sid(EPOCH.pid("anna")) is None

    def test_a_pid_is_known_without_being_kept(self) -> None:
        assert EPOCH.sid(EPOCH.pid("a.b-c")) == "a.b-c"
        assert EPOCH.sid("b" + EPOCH.pid("a.b-c")[1:]) is None
        assert EPOCH.pid("anna").partition(".")[2] not in EPOCH.offset(1)


class TestStamp:
    @pytest.mark.parametrize(
        "data", [("n",), ("n", 1), ("n", "text"), ("n", {"a": [b"x", b"y"]}, b"z"), ("n", [])]
    )
    def test_the_offset_is_the_last_argument(self, data: tuple[object, ...]) -> None:
        stamped = stamp(event(*data).packets, "~o")
        assert heard(stamped) == [*data, "~o"]
        assert heard(without_offset(stamped)) == list(data)

    @pytest.mark.parametrize(
        ("data", "end"),
        [(("n",), [None]), (("n", "text"), [None]), (("n", 'a"]'), [None]), (("n", 1), []), (("n", b"x"), [])],
    )
    def test_an_event_without_one_does_not_end_in_a_string(
        self, data: tuple[object, ...], end: list[object]
    ) -> None:
        assert heard(shield(event(*data))) == [*data, *end]


# -- the model: a client that stayed connected hears, by definition, what one that comes back must hear


ROOMS = ("a", "b")
SID = "me"


@dataclass
class World:
    """What happens, and what one client hears of it that never goes away."""

    entries: list[Entry] = field(default_factory=list)
    rooms: dict[str, int] = field(default_factory=dict)
    left: list[tuple[str, int, int]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    is_expelled: bool = False

    @property
    def position(self) -> int:
        return len(self.entries)

    def happens(self, kind: Kind, rooms: Sequence[str], except_rooms: Sequence[str], target: str) -> None:
        targets = (target,) if kind in (Kind.JOIN, Kind.LEAVE) else ()
        position = self.position + 1
        mine = {*self.rooms, SID}
        is_meant = (not rooms or not mine.isdisjoint(rooms)) and mine.isdisjoint(except_rooms)
        self.entries.append(Entry(position, kind, tuple(rooms), tuple(except_rooms), targets=targets))
        if is_meant and kind is Kind.EMIT:
            self.heard.append(position)
        elif is_meant and kind is Kind.DISCONNECT:
            self.is_expelled = True
        elif is_meant and kind is Kind.JOIN:
            self.rooms.setdefault(target, position)
        elif is_meant and kind is Kind.LEAVE:
            self.leaves(target, position)

    def joins(self, room: str) -> None:
        self.rooms.setdefault(room, self.position)

    def leaves(self, room: str, position: int | None = None) -> None:
        joined = self.rooms.pop(room, None)
        if joined is not None:
            self.left.append((room, joined, self.position if position is None else position))

    def history(self) -> History:
        return History(dict(self.rooms), tuple(self.left))

    def read(self, lanes: Mapping[Lane, int]) -> dict[Lane, list[Entry]]:
        return {
            lane: [entry for entry in self.entries if lane in entry.lanes and entry.position > position]
            for lane, position in lanes.items()
        }


def replayed(world: World, session: Session, start: int) -> Replay:
    replay = Replay(session, start)
    while not replay.feed(world.position, world.read(replay.wanted).values()):
        pass
    return replay


def agrees(steps: Sequence[tuple[object, ...]], saved_after: int, arrived: int) -> None:
    """``steps`` happen to a client whose session is saved after some of them, and to whom some emissions came."""
    world, session = World(), Session(SID, "e", None, 0, 0, History())
    for number, step in enumerate(steps):
        if number == saved_after:
            session = Session(SID, "e", None, 0, world.position, world.history())
        if step[0] == "joins" and number < saved_after:
            world.joins(str(step[1]))
        elif step[0] == "leaves" and number < saved_after:
            world.leaves(str(step[1]))
        elif isinstance(step[0], Kind):
            world.happens(*step)  # type: ignore[arg-type]
    if saved_after >= len(steps):
        session = Session(SID, "e", None, 0, world.position, world.history())
    came = [position for position in world.heard if position <= session.as_of][:arrived]
    replay = replayed(world, session, came[-1] if came else 0)
    went = [entry.position for entry in world.entries if entry.kind is Kind.DISCONNECT]
    if replay.is_expelled:
        assert went[-1] > session.as_of
        assert world.is_expelled
    else:
        assert came + [entry.position for entry in replay.heard] == world.heard
        assert replay.history.rooms == world.rooms
        for span in replay.history.left:
            assert span in world.left


STEPS: tuple[tuple[object, ...], ...] = (
    ("joins", "a"),
    ("leaves", "a"),
    (Kind.EMIT, (), (), ""),
    (Kind.EMIT, ("a",), (), ""),
    (Kind.EMIT, ("a", SID), (), ""),
    (Kind.EMIT, ("b",), ("a",), ""),
    (Kind.EMIT, (SID,), (), ""),
    (Kind.JOIN, ("a",), (), "b"),
    (Kind.JOIN, (), (), "a"),
    (Kind.LEAVE, (SID,), (), "a"),
    (Kind.DISCONNECT, ("b",), (), ""),
)


class TestReplay:
    def test_every_short_story_ends_where_a_client_is_that_stayed(self) -> None:
        """All stories of three steps, cut at every place, after any number of arrivals: 5,324 x 4."""
        for steps in itertools.product(STEPS, repeat=3):
            for saved_after in range(4):
                for arrived in range(saved_after + 1):
                    agrees(steps, saved_after, arrived)

    @given(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(["joins", "leaves"]), st.sampled_from(ROOMS)),
                st.tuples(
                    st.sampled_from(Kind),
                    st.lists(st.sampled_from((*ROOMS, SID)), max_size=2).map(tuple),
                    st.lists(st.sampled_from((*ROOMS, SID)), max_size=1).map(tuple),
                    st.sampled_from(ROOMS),
                ),
            ),
            max_size=25,
        ),
        st.integers(0, 25),
        st.integers(0, 25),
    )
    @settings(max_examples=400, derandomize=True, deadline=None)
    def test_and_so_does_every_long_one(
        self, steps: list[tuple[object, ...]], saved_after: int, arrived: int
    ) -> None:
        agrees(steps, min(saved_after, len(steps)), arrived)

    def test_one_who_connected_later_hears_nothing_older(self) -> None:
        world = World()
        world.happens(Kind.EMIT, (), (), "")
        world.happens(Kind.EMIT, (), (), "")
        replay = replayed(world, Session(SID, "e", None, 1, 1, History()), 1)
        assert [entry.position for entry in replay.heard] == [2]
        assert replay.end == 2
