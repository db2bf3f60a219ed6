"""What is kept in a log that several processes share: it comes out as it went in, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.adapters.base import RELIABLE, Selection
from steinmetz.realtime.adapters.messages import Emission, Order, pack, pack_emission, pack_order
from steinmetz.realtime.adapters.seal import Kind as Word
from steinmetz.realtime.adapters.seal import Message, MessageError, Seal
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.recovery.record import Keys, open_kept
from steinmetz.realtime.socketio.recovery import Entry, Kind

SEAL = Seal("a secret of all processes")
KEYS = Keys("shop", "/")
names = st.frozensets(st.text(max_size=5), max_size=3)


def kept(word: Word, body: bytes, seal: Seal = SEAL, keys: Keys = KEYS) -> bytes:
    return seal.head(keys.base, Message(word, b"a server", 5, 0, body)) + body


@given(names, names, st.text(max_size=10), st.lists(st.binary(max_size=10), max_size=3))
@settings(max_examples=50, derandomize=True)
def test_an_emission_comes_back_as_it_was(
    rooms: frozenset[str], excepted: frozenset[str], text: str, data: list[bytes]
) -> None:
    packets = [Packet(PacketType.MESSAGE, one) for one in (text, *data)]
    body = pack_emission(Emission("/", Selection(rooms, excepted), RELIABLE, Outgoing(*packets)))
    entry = open_kept(SEAL, KEYS, 7, kept(Word.BROADCAST, body))
    assert (set(entry.rooms), set(entry.except_rooms)) == (rooms, excepted)
    assert entry == Entry(7, Kind.EMIT, entry.rooms, entry.except_rooms, tuple(packets))


@pytest.mark.parametrize("kind", [Kind.JOIN, Kind.LEAVE, Kind.DISCONNECT])
def test_and_so_does_an_order(kind: Kind) -> None:
    body = pack_order(Order("/", Selection(frozenset("a"), frozenset("b")), ("c",)))
    assert open_kept(SEAL, KEYS, 7, kept(Word[kind.name], body)) == Entry(7, kind, ("a",), ("b",), (), ("c",))


def test_what_nobody_of_ours_has_said_is_refused() -> None:
    body = pack_order(Order("/", Selection(frozenset("a")), ("c",)))
    true = kept(Word.JOIN, body)
    for false in (
        b"",
        true[:-1],
        true.replace(b'"c"', b'"d"'),
        kept(Word.JOIN, body, Seal("another secret of others")),
        kept(Word.JOIN, body, keys=Keys("shop", "/other")),
        kept(Word.FETCH, pack({"rooms": []})),
    ):
        with pytest.raises(MessageError):
            open_kept(SEAL, KEYS, 7, false)
