"""The life of a session: upgrade, heartbeat, end. Time is a number the test chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.packet import Packet, PacketType
from steinmetz.realtime.engineio.session import MAX_LATENESS_S, Heartbeat, Session, State, Step

BEAT = Heartbeat(interval_s=25, timeout_s=20, upgrade_timeout_s=10)
PROBE = Packet(PacketType.PING, "probe")
UPGRADE = Packet(PacketType.UPGRADE)


def session(*, over_websocket: bool = False) -> Session:
    return Session("s-1", BEAT, over_websocket=over_websocket, now_s=100.0)


class TestPacketsOfTheClient:
    @pytest.mark.parametrize(
        ("kind", "step"),
        [
            (PacketType.MESSAGE, Step.DELIVER),
            (PacketType.CLOSE, Step.CLOSE),
            (PacketType.NOOP, Step.NOTHING),
            (PacketType.PONG, Step.NOTHING),
            (PacketType.PING, Step.FAIL),
            (PacketType.OPEN, Step.FAIL),
            (PacketType.UPGRADE, Step.FAIL),
        ],
    )
    def test_each_type_has_its_meaning(self, kind: PacketType, step: Step) -> None:
        assert session().receive(kind, 100.0) is step

    def test_a_closed_session_takes_nothing(self) -> None:
        closed = session()
        closed.close()
        assert closed.receive(PacketType.MESSAGE, 100.0) is Step.NOTHING
        assert closed.tick(1_000.0) is Step.NOTHING
        assert closed.is_closed


class TestChallenge:
    """Somebody says that the peer has gone elsewhere."""

    def test_one_that_answers_stays(self) -> None:
        alive = session()
        assert alive.challenge(1.0, 110.0) is Step.SEND_PING
        assert alive.deadline_s == 111.0
        alive.receive(PacketType.PONG, 110.5)
        assert alive.deadline_s == 135.5
        assert alive.tick(112.0) is Step.NOTHING

    def test_one_that_does_not_has_timed_out(self) -> None:
        gone = session()
        gone.challenge(1.0, 110.0)
        assert gone.tick(110.9) is Step.NOTHING
        assert gone.tick(111.0) is Step.TIME_OUT

    def test_a_ping_that_is_on_its_way_is_not_sent_again(self) -> None:
        waiting = session()
        assert waiting.tick(125.0) is Step.SEND_PING
        assert waiting.challenge(1.0, 126.0) is Step.NOTHING
        assert waiting.deadline_s == 127.0
        assert waiting.challenge(5.0, 126.5) is Step.NOTHING
        assert waiting.deadline_s == 127.0

    def test_a_closed_one_is_not_asked(self) -> None:
        closed = session()
        closed.close()
        assert closed.challenge(1.0, 110.0) is Step.NOTHING


class TestHeartbeat:
    def test_a_ping_is_due_after_the_interval(self) -> None:
        alive = session()
        assert alive.deadline_s == 125.0
        assert alive.tick(124.9) is Step.NOTHING
        assert alive.tick(125.0) is Step.SEND_PING
        assert alive.tick(125.0) is Step.NOTHING
        assert alive.deadline_s == 145.0

    def test_the_pong_starts_the_next_interval(self) -> None:
        alive = session()
        alive.tick(125.0)
        alive.receive(PacketType.PONG, 126.0)
        assert alive.deadline_s == 151.0

    def test_without_a_pong_the_session_times_out(self) -> None:
        dead = session()
        dead.tick(125.0)
        assert dead.tick(144.9) is Step.NOTHING
        assert dead.tick(145.0) is Step.TIME_OUT

    def test_a_pong_that_nobody_asked_for_prolongs_nothing(self) -> None:
        """CVE-2026-48802: each PONG started another heartbeat."""
        alive = session()
        alive.receive(PacketType.PONG, 124.0)
        assert alive.deadline_s == 125.0

    def test_a_little_lateness_is_taken_from_the_clients_time_and_a_stalled_loop_is_not(self) -> None:
        punctual, stalled = session(), session()
        punctual.tick(125.0 + MAX_LATENESS_S / 2)
        stalled.tick(160.0)
        assert punctual.deadline_s == 145.0
        assert stalled.deadline_s == 180.0


class TestUpgrade:
    def test_from_polling_to_websocket(self) -> None:
        polling = session()
        assert polling.open_probe(101.0)
        assert polling.receive_probe(PROBE) is Step.ANSWER_PROBE
        assert polling.state is State.PROBED
        assert polling.receive_probe(UPGRADE) is Step.SWITCH
        assert polling.state is State.WEBSOCKET
        assert polling.deadline_s == 125.0

    def test_only_one_websocket_may_probe(self) -> None:
        polling = session()
        assert polling.open_probe(101.0)
        assert not polling.open_probe(101.0)

    def test_an_upgraded_session_is_not_upgraded_again(self) -> None:
        assert not session(over_websocket=True).open_probe(101.0)

    @pytest.mark.parametrize(
        "packet",
        [UPGRADE, Packet(PacketType.PING, ""), Packet(PacketType.PING, "x"), Packet(PacketType.MESSAGE, "2[]")],
    )
    def test_anything_but_the_probe_drops_it_and_polling_goes_on(self, packet: Packet) -> None:
        polling = session()
        polling.open_probe(101.0)
        assert polling.receive_probe(packet) is Step.DROP_PROBE
        assert polling.state is State.POLLING
        assert polling.open_probe(102.0)

    def test_a_probe_that_dawdles_is_dropped(self) -> None:
        polling = session()
        polling.open_probe(101.0)
        assert polling.deadline_s == 111.0
        assert polling.tick(111.0) is Step.DROP_PROBE
        assert polling.state is State.POLLING
        assert polling.deadline_s == 125.0

    def test_a_probe_that_is_lost_leaves_polling(self) -> None:
        polling = session()
        polling.open_probe(101.0)
        polling.receive_probe(PROBE)
        polling.lose_probe()
        assert polling.state is State.POLLING


@given(
    st.lists(
        st.one_of(
            st.sampled_from(PacketType),
            st.tuples(st.just("probe"), st.sampled_from(PacketType), st.sampled_from(["", "probe"])),
            st.floats(0.01, 50),
            st.just("open probe"),
        )
    )
)
def test_no_order_of_packets_and_time_confuses_it(steps: list[object]) -> None:
    """It is always in one of its states, and a client that never answers a ping is gone after both times."""
    life, now_s, silent_since_s = session(), 100.0, 100.0
    for step in steps:
        match step:
            case PacketType():
                life.receive(step, now_s)
                if step is PacketType.PONG:
                    silent_since_s = now_s
            case ("probe", kind, data):
                life.receive_probe(Packet(kind, data))
            case float():
                now_s += step
                while (due := life.tick(now_s)) is not Step.NOTHING:
                    if due is Step.TIME_OUT:
                        assert now_s - silent_since_s >= BEAT.timeout_s
                        return
            case _:
                life.open_probe(now_s)
        assert life.state in State
        assert life.deadline_s > now_s
