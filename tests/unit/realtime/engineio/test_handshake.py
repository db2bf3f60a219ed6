"""Which requests open or join a session, and with which code the others are refused."""

from __future__ import annotations

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.handshake import TransportName, Wish, open_packet, read_wish
from steinmetz.realtime.engineio.packet import PacketType
from steinmetz.realtime.errors import HandshakeError


def test_a_new_polling_session() -> None:
    wish = read_wish(b"EIO=4&transport=polling&t=abc", "GET", is_upgrade=False)
    assert wish == Wish(TransportName.POLLING, None)


def test_a_websocket_that_joins_a_session() -> None:
    wish = read_wish(b"EIO=4&transport=websocket&sid=s-1", "GET", is_upgrade=True)
    assert wish == Wish(TransportName.WEBSOCKET, "s-1")


@pytest.mark.parametrize(
    ("query", "method", "is_upgrade", "code"),
    [
        (b"EIO=4", "GET", False, 0),
        (b"EIO=4&transport=abc", "GET", False, 0),
        (b"EIO=4&transport=webtransport", "GET", False, 0),
        (b"EIO=4&transport=polling", "POST", False, 2),
        (b"EIO=4&transport=polling", "PUT", False, 2),
        (b"EIO=4&transport=polling&sid=x", "DELETE", False, 3),
        (b"EIO=4&transport=websocket", "GET", False, 3),
        (b"EIO=4&transport=polling", "GET", True, 3),
        (b"EIO=4&transport=polling&x=" + b"y" * 9_000, "GET", False, 3),
        (b"EIO=4&transport=polling&\xff", "GET", False, 3),
        (b"&".join([b"a=b"] * 100), "GET", False, 3),
        (b"transport=polling", "GET", False, 5),
        (b"EIO=abc&transport=polling", "GET", False, 5),
        (b"EIO=3&transport=polling", "GET", False, 5),
    ],
)
def test_each_refusal_has_the_code_of_the_reference_server(
    query: bytes, method: str, is_upgrade: bool, code: int
) -> None:
    with pytest.raises(HandshakeError) as refusal:
        read_wish(query, method, is_upgrade=is_upgrade)
    assert (refusal.value.code, refusal.value.status) == (code, 400)


@given(st.binary(), st.sampled_from(["GET", "POST", "PUT", "BREW"]), st.booleans())
def test_no_query_string_raises_anything_else(query: bytes, method: str, is_upgrade: bool) -> None:
    with contextlib.suppress(HandshakeError):
        assert isinstance(read_wish(query, method, is_upgrade=is_upgrade), Wish)


@pytest.mark.parametrize(
    ("transport", "upgrades"), [(TransportName.POLLING, ["websocket"]), (TransportName.WEBSOCKET, [])]
)
def test_the_open_packet_says_what_the_protocol_asks_and_no_more(
    transport: TransportName, upgrades: list[str]
) -> None:
    packet = open_packet("s-1", transport, ping_interval_s=0.3, ping_timeout_s=0.2, max_payload=1_000_000)
    assert packet.type is PacketType.OPEN
    assert orjson.loads(packet.data) == {
        "sid": "s-1",
        "upgrades": upgrades,
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }
