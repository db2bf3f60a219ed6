"""Frames of both sides, made and read by code that has nothing in common with the product's."""

from __future__ import annotations

import zlib

MASK = b"\x37\xfa\x21\x3d"


def frame(opcode: int, data: bytes = b"") -> bytes:
    """A client's final frame of up to 65,535 bytes."""
    head = bytes((0x80 | opcode, 0x80 | len(data)))
    if len(data) > 125:
        head = bytes((0x80 | opcode, 0x80 | 126)) + len(data).to_bytes(2, "big")
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(data))


def text(data: str) -> bytes:
    return frame(1, data.encode())


def frames_in(data: bytes) -> list[tuple[int, bytes]]:
    """(first byte, payload) of each whole frame. Fails if there is anything behind them, or if one is masked."""
    found, at = [], 0
    while at < len(data):
        first, length, at = data[at], data[at + 1], at + 2
        assert length < 128, "a server does not mask"
        if length > 125:
            width = 2 if length == 126 else 8
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
        found.append((first, data[at : at + length]))
        assert len(found[-1][1]) == length, "a frame that is cut off"
        at += length
    return found


def messages_in(data: bytes) -> list[str | bytes]:
    """The messages of unfragmented text and binary frames, inflated where they are compressed."""
    found: list[str | bytes] = []
    for first, payload in frames_in(data):
        assert first & 0x80
        if first & 0x40:
            payload = zlib.decompress(payload + b"\x00\x00\xff\xff\x03\x00", -15)
        found.append(payload.decode() if first & 0x0F == 1 else payload)
    return found
