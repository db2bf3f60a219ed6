"""The namespaces of one client."""

from __future__ import annotations

import pytest

from steinmetz.realtime.errors import SocketIOError
from steinmetz.realtime.socketio.connection import MAX_NAMESPACES, Connection, State, Step
from steinmetz.realtime.socketio.packet import Packet, PacketType


def connection() -> Connection:
    return Connection(max_size=1_000, timeout_s=45, now_s=100.0)


def connected(*namespaces: str) -> Connection:
    client = connection()
    for namespace in namespaces or ("/",):
        client.receive(f"0{namespace},", 100.0)
        client.accept(namespace)
    return client


class TestConnecting:
    def test_connect_asks_the_middlewares(self) -> None:
        client = connection()
        assert client.receive('0{"token":"x"}', 100.0) == (
            Step.CONNECT,
            Packet(PacketType.CONNECT, "/", {"token": "x"}),
        )
        assert client.state("/") is State.CONNECTING

    @pytest.mark.parametrize("message", ['2["foo"]', "30[]"])
    def test_nothing_else_may_come_while_they_think(self, message: str) -> None:
        client = connection()
        client.receive("0", 100.0)
        with pytest.raises(SocketIOError, match="CONNECTING"):
            client.receive(message, 100.0)

    def test_connecting_twice_is_connecting_once(self) -> None:
        client = connection()
        client.receive("0", 100.0)
        for _ in range(2):
            received = client.receive("0", 100.0)
            assert received is not None
            assert received[0] is Step.IGNORE
            client.accept("/")

    def test_a_refused_client_may_ask_again(self) -> None:
        client = connection()
        client.receive("0", 100.0)
        client.refuse("/", 100.0)
        assert client.receive("0", 100.0) is not None

    def test_a_client_may_change_its_mind(self) -> None:
        client = connection()
        client.receive("0", 100.0)
        received = client.receive("1", 100.0)
        assert received is not None
        assert received[0] is Step.DISCONNECT
        assert client.state("/") is State.ABSENT

    def test_a_client_has_a_bounded_number_of_namespaces(self) -> None:
        client = connection()
        for number in range(MAX_NAMESPACES):
            client.receive(f"0/{number},", 100.0)
        with pytest.raises(SocketIOError, match="at most"):
            client.receive("0/one-more,", 100.0)


class TestConnected:
    @pytest.mark.parametrize(
        ("message", "step"), [('2["foo"]', Step.EVENT), ("37[]", Step.ACK), ("1", Step.DISCONNECT)]
    )
    def test_each_packet_has_its_meaning(self, message: str, step: Step) -> None:
        received = connected().receive(message, 100.0)
        assert received is not None
        assert received[0] is step

    def test_what_only_a_server_says(self) -> None:
        with pytest.raises(SocketIOError, match="CONNECTED"):
            connected().receive('4{"message":"x"}', 100.0)

    @pytest.mark.parametrize("message", ['2/other,["foo"]', "3/other,1[]", "1/other,"])
    def test_a_namespace_that_was_never_entered(self, message: str) -> None:
        with pytest.raises(SocketIOError, match="ABSENT"):
            connected().receive(message, 100.0)

    def test_what_was_on_its_way_when_the_server_said_disconnect_is_ignored(self) -> None:
        client = connected("/", "/admin")
        client.leave("/admin", 100.0)
        for message in ('2/admin,["foo"]', "3/admin,1[]", "1/admin,"):
            received = client.receive(message, 100.0)
            assert received is not None
            assert received[0] is Step.IGNORE
        assert client.state("/") is State.CONNECTED

    def test_a_client_may_come_back_after_that(self) -> None:
        client = connected("/", "/admin")
        client.leave("/admin", 100.0)
        received = client.receive("0/admin,", 100.0)
        assert received is not None
        assert received[0] is Step.CONNECT


class TestStrangers:
    """Who is in no namespace yet has shown nothing that would earn him our memory."""

    def connection(self) -> Connection:
        return Connection(max_size=1_000, timeout_s=45, now_s=100.0, silence_s=10, max_connect_payload=50)

    def test_they_may_be_silent_for_a_short_time_only(self) -> None:
        client = self.connection()
        assert client.deadline_s == 110.0
        client.receive("0", 109.0)
        assert client.deadline_s == 145.0
        client.refuse("/", 120.0)
        client.receive("0", 121.0)
        assert client.deadline_s == 145.0

    def test_no_more_time_than_the_answer_may_take(self) -> None:
        client = Connection(max_size=1_000, timeout_s=5, now_s=100.0, silence_s=10)
        client.receive("0", 101.0)
        assert client.deadline_s == 105.0

    @pytest.mark.parametrize(
        "message", [f'0{{"token":"{"x" * 50}"}}', '2["' + "x" * 50 + '"]', "x" * 51, b"x" * 51]
    )
    def test_they_are_not_listened_to_for_long(self, message: str | bytes) -> None:
        with pytest.raises(SocketIOError, match="at most 50"):
            self.connection().receive(message, 100.0)

    def test_who_is_in_may_say_more_but_keeps_no_larger_credential(self) -> None:
        client = self.connection()
        client.receive("0", 100.0)
        client.accept("/")
        assert client.receive('2["' + "x" * 500 + '"]', 100.0) is not None
        with pytest.raises(SocketIOError, match="at most 50"):
            client.receive(f'0/hr,{{"token":"{"x" * 50}"}}', 100.0)


class TestDeadlines:
    def test_a_client_that_connects_to_nothing_is_overdue(self) -> None:
        client = connection()
        assert client.deadline_s == 145.0
        assert not client.is_overdue(144.9)
        assert client.is_overdue(145.0)

    def test_one_that_is_in_a_namespace_is_not(self) -> None:
        assert connected().deadline_s is None

    def test_one_that_left_its_last_namespace_has_the_same_time_again(self) -> None:
        client = connected()
        client.receive("1", 200.0)
        assert client.deadline_s == 245.0

    def test_announced_attachments_must_come_in_time(self) -> None:
        client = connected()
        client.receive('52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', 200.0)
        client.receive(b"1", 240.0)
        assert client.is_overdue(245.0)
        client.receive(b"2", 244.0)
        assert client.deadline_s is None


class TestPlainEvents:
    """The short way is open only where the long one would say EVENT."""

    def test_it_is_for_a_client_in_the_main_namespace(self) -> None:
        assert connected().plain_event('42["foo",1]') == Packet(PacketType.EVENT, "/", ["foo", 1])
        assert connection().plain_event('42["foo",1]') is None
        assert connected("/admin").plain_event('42["foo",1]') is None

    def test_it_is_closed_while_the_middlewares_think_and_after_the_server_has_said_goodbye(self) -> None:
        client = connection()
        client.receive("0", 100.0)
        assert client.plain_event('42["foo"]') is None
        client.accept("/")
        client.leave("/", 100.0)
        assert client.plain_event('42["foo"]') is None

    def test_it_is_closed_while_attachments_are_due(self) -> None:
        client = connected()
        assert client.receive('51-["foo",{"_placeholder":true,"num":0}]', 100.0) is None
        assert client.plain_event('42["foo"]') is None
        assert client.receive(b"\x00", 100.0) == (Step.EVENT, Packet(PacketType.EVENT, "/", ["foo", b"\x00"]))
        assert client.plain_event('42["foo"]') is not None
