"""A cluster on a bus that loses, doubles and turns around: nothing is lost or doubled, or else it is said."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.adapters import polls
from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.inquiries import IncompleteError
from steinmetz.realtime.adapters.messages import pack
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.peers import DOWN_S, HEARTBEAT_S
from steinmetz.realtime.adapters.polls import LIFE_S
from steinmetz.realtime.adapters.seal import Kind, Message, Seal
from steinmetz.realtime.errors import AckError
from steinmetz.realtime.socketio.gathering import Gathering
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode
from tests.contract.realtime_world import SECRET, World, cluster, said, to

pytestmark = pytest.mark.anyio


class Faults:
    """Loses or doubles the next messages that carry a text."""

    def __init__(self) -> None:
        self.times: dict[bytes, int] = {}

    def __call__(self, _channel: str, message: bytes) -> int:
        for text in self.times:
            if b'"' + text + b'"' in message:
                return self.times.pop(text)
        return 1


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def exchange(faults: Faults) -> MemoryExchange:
    return MemoryExchange(faults)


def beat(world: World, seconds: float = HEARTBEAT_S) -> None:
    """Let time pass, and heartbeats with it."""
    assert world.clock is not None
    assert world.exchange is not None
    passed = 0.0
    while passed < seconds:
        step = min(1.0, seconds - passed)
        world.clock.advance(step)
        passed += step
        for node in world.nodes:
            node.tick()
        world.exchange.run()


def bus_of(node: Node) -> MemoryBus:
    assert isinstance(node._bus, MemoryBus)
    return node._bus


def ignored(node: Node) -> dict[str, int]:
    """Without what nodes say before they know each other."""
    return {reason: times for reason, times in node.traffic.ignored.items() if times and reason != "stranger"}


def heard(world: World, sid: str) -> list[str]:
    return [text for place in world.places for who, text in place.heard if who == sid]


async def test_what_was_lost_is_missed_at_the_next_word_in_the_channel(
    exchange: MemoryExchange, faults: Faults
) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        faults.times[b"two"] = 0
        for text in ("one", "two", "three", "four"):
            world.places[0].adapter.broadcast(to("finance"), said(text), RELIABLE)
        exchange.run()
        assert heard(world, anna) == ["one", "two", "three", "four"]
        assert world.nodes[1].traffic.gaps == 1
        assert world.places[1].losses == 0


@pytest.mark.parametrize("first", ["a word before", ""])
async def test_the_last_word_is_missed_at_the_next_heartbeat(
    exchange: MemoryExchange, faults: Faults, first: str
) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        beat(world)
        if first:
            world.places[0].adapter.broadcast(to("finance"), said(first), RELIABLE)
        faults.times[b"last"] = 0
        world.places[0].adapter.broadcast(to("finance"), said("last"), RELIABLE)
        exchange.run()
        assert "last" not in heard(world, anna)
        beat(world)
        assert heard(world, anna) == [*filter(None, (first,)), "last"]


async def test_what_comes_twice_is_heard_once(exchange: MemoryExchange, faults: Faults) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance", "hr")
        faults.times = {b"one": 2, b"both": 3}
        world.places[0].adapter.broadcast(to("finance"), said("one"), RELIABLE)
        world.places[0].adapter.broadcast(to("finance", "hr"), said("both"), RELIABLE)
        exchange.run()
        assert heard(world, anna) == ["one", "both"]


async def test_one_of_two_ways_is_enough(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        anna, ben = world.add("anna", 1, "finance"), world.add("ben", 1, "hr")
        world.places[0].adapter.broadcast(to("finance", "hr"), said("before"), RELIABLE)
        exchange.run()
        lost = iter((0, 1))
        exchange.fault = lambda _channel, message: next(lost) if b"both" in message else 1
        world.places[0].adapter.broadcast(to("finance", "hr"), said("both"), RELIABLE)
        exchange.run()
        exchange.fault = lambda _channel, _message: 1
        beat(world)
        assert heard(world, anna) == heard(world, ben) == ["before", "both"]


async def test_a_message_that_was_overtaken_is_heard_in_its_place(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        world.places[0].adapter.broadcast(to("finance"), said("zero"), RELIABLE)
        exchange.run()
        for text in ("one", "two"):
            world.places[0].adapter.broadcast(to("finance"), said(text), RELIABLE)
        exchange.step(at=1)
        exchange.run()
        assert heard(world, anna) == ["zero", "one", "two"]


@pytest.mark.parametrize("who", [0, 1])
async def test_t29_five_seconds_without_the_bus_lose_and_double_nothing(
    exchange: MemoryExchange, who: int
) -> None:
    async with cluster(3, exchange=exchange) as world:
        members = [world.add(f"m{at}", at, "finance") for at in range(3)]
        expected: list[list[str]] = [[], [], []]

        def say(text: str) -> None:
            for at, place in enumerate(world.places):
                place.adapter.broadcast(to("finance"), said(f"{text} {at}"), RELIABLE)
                expected[at].append(f"{text} {at}")

        say("before")
        exchange.run()
        bus_of(world.nodes[who]).cut()
        for second in range(5):
            say(f"second {second}")
            beat(world, 1)
        assert heard(world, members[who])[-1] == f"second 4 {who}", "its own clients hear it at once"
        bus_of(world.nodes[who]).connect()
        say("after")
        exchange.run()
        beat(world, 1)
        for sid in members:
            by_origin = [[text for text in heard(world, sid) if text.endswith(str(at))] for at in range(3)]
            assert by_origin == expected
        assert [place.losses for place in world.places] == [0, 0, 0]


async def test_a_volatile_event_of_an_outage_is_not_told_later(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        bus_of(world.nodes[1]).cut()
        world.places[0].adapter.broadcast(to("finance"), said("typing"), Flags(volatile=True))
        world.places[0].adapter.broadcast(to("finance"), said("message"), RELIABLE)
        bus_of(world.nodes[1]).connect()
        exchange.run()
        assert heard(world, anna) == ["message"]


async def test_what_the_journal_does_not_hold_any_more_is_a_loss_and_said(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange, journal_bytes=20_000) as world:
        world.add("anna", 1, "finance")
        bus_of(world.nodes[1]).cut()
        for number in range(100):
            world.places[0].adapter.broadcast(to("finance"), said(f"{number} " + "x" * 200), RELIABLE)
        assert world.nodes[0]._journal.size <= 20_000
        bus_of(world.nodes[1]).connect()
        exchange.run()
        assert world.places[1].losses == 1
        assert world.places[0].losses == 0
        assert world.nodes[1].traffic.losses == world.nodes[0].traffic.unsayable == 1


async def test_a_long_answer_comes_in_parts(exchange: MemoryExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steinmetz.realtime.adapters.node.REPLAY_BYTES", 1_000)
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        bus_of(world.nodes[1]).cut()
        texts = [f"{number}" for number in range(100)]
        for text in texts:
            world.places[0].adapter.broadcast(to("finance"), said(text), RELIABLE)
        bus_of(world.nodes[1]).connect()
        world.places[0].adapter.broadcast(to("finance"), said("meanwhile"), RELIABLE)
        exchange.run()
        assert heard(world, anna) == [*texts, "meanwhile"]


async def test_what_fails_here_keeps_nothing_else_from_being_heard(
    exchange: MemoryExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        deliver = world.places[1].deliver

        def fails_once(*args: Any) -> None:
            monkeypatch.undo()
            raise RuntimeError("the application's")

        monkeypatch.setattr(world.places[1], "deliver", fails_once)
        bus_of(world.nodes[1]).cut()
        for text in ("one", "two", "three"):
            world.places[0].adapter.broadcast(to("finance"), said(text), RELIABLE)
        bus_of(world.nodes[1]).connect()
        exchange.run()
        assert world.places[1].deliver == deliver
        assert heard(world, anna) == ["two", "three"]
        assert world.nodes[1].traffic.failed == 1


async def test_an_answer_that_ends_our_interest_in_its_rest_is_taken(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        anna = world.add("anna", 1, "finance")
        bus_of(world.nodes[1]).cut()
        world.places[0].adapter.disconnect_all(to("finance"), close=False)
        world.places[0].adapter.broadcast(to("finance"), said("to nobody"), RELIABLE)
        bus_of(world.nodes[1]).connect()
        exchange.run()
        assert world.places[1].dropped == [(anna, False)]
        assert heard(world, anna) == []
        assert world.nodes[1].traffic.failed == 0


async def test_a_node_that_falls_silent_is_gone_after_ten_seconds(exchange: MemoryExchange) -> None:
    async with cluster(3, exchange=exchange) as world:
        bus_of(world.nodes[2]).cut()
        world.nodes[2].is_reachable = False
        beat(world, DOWN_S)
        assert len(world.nodes[0].peers.up()) == 2
        beat(world, 2)
        assert [peer.origin for peer in world.nodes[0].peers.up()] == [world.nodes[1].origin]
        bus_of(world.nodes[2]).connect()
        exchange.run()
        assert len(world.nodes[0].peers.up()) == 2


async def test_a_node_that_leaves_in_order_is_gone_at_once(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        await world.nodes[1].aclose()
        exchange.run()
        assert world.nodes[0].peers.up() == []
        assert world.places[0].losses == 0


async def test_an_outage_of_the_bus_is_nobodys_death(exchange: MemoryExchange) -> None:
    async with cluster(exchange=exchange) as world:
        for node in world.nodes:
            bus_of(node).cut()
        beat(world, 60)
        for node in world.nodes:
            assert len(node.peers.up()) == 1
            assert node.health().startswith("warning")
            bus_of(node).connect()
        exchange.run()
        assert [node.health() for node in world.nodes] == ["ok", "ok"]


class Gathered:
    """The answers to a broadcast, as a server gathers them."""

    def __init__(self, ack_id: int) -> None:
        self.ack_id = ack_id
        self.nodes: set[str] = set()
        self.expected: set[str] = set()
        self.answers: list[Any] = []
        self.lost: dict[str, str] = {}

    @property
    def is_settled(self) -> bool:
        return not self.nodes and not self.expected

    def is_waiting_for(self, sid: str) -> bool:
        return sid in self.expected

    def await_nodes(self, nodes: Any) -> None:
        self.nodes |= set(nodes)

    def expect(self, sids: Any, node: str | None = None) -> None:
        self.expected |= set(sids)
        self.nodes.discard(node or "")

    def answer(self, sid: str, answers: list[Any]) -> bool:
        self.expected.remove(sid)
        self.answers += answers
        return True

    def lose(self, sid: str, reason: str) -> None:
        if sid in self.expected:
            self.expected.remove(sid)
            self.lost[sid] = reason

    def lose_node(self, node: str) -> None:
        if node in self.nodes:
            self.nodes.remove(node)
            self.lost[node] = "node"

    def check(self) -> None:
        pass


class TestAcknowledgements:
    async def asked(self, world: World) -> tuple[Gathered, str, str, str]:
        anna, carl, dora = (world.add(name, at, "finance") for at, name in enumerate(("anna", "carl", "dora")))
        gathered = Gathered(7)
        outgoing = encode(Packet(PacketType.EVENT, "/", ["ready?"], 7))
        world.places[0].adapter.broadcast_with_ack(to("finance"), outgoing, RELIABLE, gathered)  # type: ignore[attr-defined]
        await world.until(lambda: not gathered.nodes)
        assert gathered.expected == {anna, carl, dora}
        assert [heard(world, sid) for sid in (anna, carl, dora)] == [["ready?"]] * 3
        return gathered, anna, carl, dora

    async def test_come_from_all_nodes(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            gathered, anna, carl, dora = await self.asked(world)
            for place, sid in zip(world.places, (anna, carl, dora), strict=True):
                place.asking[7].answer(sid, [sid[-4:]])
            await world.until(lambda: gathered.is_settled)
            assert sorted(gathered.answers) == ["anna", "carl", "dora"]
            beat(world)
            assert [len(place.adapter.polls) for place in world.places] == [0, 0, 0]  # type: ignore[attr-defined]
            assert world.places[1].asking == {}

    async def test_who_goes_away_is_not_waited_for(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            gathered, anna, carl, dora = await self.asked(world)
            world.places[1].asking[7].lose(carl, "transport close")
            world.places[0].asking[7].answer(anna, [1])
            bus_of(world.nodes[2]).cut()
            beat(world, DOWN_S + 1)
            await world.until(lambda: gathered.is_settled)
            assert gathered.lost == {carl: "transport close", dora: "server down"}

    async def test_a_node_that_does_not_say_whom_it_asks_is_known(self, exchange: MemoryExchange) -> None:
        async with cluster(exchange=exchange) as world:
            bus_of(world.nodes[1]).cut()
            gathered = Gathered(8)
            outgoing = encode(Packet(PacketType.EVENT, "/", ["ready?"], 8))
            world.places[0].adapter.broadcast_with_ack(EVERYBODY, outgoing, RELIABLE, gathered)  # type: ignore[attr-defined]
            assert gathered.nodes == {world.nodes[1].origin.hex()}
            beat(world, DOWN_S + 1)
            assert gathered.lost == {world.nodes[1].origin.hex(): "node"}

    async def test_bytes_do_not_travel_and_it_is_said(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            gathered, _, carl, _ = await self.asked(world)
            world.places[1].asking[7].answer(carl, [b"bytes"])
            await world.until(lambda: bool(gathered.lost))
            assert gathered.lost == {carl: "binary acknowledgement"}

    async def test_what_nobody_answers_is_forgotten(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            await self.asked(world)
            beat(world, LIFE_S + HEARTBEAT_S + 1)
            assert [len(place.adapter.polls) for place in world.places] == [0, 0, 0]  # type: ignore[attr-defined]


class TestQuestions:
    async def test_servers_are_told_and_answer(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            answers = await answered(world, world.places[0].adapter.server_side_emit_with_ack("hi", [1], 5.0))  # type: ignore[attr-defined]
            assert answers == ["heard hi", "heard hi"]
            assert [place.server_side for place in world.places] == [[], [("hi", [1])], [("hi", [1])]]
            world.places[2].adapter.server_side_emit("bye", [])  # type: ignore[attr-defined]
            await world.until(lambda: len(world.places[0].server_side) == 1)

    async def test_who_goes_down_meanwhile_is_missing_and_not_waited_for(self, exchange: MemoryExchange) -> None:
        async with cluster(3, exchange=exchange) as world:
            bus_of(world.nodes[2]).cut()
            import asyncio

            task = asyncio.ensure_future(
                world.places[0].adapter.server_side_emit_with_ack("hi", [], 60.0)  # type: ignore[attr-defined]
            )
            await asyncio.sleep(0)
            beat(world, DOWN_S + 1)
            await world.until(task.done)
            with pytest.raises(IncompleteError) as caught:
                task.result()
            assert caught.value.answers == ["heard hi"]
            assert caught.value.missing == {world.nodes[2].origin.hex()}

    @pytest.mark.parametrize("told", [7, [7], [["sid"]], {"sockets": []}])
    async def test_a_node_of_another_release_that_is_not_understood_is_missing(
        self, exchange: MemoryExchange, monkeypatch: pytest.MonkeyPatch, told: Any
    ) -> None:
        async with cluster(exchange=exchange) as world:
            anna, other = world.add("anna", 0), world.nodes[1]
            world.add("carl", 1)
            answer = other.answer
            monkeypatch.setattr(other, "answer", lambda origin, request, _: answer(origin, request, told))
            with pytest.raises(IncompleteError) as caught:
                await answered(world, world.places[0].adapter.fetch(EVERYBODY))
            assert (caught.value.answers, caught.value.missing) == ([anna], {other.origin.hex()})

    async def test_a_silent_node_is_missing_when_the_time_is_over(self, exchange: MemoryExchange) -> None:
        async with cluster(exchange=exchange) as world:
            world.add("anna", 1, "finance")
            bus_of(world.nodes[1]).cut()
            with pytest.raises(IncompleteError):
                await answered(world, world.places[0].adapter.server_side_emit_with_ack("hi", [], 0.01))  # type: ignore[attr-defined]
            assert len(world.nodes[0].requests) == 0


async def test_who_finds_too_many_open_questions_is_told_and_nobody_is_asked_in_part(
    exchange: MemoryExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "MAX_OPEN", 2)
    questions = [encode(Packet(PacketType.EVENT, "/", ["ready?"], number)) for number in range(4)]
    async with cluster(exchange=exchange) as world:
        world.add("anna", 0)
        carl = world.add("carl", 1)
        place = world.places[0]
        gatherings = [Gathering(number, lambda: None) for number in range(4)]
        for number in range(2):
            place.adapter.broadcast_with_ack(EVERYBODY, questions[number], RELIABLE, gatherings[number])
        with pytest.raises(AckError, match="2 broadcasts"):
            place.adapter.broadcast_with_ack(EVERYBODY, questions[2], RELIABLE, gatherings[2])
        assert heard(world, world.sid("anna", 0)) == ["ready?"] * 2
        await world.until(lambda: len(world.places[1].asking) == 2)
        for number in range(2):
            world.places[1].asking[number].answer(carl, [])
        await world.until(lambda: not any(carl in each.missing or each.silent_nodes for each in gatherings[:2]))
        for number in range(2):
            gatherings[number].answer(world.sid("anna", 0), [])
            assert gatherings[number].is_settled
        place.adapter.broadcast_with_ack(EVERYBODY, questions[3], RELIABLE, gatherings[3])
        await world.settle()
        assert heard(world, carl).count("ready?") == 3, "what is settled is no burden"


async def test_questions_that_nobody_waits_for_any_more_are_no_burden(
    exchange: MemoryExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent clients make every question run out of time; the next ones are asked all the same."""
    monkeypatch.setattr(polls, "MAX_OPEN", 2)
    async with cluster(exchange=exchange) as world:
        world.add("anna", 0)
        carl = world.add("carl", 1)
        for number in range(6):
            gathering = Gathering(number, lambda: None)
            question = encode(Packet(PacketType.EVENT, "/", ["ready?"], number))
            world.places[0].adapter.broadcast_with_ack(EVERYBODY, question, RELIABLE, gathering)
            await world.until(lambda gathering=gathering: carl in gathering.missing)  # type: ignore[misc]
            gathering.give_up()
        assert heard(world, carl) == ["ready?"] * 6
        assert set(world.places[1].asking) == {4, 5}


async def answered(world: World, coroutine: Any) -> Any:
    import asyncio

    task = asyncio.ensure_future(coroutine)
    await world.until(task.done)
    return task.result()


_ASKING = (Kind.SERVER_SIDE, Kind.FETCH, Kind.RELEASE, Kind.QUESTION, Kind.ANSWERS)
"""A well-formed question to a namespace that is not here does nothing."""


class TestStrangers:
    """CVE-2025-61765: whoever reached Redis could have any python-socketio server run his code."""

    @pytest.mark.parametrize(
        ("message", "reason"),
        [
            (b"", "shape"),
            (b"garbage", "shape"),
            (pickle.dumps({"method": "emit", "event": "x"}), "signature"),
            (b'{"method": "emit", "event": "x", "namespace": "/", "host_id": "y"}' + bytes(40), "signature"),
            (bytes(16) + b"\x01\x01" + bytes(24), "signature"),
            (bytes(9_000_000), "shape"),
        ],
    )
    async def test_garbage_is_counted_and_does_nothing(
        self, exchange: MemoryExchange, message: bytes, reason: str
    ) -> None:
        async with cluster(exchange=exchange) as world:
            node = world.nodes[0]
            node.receive(node.control, message)
            assert ignored(node) == {reason: 1}

    @pytest.mark.parametrize("spoil", [0, 5, 16, 17, 18, 30, 45, -1])
    async def test_a_changed_byte_breaks_the_signature(self, exchange: MemoryExchange, spoil: int) -> None:
        sent: list[tuple[str, bytes]] = []
        async with cluster(exchange=exchange) as world:
            anna = world.add("anna", 1, "finance")
            exchange.fault = lambda channel, message: sent.append((channel, message)) or 0  # type: ignore[func-returns-value]
            world.places[0].adapter.broadcast(to("finance"), said("hello"), RELIABLE)
            [(channel, message)] = sent
            spoilt = bytearray(message)
            spoilt[spoil] ^= 1
            world.nodes[1].receive(channel, bytes(spoilt))
            assert ignored(world.nodes[1]) == {"signature": 1}
            world.nodes[1].receive(channel + "x", message)
            world.nodes[1].receive(world.nodes[1].control, message)
            assert heard(world, anna) == []
            assert ignored(world.nodes[1]) == {"signature": 2}, "not moved to another channel either"
            world.nodes[1].receive(channel, message)
            assert heard(world, anna) == ["hello"]

    async def test_a_neighbour_with_another_secret_is_told_to_the_operator_once_a_minute(
        self, exchange: MemoryExchange
    ) -> None:
        async with cluster(exchange=exchange) as world:
            node = world.nodes[0]
            alien = Seal("another secret of other servers")
            word = alien.close(node.control, Message(Kind.HEARTBEAT, b"12345678", 1, 0, b"{}"))
            with structlog.testing.capture_logs() as logs:
                for _ in range(3):
                    node.receive(node.control, word)
                assert world.clock is not None
                world.clock.advance(61)
                node.receive(node.control, word)
            assert [(line["reason"], line["ignored"]) for line in logs] == [("signature", 1), ("signature", 4)]
            assert "same secret" in logs[0]["remedy"]

    async def test_another_secret_is_no_member(self, exchange: MemoryExchange) -> None:
        async with cluster(exchange=exchange) as world:
            prefix = world.nodes[0].control.partition(":")[0].strip("{")
            stranger = Node(MemoryBus(exchange), "quite another secret", prefix=prefix, clock=world.clock)
            stranger.begin()
            exchange.run()
            assert len(world.nodes[0].peers.up()) == 1
            assert world.nodes[0].traffic.ignored["signature"] >= 1
            await stranger.aclose()

    async def test_what_a_dead_node_said_does_nothing_when_it_is_repeated(self, exchange: MemoryExchange) -> None:
        recorded: list[tuple[str, bytes]] = []
        async with cluster(exchange=exchange) as world:
            anna = world.add("anna", 1, "finance")
            exchange.fault = lambda channel, message: recorded.append((channel, message)) or 1  # type: ignore[func-returns-value]
            world.places[0].adapter.broadcast(to("finance"), said("pay"), RELIABLE)
            world.places[0].adapter.disconnect_all(to("nobody"), close=True)
            beat(world)
            assert heard(world, anna) == ["pay"]
            await world.nodes[0].aclose()
            exchange.run()
            again = list(recorded)
            for channel, message in again:
                world.nodes[1].receive(channel, message)
            beat(world, DOWN_S + 1)
            assert heard(world, anna) == ["pay"]
            assert world.nodes[1].traffic.ignored["stranger"] > 0
            assert world.nodes[1].peers.up() == []

    async def test_a_node_that_never_was_here_is_asked_before_it_is_believed(
        self, exchange: MemoryExchange
    ) -> None:
        async with cluster(exchange=exchange) as world:
            anna = world.add("anna", 1, "finance")
            channel = world.nodes[1].channel_of_room("/", "finance")
            recorded = Seal(SECRET).close(channel, Message(Kind.BROADCAST, b"long ago", 5, 4, b"?"))
            world.nodes[1].receive(channel, recorded)
            assert heard(world, anna) == []
            beat(world, DOWN_S + 1)
            assert world.nodes[1].peers.get(b"long ago") is None

    def test_a_secret_is_long_enough(self) -> None:
        with pytest.raises(ValueError, match="at least 16 bytes"):
            Seal("short")

    @pytest.mark.parametrize(
        "kind", [kind for kind in Kind if kind not in (Kind.GOODBYE, Kind.RESPONSE, Kind.PRESENCE)]
    )
    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"[]", b"\x00\x00\x00\x02[]", b"\xff\xff\xff\xff", pack({"namespace": "/", "request": 5})],
    )
    async def test_a_signed_message_of_the_wrong_shape_is_counted(
        self, exchange: MemoryExchange, kind: Kind, body: bytes
    ) -> None:
        async with cluster(exchange=exchange) as world:
            node, other = world.nodes
            message = Message(kind, other.origin, 50, 0, body)
            node.receive(node.control, Seal(SECRET).close(node.control, message))
            assert ignored(node) == {"shape": 1} or (kind in _ASKING and not ignored(node))


Words = dict[tuple[int, tuple[str, ...]], list[str]]
"""By who said them and to which rooms: those have an order."""


class Chaos:
    """Random words over a bus that misbehaves; in the end everybody has heard all that was for him, once."""

    def __init__(self, world: World, exchange: MemoryExchange, draw: Callable[[int], int]) -> None:
        self.world = world
        self.exchange = exchange
        self.draw = draw
        self.rooms = ("finance", "hr", "all hands")
        self.members = [world.add(f"m{at}", at, self.rooms[at % 2], "all hands") for at in range(3)]
        self.expected: dict[str, Words] = {sid: {} for sid in self.members}
        self.said: dict[str, tuple[int, tuple[str, ...]]] = {}

    def fault(self, _channel: str, _message: bytes) -> int:
        return (1, 1, 1, 0, 2)[self.draw(5)]

    def act(self) -> None:
        what, at = self.draw(10), self.draw(3)
        node = self.world.nodes[at]
        if what < 6:
            self.say(at)
        elif what == 6:
            bus_of(node).cut() if bus_of(node).is_connected else bus_of(node).connect()
        elif what == 7 and len(self.exchange.waiting) > 1:
            self.exchange.step(at=1)
        elif what == 8:
            beat(self.world, 1)
        else:
            for _ in range(min(self.draw(8), len(self.exchange.waiting))):
                self.exchange.step()

    def say(self, at: int) -> None:
        text = f"{len(self.said)}"
        rooms = [(self.rooms[0],), (self.rooms[1],), ("all hands",), (), (self.members[self.draw(3)],)][
            self.draw(5)
        ]
        self.world.places[at].adapter.broadcast(to(*rooms) if rooms else EVERYBODY, said(text), RELIABLE)
        self.said[text] = at, rooms
        for where, sid in enumerate(self.members):
            if not rooms or rooms[0] in (sid, "all hands", self.rooms[where % 2]):
                self.expected[sid].setdefault((at, rooms), []).append(text)

    def heal(self) -> None:
        self.exchange.fault = lambda _channel, _message: 1
        for node in self.world.nodes:
            bus_of(node).connect()
        self.exchange.run()
        for _ in range(3):
            beat(self.world)

    def judge(self) -> None:
        for sid in self.members:
            words: Words = {}
            for text in heard(self.world, sid):
                words.setdefault(self.said[text], []).append(text)
            assert words == self.expected[sid], sid


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.randoms(use_true_random=False))
async def test_whatever_the_bus_does_each_word_is_heard_once_and_in_order(seed: Any) -> None:
    exchange = MemoryExchange()
    async with cluster(3, exchange=exchange) as world:
        chaos = Chaos(world, exchange, seed.randrange)
        for at in range(3):
            chaos.say(at)  # a channel's first word cannot be missed: one joins a room a little later than others
        for place in world.places:
            for room in chaos.rooms:
                place.adapter.broadcast(to(room), said("first"), RELIABLE)
        exchange.run()
        beat(world)
        beat(world)
        for place in world.places:
            place.heard = [each for each in place.heard if each[1] != "first"]
        exchange.fault = chaos.fault
        for _ in range(60):
            chaos.act()
        chaos.heal()
        if sum(place.losses for place in world.places) == 0:
            chaos.judge()
