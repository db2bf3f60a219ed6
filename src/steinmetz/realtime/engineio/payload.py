"""Polling payloads: packets joined by the record separator, binary ones as base64 behind a ``b``."""

from __future__ import annotations

import binascii
from collections.abc import Iterable

from steinmetz.realtime.engineio.packet import SEPARATOR, Outgoing, Packet, PacketType, decode
from steinmetz.realtime.errors import EngineIOError

MAX_PACKETS = 10_000
"""Of one payload. The stock client packs whatever it buffered while offline, within ``maxPayload`` bytes; half a
million NOOPs would only stall the loop."""


def encode_payload(batch: Iterable[Outgoing]) -> str:
    return SEPARATOR.join([outgoing.payload for outgoing in batch])


def decode_payload(body: bytes) -> list[Packet]:
    """The packets of one POST body. Raises `EngineIOError`; then none of them may be acted upon."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise EngineIOError("a payload is UTF-8") from None
    parts = text.split(SEPARATOR, MAX_PACKETS)
    if len(parts) > MAX_PACKETS:
        raise EngineIOError(f"a payload has at most {MAX_PACKETS} packets")
    return [_packet(part) for part in parts]


def _packet(part: str) -> Packet:
    if not part.startswith("b"):
        return decode(part)
    try:
        return Packet(PacketType.MESSAGE, binascii.a2b_base64(part[1:].encode("ascii"), strict_mode=True))
    except (binascii.Error, UnicodeEncodeError):
        raise EngineIOError("a binary packet is base64") from None
