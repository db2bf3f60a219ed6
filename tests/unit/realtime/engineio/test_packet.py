"""Engine.IO packets and their bytes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.frames import Opcode, server_frame
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType, decode
from steinmetz.realtime.errors import EngineIOError
from tests.unit.realtime.server.frames_of import frames_in, messages_in

texts = st.builds(Packet, st.sampled_from(PacketType), st.text())
binaries = st.builds(Packet, st.just(PacketType.MESSAGE), st.binary())


@given(texts | binaries)
def test_a_packet_survives_its_own_encoding(packet: Packet) -> None:
    assert decode(packet.encoded) == packet


@given(st.text() | st.binary())
def test_whatever_comes_is_a_packet_or_an_engineio_error(message: str | bytes) -> None:
    try:
        packet = decode(message)
    except EngineIOError:
        assert isinstance(message, str)
        assert message[:1] not in set("0123456")
    else:
        assert packet.encoded == message


@pytest.mark.parametrize("message", ["", "abc", "7", "-1", " 4hello", "٤hello", "bAQID"])
def test_text_that_does_not_begin_with_a_known_type_is_refused(message: str) -> None:
    with pytest.raises(EngineIOError, match="digit from 0 to 6"):
        decode(message)


def test_binary_is_always_a_message() -> None:
    assert decode(b"\x01\x02") == Packet(PacketType.MESSAGE, b"\x01\x02")


def test_packets_that_travel_together_are_one_run_of_bytes_on_each_transport() -> None:
    both = Outgoing(Packet(PacketType.MESSAGE, "451-[]"), Packet(PacketType.MESSAGE, b"\x01\x02\x03\x04"))
    assert both.frames == server_frame(Opcode.TEXT, b"4451-[]") + server_frame(Opcode.BINARY, b"\x01\x02\x03\x04")
    assert both.payload == "4451-[]\x1ebAQIDBA=="
    assert both.size == len(both.frames)


def test_a_broadcast_is_encoded_once_however_many_ask_for_its_bytes() -> None:
    outgoing = Outgoing(Packet(PacketType.MESSAGE, "2[]"))
    assert outgoing.frames is outgoing.frames
    assert outgoing.payload is outgoing.payload
    assert outgoing.messages is outgoing.messages


def test_what_is_long_enough_and_gets_smaller_is_deflated_once_for_all() -> None:
    long, short = Packet(PacketType.MESSAGE, "2" + "x" * 500), Packet(PacketType.MESSAGE, "2[]")
    outgoing = Outgoing(long, short)
    small = outgoing.deflated(100)
    assert small is outgoing.deflated(100)
    assert messages_in(small) == ["42" + "x" * 500, "42[]"]
    assert [bool(first & 0x40) for first, _ in frames_in(small)] == [True, False]


def test_noise_is_sent_as_it_is() -> None:
    noise = Random(1).randbytes(2_000)
    outgoing = Outgoing(Packet(PacketType.MESSAGE, noise))
    assert outgoing.deflated(0) == outgoing.frames


def test_what_must_not_be_compressed_is_not() -> None:
    outgoing = Outgoing(Packet(PacketType.MESSAGE, "2" + "x" * 500))
    outgoing.is_compressible = False
    assert outgoing.deflated(0) is outgoing.frames
