"""Polling payloads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.packet import SEPARATOR, Outgoing, Packet, PacketType
from steinmetz.realtime.engineio.payload import MAX_PACKETS, decode_payload, encode_payload
from steinmetz.realtime.errors import EngineIOError

texts = st.builds(
    Packet,
    st.sampled_from(PacketType),
    st.text(alphabet=st.characters(exclude_characters=SEPARATOR, exclude_categories=["Cs"])),
)
binaries = st.builds(Packet, st.just(PacketType.MESSAGE), st.binary())


@given(st.lists(texts | binaries, min_size=1))
def test_a_payload_survives_its_own_encoding(packets: list[Packet]) -> None:
    payload = encode_payload(Outgoing(packet) for packet in packets)
    assert decode_payload(payload.encode()) == packets


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_is_packets_or_an_engineio_error(body: bytes) -> None:
    try:
        packets = decode_payload(body)
    except EngineIOError:
        return
    assert packets


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"abc",
        b"4hello\x1e",
        b"\x1e4hello",
        b"4hello\x1eabc",
        b"\xff",
        b"bA",
        b"b====",
        b"bAQID!BA==",
        b"b\xc3\xa4",
    ],
)
def test_a_payload_with_one_bad_packet_is_refused_whole(body: bytes) -> None:
    with pytest.raises(EngineIOError):
        decode_payload(body)


def test_a_payload_of_very_many_packets_is_refused() -> None:
    assert len(decode_payload(b"\x1e".join([b"6"] * MAX_PACKETS))) == MAX_PACKETS
    with pytest.raises(EngineIOError, match="at most"):
        decode_payload(b"\x1e".join([b"6"] * (MAX_PACKETS + 1)))
