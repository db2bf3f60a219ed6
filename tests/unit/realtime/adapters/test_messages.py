"""What is packed is unpacked again; what was not packed by us is a `MessageError`, whatever it is."""

from __future__ import annotations

from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.adapters.base import RELIABLE, Flags, Selection
from steinmetz.realtime.adapters.messages import (
    Beat,
    Emission,
    Order,
    Replay,
    Said,
    content_of,
    pack_beat,
    pack_emission,
    pack_order,
    pack_replay,
    unpack_beat,
    unpack_emission,
    unpack_order,
    unpack_replay,
)
from steinmetz.realtime.adapters.seal import Kind, Message, MessageError, Seal, origin_of
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType

NAMES = st.frozensets(st.text(max_size=5), max_size=3)
SELECTIONS = st.builds(Selection, NAMES, NAMES)
FLAGS = st.just(RELIABLE) | st.builds(
    Flags, volatile=st.booleans(), newest=st.none() | st.text(max_size=3), compress=st.booleans()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 1 << 40) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
SETTINGS = settings(max_examples=100, derandomize=True, deadline=None)


@SETTINGS
@given(SELECTIONS, FLAGS, st.text(max_size=20), st.lists(st.binary(max_size=9), max_size=10))
def test_an_emission_arrives_as_it_was_encoded(
    selection: Selection, flags: Flags, text: str, attachments: list[bytes]
) -> None:
    parts = [Packet(PacketType.MESSAGE, part) for part in (text, *attachments)]
    heard = unpack_emission(pack_emission(Emission("/chat", selection, flags, Outgoing(*parts))))
    assert (heard.namespace, heard.selection, heard.flags) == ("/chat", selection, flags)
    assert heard.outgoing.packets == tuple(parts)


@SETTINGS
@given(SELECTIONS, NAMES, st.booleans())
def test_an_order_arrives(selection: Selection, rooms: frozenset[str], close: bool) -> None:
    heard = unpack_order(pack_order(Order("/", selection, sorted(rooms), close)))
    assert (heard.selection, set(heard.rooms), heard.close) == (selection, set(rooms), close)


@SETTINGS
@given(st.lists(st.binary(max_size=9), max_size=4), st.booleans())
def test_an_answer_arrives(bodies: list[bytes], is_last: bool) -> None:
    said = [Said(number, Kind.JOIN, ("a", "b"), body) for number, body in enumerate(bodies)]
    replay = Replay("nonce", 3, 9, is_last, not is_last, said)
    assert unpack_replay(pack_replay(replay)) == replay


def test_a_heartbeat_arrives() -> None:
    beat = Beat(7, 5, {"a": 6, "b": 7}, True)
    assert unpack_beat(7, pack_beat(beat)) == beat


@SETTINGS
@given(
    st.sampled_from(sorted(Kind)),
    st.binary(max_size=60)
    | JSON.map(orjson.dumps)
    | JSON.map(lambda told: len(orjson.dumps(told)).to_bytes(4) + orjson.dumps(told) + b"rest"),
)
def test_whatever_else_comes_is_an_error_of_its_own(kind: Kind, body: bytes) -> None:
    for take in (lambda: content_of(kind, body), lambda: unpack_replay(body), lambda: unpack_beat(1, body)):
        with suppress(MessageError):
            take()


@SETTINGS
@given(st.binary(max_size=99))
def test_nobody_opens_what_was_not_sealed(message: bytes) -> None:
    seal = Seal("a secret of all nodes")
    with pytest.raises(MessageError, match=r"shape|signature"):
        seal.open("channel", message)


def test_a_seal_says_who_claims_to_speak_and_knows_other_versions() -> None:
    seal = Seal(b"a secret of all nodes")
    message = Message(Kind.ANSWERS, b"12345678", 1 << 40, 3, b"body")
    sealed = seal.close("channel", message)
    assert seal.open("channel", sealed) == message
    assert origin_of(sealed) == b"12345678"
    for position, value, reason in ((0, 2, "version"), (1, 99, "shape")):
        said = bytearray(sealed[16:])
        said[position] = value
        forged = seal._tag("channel", bytes(said)) + bytes(said)
        with pytest.raises(MessageError, match=reason):
            seal.open("channel", forged)
