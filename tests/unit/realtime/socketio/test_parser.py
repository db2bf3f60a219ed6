"""The bytes of Socket.IO packets."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.packet import PacketType as EnginePacketType
from steinmetz.realtime.errors import SocketIOError
from steinmetz.realtime.socketio.packet import RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.parser import MAX_ATTACHMENTS, Decoder, encode, plain_ack, plain_event

MAX_SIZE = 10_000


def decode(*messages: str | bytes) -> Packet | None:
    decoder = Decoder(MAX_SIZE)
    packet = None
    for message in messages:
        packet = decoder.feed(message)
    return packet


def messages_of(packet: Packet) -> list[str | bytes]:
    parts = encode(packet).packets
    assert all(part.type is EnginePacketType.MESSAGE for part in parts)
    return [part.data for part in parts]


class TestTheExamplesOfTheProtocol:
    """https://socket.io/docs/v4/socket-io-protocol/ section "Packet encoding"."""

    @pytest.mark.parametrize(
        ("packet", "messages"),
        [
            (Packet(PacketType.CONNECT), ["0"]),
            (Packet(PacketType.CONNECT, "/admin", {"sid": "oSO0OpakMV_3jnilAAAA"}),
             ['0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}']),
            (Packet(PacketType.CONNECT_ERROR, "/", {"message": "No"}), ['4{"message":"No"}']),
            (Packet(PacketType.EVENT, "/", ["foo"]), ['2["foo"]']),
            (Packet(PacketType.EVENT, "/admin", ["bar"]), ['2/admin,["bar"]']),
            (Packet(PacketType.EVENT, "/", ["foo", b"\x01\x02\x03\x04"]),
             ['51-["foo",{"_placeholder":true,"num":0}]', b"\x01\x02\x03\x04"]),
            (Packet(PacketType.EVENT, "/admin", ["bar", b"\x01\x02", b"\x03\x04"]),
             ['52-/admin,["bar",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
              b"\x01\x02", b"\x03\x04"]),
            (Packet(PacketType.EVENT, "/", ["foo"], 12), ['212["foo"]']),
            (Packet(PacketType.ACK, "/admin", ["bar"], 13), ['3/admin,13["bar"]']),
            (Packet(PacketType.ACK, "/", [b"\x01"], 15), ['61-15[{"_placeholder":true,"num":0}]', b"\x01"]),
            (Packet(PacketType.DISCONNECT, "/admin"), ["1/admin,"]),
        ],
    )  # fmt: skip
    def test_encode_and_decode(self, packet: Packet, messages: list[str | bytes]) -> None:
        assert messages_of(packet) == messages
        assert decode(*messages) == packet

    def test_the_comma_behind_a_bare_namespace_may_be_missing(self) -> None:
        assert decode("0/custom") == Packet(PacketType.CONNECT, "/custom")


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
namespaces = st.sampled_from(["/", "/admin", "/a-b_c", "/ä"])
with_bytes = st.tuples(values, st.lists(st.binary(), max_size=4)).map(
    lambda both: [both[0], *both[1], {"in": both[1][:1]}]
)


class TestRoundTrip:
    @given(
        st.text().filter(lambda name: name not in RESERVED_EVENTS),
        with_bytes,
        namespaces,
        st.none() | st.integers(0, 10**9),
    )
    def test_any_event_arrives_as_it_left(
        self, name: str, args: list[Any], namespace: str, ack_id: int | None
    ) -> None:
        packet = Packet(PacketType.EVENT, namespace, [name, *args], ack_id)
        assert decode(*messages_of(packet)) == packet

    @given(st.lists(values), st.integers(0, 10**9))
    def test_any_answer_arrives_as_it_left(self, answers: list[Any], ack_id: int) -> None:
        packet = Packet(PacketType.ACK, "/", answers, ack_id)
        assert decode(*messages_of(packet)) == packet

    @given(
        st.lists(
            st.text() | st.binary() | st.from_regex(r"\A[0-6][0-9]?-?(/[a-z]*,)?[0-9]{0,2}[\[{].*", fullmatch=True)
        )
    )
    def test_whatever_comes_is_a_packet_or_a_socketio_error(self, messages: list[str | bytes]) -> None:
        decoder = Decoder(MAX_SIZE)
        for message in messages:
            try:
                packet = decoder.feed(message)
            except SocketIOError:
                return
            assert packet is None or isinstance(packet, Packet)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "message",
        [
            "", "abc", "7", "9[]", "-1",
            "2", "2[]", "2{}", '2"foo"', "2null", "2[", "2[null]", "2[true]", "2[1.5]", "2[[]]", '2["foo"',
            '2["a"]x',
            "2[NaN]", '2["a",Infinity]',
            "3", "3[]", '3["foo"]', "31{}", "31",
            "0[]", '0"x"', "0null", "01{}", "0{", "0/admin,[]",
            '1{}', "11", "1[]",
            "4", '4"x"', "4[]",
            '5["foo"]', '50-["foo"]', '511-["foo"]', '5999-["foo"]', '5-1-["foo"]', '51["foo"]', '51-{}',
            '21-["foo"]', '01-{}', "51-", '61-["x"]',
            "2/" + "x" * 300 + ',["foo"]',
            '2٣["foo"]',
            "2" + "9" * 30 + '["foo"]',
        ],
    )  # fmt: skip
    def test_text_that_is_no_packet(self, message: str) -> None:
        with pytest.raises(SocketIOError):
            decode(message)

    @pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
    def test_reserved_names(self, name: str) -> None:
        """CVE-2023-32695: an event called "connect" ended the process."""
        with pytest.raises(SocketIOError, match="reserved"):
            decode(f'2["{name}"]')

    @pytest.mark.parametrize(
        "placeholders",
        [
            '{"_placeholder":true}',
            '{"_placeholder":true,"num":"0"}',
            '{"_placeholder":true,"num":"splice"}',
            '{"_placeholder":true,"num":0.5}',
            '{"_placeholder":true,"num":true}',
            '{"_placeholder":true,"num":-1}',
            '{"_placeholder":true,"num":1}',
            '{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}',
            "1",
        ],
    )
    def test_placeholders_that_do_not_name_each_attachment_once(self, placeholders: str) -> None:
        """CVE-2022-2421: `num` was used as an index whatever its type; refused before the attachment has come."""
        with pytest.raises(SocketIOError):
            decode(f'51-["foo",{placeholders}]')

    def test_more_than_ten_attachments(self) -> None:
        """CVE-2026-33151 and CVE-2026-48804: attachments without bound."""
        holders = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(MAX_ATTACHMENTS + 1))
        with pytest.raises(SocketIOError, match="1 to 10"):
            decode(f'5{MAX_ATTACHMENTS + 1}-["foo",{holders}]')

    def test_attachments_that_are_too_big_together(self) -> None:
        with pytest.raises(SocketIOError, match="at most"):
            decode(
                '52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"x" * 6_000, b"x" * 6_000
            )

    def test_an_attachment_without_a_packet(self) -> None:
        with pytest.raises(SocketIOError, match="without"):
            decode(b"\x01")

    def test_text_where_an_attachment_is_due(self) -> None:
        with pytest.raises(SocketIOError, match="due"):
            decode('51-["a",{"_placeholder":true,"num":0}]', '2["foo"]')

    @pytest.mark.parametrize("deep", ["[" * 100_000, '["a",' * 5_000, '{"a":' * 100_000])
    def test_nesting_without_end(self, deep: str) -> None:
        with pytest.raises(SocketIOError):
            decode("2" + deep)

    def test_deep_but_valid_nesting_around_an_attachment(self) -> None:
        depth = 800
        message = "[" * depth + '{"_placeholder":true,"num":0}' + "]" * depth
        assert decode(f'51-["a",{message}]', b"x") is not None


class TestTextThatIsNoText:
    """Half an emoji is valid JSON, but no Python text."""

    def test_half_a_surrogate_pair_becomes_a_question_mark(self) -> None:
        assert decode('2["chat","so\\ud83d"]') == Packet(PacketType.EVENT, "/", ["chat", "so?"])

    def test_a_whole_pair_stays(self) -> None:
        assert decode('2["chat","\\ud83d\\ude00"]') == Packet(PacketType.EVENT, "/", ["chat", "\U0001f600"])

    def test_it_excuses_no_other_fault(self) -> None:
        with pytest.raises(SocketIOError):
            decode('2["chat","\\ud83d",NaN]')


class TestWhatCannotBeSent:
    def test_data_that_json_cannot_say(self) -> None:
        with pytest.raises(TypeError, match="complex"):
            encode(Packet(PacketType.EVENT, "/", ["foo", 1j]))

    def test_too_many_binary_values(self) -> None:
        with pytest.raises(ValueError, match="at most 10"):
            encode(Packet(PacketType.EVENT, "/", ["foo", *([b"x"] * 11)]))

    def test_bytes_in_a_connect_packet(self) -> None:
        with pytest.raises(TypeError, match="no bytes"):
            encode(Packet(PacketType.CONNECT, "/", {"sid": b"x"}))

    def test_instants_leave_as_the_contract_writes_them(self) -> None:
        at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        assert messages_of(Packet(PacketType.EVENT, "/", ["at", at])) == ['2["at","2026-03-02T09:00:00Z"]']

    def test_what_is_no_number_leaves_as_null(self) -> None:
        assert messages_of(Packet(PacketType.EVENT, "/", ["x", math.nan])) == ['2["x",null]']


def test_an_unfinished_packet_is_seen() -> None:
    decoder = Decoder(MAX_SIZE)
    assert not decoder.is_waiting
    decoder.feed('51-["a",{"_placeholder":true,"num":0}]')
    assert decoder.is_waiting
    decoder.feed(b"x")
    assert not decoder.is_waiting


class TestPlainEvent:
    """The short way agrees with the long one, or leaves the message to it."""

    @pytest.mark.parametrize(
        ("message", "data", "ack_id"),
        [
            ('42["say",1]', ["say", 1], None),
            ('4212["say"]', ["say"], 12),
            ('42123456789012345["say",{"a":[]}]', ["say", {"a": []}], 123456789012345),
        ],
    )
    def test_the_common_case(self, message: str, data: list[Any], ack_id: int | None) -> None:
        assert plain_event(message) == Packet(PacketType.EVENT, "/", data, ack_id)

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "2",
            "42",
            "42[]",
            "42[1]",
            '42["connect"]',
            '42["say"',
            '42/admin,["say"]',
            '42-1["say"]',
            '42٣["say"]',
            '421234567890123456["say"]',
            '43["say"]',
            '451-["say",{"_placeholder":true,"num":0}]',
            '42["say","\\ud83d"]',
            '42{"a":1}',
        ],
    )
    def test_all_else_goes_the_long_way(self, message: str) -> None:
        assert plain_event(message) is None

    @given(st.from_regex(r'42[0-9]{0,16}[\[\{]("say"|1|"connect")?(,[0-9"a\]]*)?\]?', fullmatch=True))
    @settings(max_examples=150, derandomize=True)
    def test_what_it_reads_the_decoder_reads_alike(self, message: str) -> None:
        packet = plain_event(message)
        if packet is not None:
            assert Decoder(1_000).feed(message[1:]) == packet


class TestPlainAck:
    """The short way says what the long one says, or leaves it to that."""

    @given(st.integers(0, 10**15 - 1), st.lists(st.none() | st.booleans() | st.integers(-9, 9) | st.text()))
    @settings(max_examples=100, derandomize=True)
    def test_the_common_case(self, ack_id: int, answers: list[Any]) -> None:
        [message] = encode(Packet(PacketType.ACK, "/", answers, ack_id)).messages
        assert isinstance(message, str)
        assert plain_ack(ack_id, answers) == message.encode()

    @pytest.mark.parametrize("answers", [[b"bytes"], [{"of": {"a": b"dict"}}], [object()], [1 << 80]])
    def test_all_else_goes_the_long_way(self, answers: list[Any]) -> None:
        assert plain_ack(1, answers) is None
