"""In which order the emissions of a namespace leave, and in how many writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.adapters.base import RELIABLE, Flags
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.server import batch as batch_module
from steinmetz.realtime.server import delivery as delivery_module
from steinmetz.realtime.server.batch import MAX_BYTES, Batch
from steinmetz.realtime.server.delivery import MAX_WAITING, MAX_WAITING_BYTES, SLICE, Delivery
from steinmetz.realtime.server.turn import Turn
from tests.unit.realtime.server.frames_of import messages_in

pytestmark = pytest.mark.anyio


class Listener:
    """As much of a socket, its client and its transport as a delivery needs; a wire while it has credit."""

    def __init__(self, credit: int = 0) -> None:
        self.connected = True
        self.client = self.wire = self.stream = self.transport = self
        self.credit = credit
        self.fd = -1
        self.deflates = False
        self.heard: list[Any] = []
        self.writes: list[bytes] = []
        self.is_broken = False
        self.is_aborted = False

    def write(self, frames: bytes) -> None:
        if self.is_broken:
            raise RuntimeError("the handler is closed")
        self.writes.append(frames)
        self.heard += messages_in(frames)

    def put(self, frames: bytes) -> None:
        self.put_rest(frames, 0)

    def put_rest(self, frames: bytes, written: int) -> None:
        self.credit -= len(frames)
        self.write(frames[written:])

    def has_room(self, _size: int) -> bool:
        return False

    def send_flagged(self, outgoing: Outgoing, flags: Flags) -> None:
        if self.is_broken:
            raise RuntimeError("the handler is closed")
        self.heard += [packet.encoded for packet in outgoing.packets]

    def abort(self) -> None:
        self.is_aborted = True


def message(number: int, size: int = 0) -> Outgoing:
    return Outgoing(Packet(PacketType.MESSAGE, f"{number}" + "." * size))


def numbers(listener: Listener) -> list[int]:
    return [int(text[1:].rstrip(".")) for text in listener.heard]


class Desk:
    """A delivery, and the end of the turn when the test says so."""

    def __init__(self, threshold: int | None = None) -> None:
        self.turn = Turn(lambda: None)
        self.delivery = Delivery(self.turn, threshold)

    def emit(self, sockets: Any, outgoing: Outgoing, flags: Flags = RELIABLE) -> None:
        self.delivery.send(sockets, outgoing, flags)

    def end_turns(self) -> int:
        """Until nothing waits; how many turns it took."""
        turns = 0
        while self.delivery.batches:
            self.turn.end()
            turns += 1
        return turns


class TestOneTurn:
    def test_runs_of_broadcasts_to_the_same_members_are_joined_once_and_written_once(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000) for _ in range(3))
        for number in range(16):
            desk.emit(crowd, message(number))
        assert [listener.writes for listener in crowd] == [[], [], []]
        desk.end_turns()
        for listener in crowd:
            assert numbers(listener) == list(range(16))
            assert len(listener.writes) == 1
            assert listener.writes[0] is crowd[0].writes[0]

    def test_whatever_is_sent_to_one_of_them_in_between_keeps_its_place_and_costs_the_others_nothing(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000) for _ in range(3))
        desk.emit(crowd, message(0))
        desk.emit(crowd[1:2], message(1))
        assert numbers(crowd[1]) == [0, 1]
        desk.emit(crowd, message(2))
        desk.end_turns()
        assert [numbers(listener) for listener in crowd] == [[0, 2], [0, 1, 2], [0, 2]]
        assert [len(listener.writes) for listener in (crowd[0], crowd[2])] == [1, 1]

    def test_those_who_get_the_same_share_one_write_whatever_rooms_they_are_in(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000) for _ in range(6))
        left, right = crowd[:4], crowd[2:]
        for number, audience in enumerate((left, right, left, crowd, right)):
            desk.emit(audience, message(number))
        desk.end_turns()
        assert [numbers(listener) for listener in crowd] == [[0, 2, 3]] * 2 + [[0, 1, 2, 3, 4]] * 2 + [
            [1, 3, 4]
        ] * 2
        assert {len(listener.writes) for listener in crowd} == {1}

    def test_one_emission_is_written_as_it_is_without_a_copy(self) -> None:
        desk, crowd, hello = Desk(), tuple(Listener(credit=10_000) for _ in range(2)), message(1)
        desk.emit(crowd, hello)
        desk.end_turns()
        assert crowd[1].writes[0] is hello.frames

    def test_no_more_is_joined_than_may_be_copied(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000_000) for _ in range(2))
        for number in range(3):
            desk.emit(crowd, message(number, MAX_BYTES // 2))
        desk.end_turns()
        assert numbers(crowd[0]) == [0, 1, 2]
        assert max(map(len, crowd[0].writes)) <= MAX_BYTES + 100

    def test_a_wire_without_credit_hears_of_each_emission_and_its_flags(self) -> None:
        desk, fast, slow = Desk(), Listener(credit=10_000), Listener(credit=0)
        desk.emit((fast, slow), message(0))
        desk.emit((fast, slow), message(1), Flags(volatile=True))
        desk.end_turns()
        assert numbers(fast) == numbers(slow) == [0, 1]
        assert (len(fast.writes), len(slow.writes)) == (1, 0)
        assert fast.credit == 10_000 - len(fast.writes[0])

    def test_a_broken_stream_costs_nobody_else_his_message(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000 * (number % 2)) for number in range(6))
        crowd[2].is_broken = crowd[3].is_broken = True
        desk.emit(crowd, message(1))
        desk.end_turns()
        assert [numbers(listener) for listener in crowd] == [[1], [1], [], [], [1], [1]]
        assert [listener.is_aborted for listener in crowd] == [False, False, True, True, False, False]

    def test_who_has_gone_meanwhile_is_passed_over(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000 * (number % 2)) for number in range(3))
        desk.emit(crowd, message(1))
        crowd[0].connected = crowd[1].connected = False
        desk.end_turns()
        assert [numbers(listener) for listener in crowd] == [[], [], [1]]

    async def test_the_loop_ends_the_turn(self) -> None:
        crowd = (Listener(), Listener())
        delivery = Delivery(Turn(asyncio.get_running_loop))
        delivery.send(crowd, message(1), RELIABLE)  # type: ignore[arg-type]  # as much of a socket as is needed
        await asyncio.sleep(0)
        assert [numbers(listener) for listener in crowd] == [[1], [1]]


class TestSlices:
    def test_t25_a_large_broadcast_leaves_in_slices(self) -> None:
        desk, crowd = Desk(), tuple(Listener() for _ in range(SLICE * 2 + 1))
        desk.emit(crowd, message(1))
        reached = []
        while desk.delivery.batches:
            desk.turn.end()
            reached.append(sum(len(listener.heard) for listener in crowd))
        assert reached == [SLICE, SLICE * 2, SLICE * 2 + 1]

    def test_t25_nobody_waits_for_a_broadcast_to_others(self) -> None:
        desk, crowd, stranger = Desk(), tuple(Listener() for _ in range(SLICE * 2)), Listener()
        desk.emit(crowd, message(0))
        desk.turn.end()
        desk.emit((stranger,), message(1))
        desk.emit(crowd[:1], message(2))
        desk.emit(crowd[-1:], message(3))
        assert (numbers(stranger), numbers(crowd[0]), numbers(crowd[-1])) == ([1], [0, 2], [0, 3])
        desk.end_turns()
        assert numbers(crowd[-1]) == [0, 3]

    def test_what_is_said_while_a_large_one_leaves_is_gathered(self) -> None:
        desk, crowd = Desk(), tuple(Listener(credit=10_000) for _ in range(SLICE * 2))
        desk.emit(crowd, message(0))
        desk.turn.end()
        for number in range(1, 5):
            desk.emit(crowd, message(number))
        assert desk.end_turns() == 3
        assert all(numbers(listener) == [0, 1, 2, 3, 4] and len(listener.writes) == 2 for listener in crowd)


class TestBounds:
    def test_whoever_emits_faster_than_it_can_leave_is_slowed_down_and_nothing_is_lost(self) -> None:
        desk, pair = Desk(), (Listener(), Listener())
        for number in range(MAX_WAITING + 2_000):
            desk.emit(pair, message(number))
            assert desk.delivery._emissions <= MAX_WAITING
        desk.end_turns()
        assert numbers(pair[0]) == list(range(MAX_WAITING + 2_000))

    def test_and_so_is_who_emits_too_much(self) -> None:
        desk, pair, size = Desk(), (Listener(), Listener()), MAX_WAITING_BYTES // 3
        for number in range(8):
            desk.emit(pair, message(number, size))
            assert desk.delivery._bytes <= MAX_WAITING_BYTES
        desk.end_turns()
        assert numbers(pair[0]) == list(range(8))
        assert (desk.delivery._bytes, desk.delivery._emissions) == (0, 0)

    def test_the_members_of_several_audiences_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batch_module, "MAX_MEMBERS", 5)
        batch, crowd = Batch(), tuple(Listener() for _ in range(4))
        batch.add(crowd, message(0), RELIABLE)  # type: ignore[arg-type]
        assert batch.takes(crowd, message(1))  # type: ignore[arg-type]
        assert not batch.takes(crowd[:2], message(1))  # type: ignore[arg-type]


class TestDeflate:
    def test_each_wire_gets_the_bytes_it_has_agreed_to_and_they_are_made_once(self) -> None:
        desk, plain, small = (
            Desk(threshold=10),
            Listener(credit=10_000),
            [Listener(credit=10_000) for _ in range(2)],
        )
        for listener in small:
            listener.deflates = True
        desk.emit((plain, *small), outgoing := message(1, 500))
        desk.end_turns()
        assert plain.writes[0] is outgoing.frames
        assert small[0].writes[0] is small[1].writes[0] is outgoing.deflated(10)
        assert len(small[0].writes[0]) < 100

    def test_compress_false_leaves_it_as_it_is(self) -> None:
        desk, pair = Desk(threshold=10), (Listener(credit=10_000), Listener(credit=10_000))
        pair[1].deflates = True
        desk.emit(pair, outgoing := message(1, 500), Flags(compress=False))
        desk.end_turns()
        assert pair[0].writes == pair[1].writes == [outgoing.frames]


CROWD = 7
ROOMS = (tuple(range(CROWD)), (0, 1, 2), (2, 3, 4), (1, 5), (6, 0))
said = st.one_of(
    st.tuples(st.just("broadcast"), st.integers(0, len(ROOMS) - 1)),
    st.tuples(st.just("single"), st.integers(0, CROWD - 1)),
    st.tuples(st.just("end of turn"), st.just(0)),
    st.tuples(st.just("somebody joins"), st.integers(0, len(ROOMS) - 1)),
    st.tuples(st.just("a wire is short of credit"), st.integers(0, CROWD - 1)),
    st.tuples(st.just("leaves"), st.integers(0, CROWD - 1)),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(said, max_size=60), st.integers(1, 6))
def test_each_client_hears_a_namespace_in_the_order_in_which_it_spoke(
    story: list[tuple[str, int]], slice_: int
) -> None:
    """Against the simplest model there is: a list for each client, to which every emission is added at once."""
    desk = Desk()
    crowd = [Listener(credit=1_000_000 * (number % 3 > 0)) for number in range(CROWD)]
    rooms = [tuple(crowd[number] for number in room) for room in ROOMS]
    model: dict[Listener, list[int]] = {listener: [] for listener in crowd}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery_module, "SLICE", slice_)
        patch.setattr(batch_module, "MAX_AUDIENCES", 3)
        for number, (what, who) in enumerate(story):
            if what == "broadcast":
                for listener in rooms[who]:
                    model[listener].append(number)
                desk.emit(rooms[who], message(number))
            elif what == "single":
                model[crowd[who]].append(number)
                desk.emit((crowd[who],), message(number))
                assert not crowd[who].connected or numbers(crowd[who]) == model[crowd[who]]
            elif what == "somebody joins":
                rooms[who] = tuple(member for member in rooms[who])
            elif what == "a wire is short of credit":
                crowd[who].credit = 5
            elif what == "leaves":
                desk.delivery.catch_up(crowd[who])  # type: ignore[arg-type]
                assert not crowd[who].connected or numbers(crowd[who]) == model[crowd[who]]
                crowd[who].connected = False
            else:
                desk.turn.end()
        desk.end_turns()
    for listener in crowd:
        heard = numbers(listener)
        assert heard == model[listener][: len(heard)]
        assert not listener.connected or heard == model[listener]
