"""What a server hears and says, section by section of RFC 6455 and RFC 7692. Data; `test_rfc6455.py` runs it.

A case is what a client sends after the handshake, what of it reaches the application, and what the server answers:
frames as (opcode, payload). A close code ends the connection. The server takes messages of up to 1,000 bytes.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"
MAX_PAYLOAD = 1_000
SMALL = "4" + "x" * 63


class Case(NamedTuple):
    section: str
    name: str
    sent: bytes
    heard: tuple[str | bytes, ...] = ()
    answers: tuple[tuple[int, bytes], ...] = ()
    closed: int | None = None
    """The code of the server's Close frame, where it fails the connection."""
    deflates: bool = False
    """permessage-deflate has been agreed upon."""


def masked(mask: bytes, data: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def frame(
    opcode: int,
    data: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = MASK,
    form: int = 0,
    length: int | None = None,
) -> bytes:
    """A client's frame. ``form`` 126 or 127 forces a longer form of the length, ``length`` lies about it."""
    size = len(data) if length is None else length
    form = form or (127 if size > 0xFFFF else 126 if size > 125 else size)
    head = bytes(((0x80 if fin else 0) | rsv | opcode, (0x80 if mask is not None else 0) | form))
    if form == 126:
        head += size.to_bytes(2, "big")
    elif form == 127:
        head += size.to_bytes(8, "big")
    return head + (data if mask is None else mask + masked(mask, data))


def text(data: str, **how: bool | int) -> bytes:
    return frame(TEXT, data.encode(), **how)  # type: ignore[arg-type]  # bool and int are all that it takes


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def deflated(data: bytes, tail: int = 4) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[: -tail or None]


def final_block(data: bytes) -> bytes:
    """A block with BFINAL; another block may follow (RFC 7692 7.2.3.4)."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush(zlib.Z_FINISH)


def echo(code: int) -> tuple[tuple[int, bytes], ...]:
    return ((CLOSE, code.to_bytes(2, "big")),)


RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10
BOMB = deflated(b"\x00" * 5_000_000)
HELLO_7692 = bytes.fromhex("f248cdc9c90700")

FRAMING = [
    Case("5.7", "the masked Hello of the examples", bytes.fromhex("818537fa213d7f9f4d5158"), ("Hello",)),
    Case("5.2", "an empty text", text(""), ("",)),
    Case("5.2", "an empty binary message", frame(BINARY), (b"",)),
    Case("5.2", "125 bytes, the longest in the short form", frame(BINARY, b"x" * 125), (b"x" * 125,)),
    Case("5.2", "126 bytes, the shortest with 16 bits", frame(BINARY, b"x" * 126), (b"x" * 126,)),
    Case("5.2", "as long as a message may be", frame(BINARY, b"x" * 1_000), (b"x" * 1_000,)),
    Case("5.2", "two messages in one write", text("a") + text("b"), ("a", "b")),
    Case("5.2", "125 bytes with 16 bits of length", frame(BINARY, b"x" * 125, form=126), closed=1002),
    Case("5.2", "5 bytes with 64 bits of length", frame(BINARY, b"x" * 5, form=127), closed=1002),
    Case("5.2", "65,535 bytes with 64 bits of length", frame(BINARY, form=127, length=65_535), closed=1002),
    Case("5.2", "64 bits of length, the first of them set", frame(BINARY, form=127, length=1 << 63), closed=1002),
    Case("5.2", "RSV1 without an extension", frame(TEXT, b"x", rsv=RSV1), closed=1002),
    Case("5.2", "RSV2", frame(TEXT, b"x", rsv=RSV2), closed=1002),
    Case("5.2", "RSV3", frame(TEXT, b"x", rsv=RSV3), closed=1002),
    Case("5.2", "all reserved bits in a ping", frame(PING, rsv=RSV1 | RSV2 | RSV3), closed=1002),
    *(Case("5.2", f"opcode {code:#x}, reserved", frame(code), closed=1002) for code in (3, 4, 5, 6, 7)),
    *(Case("5.5", f"opcode {code:#x}, reserved", frame(code), closed=1002) for code in (0xB, 0xC, 0xD, 0xE, 0xF)),
    Case("5.2", "an unknown opcode behind a message", text("a") + frame(3), ("a",), closed=1002),
    Case("5.1", "an unmasked text", frame(TEXT, b"x", mask=None), closed=1002),
    Case("5.1", "an unmasked ping", frame(PING, mask=None), closed=1002),
    Case("5.3", "a mask of zeros", frame(TEXT, b"abc", mask=b"\0\0\0\0"), ("abc",)),
    Case("5.3", "a mask that makes another text of it", frame(TEXT, b"abcdefg", mask=b"abcd"), ("abcdefg",)),
    Case("10.4", "a message that is too big", frame(BINARY, b"x" * 1_001), closed=1009),
    Case("10.4", "one that only says it is", frame(BINARY, form=127, length=1 << 40), closed=1009),
    Case("10.4", "the longest length there is", frame(BINARY, form=127, length=(1 << 63) - 1), closed=1009),
]

FRAGMENTS = [
    Case("5.4", "two fragments", text("He", fin=False) + frame(CONT, b"llo"), ("Hello",)),
    Case("5.4", "binary in three",
         frame(BINARY, b"a", fin=False) + frame(CONT, b"b", fin=False) + frame(CONT, b"c"),
         (b"abc",)),
    Case("5.4", "empty fragments", text("", fin=False) + frame(CONT, fin=False) + frame(CONT), ("",)),
    Case("5.4", "a last fragment that is empty", text("x", fin=False) + frame(CONT), ("x",)),
    Case("5.4", "a ping between fragments", text("He", fin=False) + frame(PING, b"?") + frame(CONT, b"llo"),
         ("Hello",), ((PONG, b"?"),)),
    Case("5.4", "pings and pongs between fragments",
         text("a", fin=False) + frame(PING, b"1") + frame(CONT, b"b", fin=False) + frame(PONG) + frame(PING, b"2")
         + frame(CONT, b"c"), ("abc",), ((PONG, b"1"), (PONG, b"2"))),
    Case("5.4", "a close between fragments",
         text("a", fin=False) + close(1000) + frame(CONT, b"b"), (), echo(1000)),
    Case("5.4", "a message after one in fragments",
         text("a", fin=False) + frame(CONT, b"b") + text("c"), ("ab", "c")),
    Case("5.4", "a continuation of nothing", frame(CONT, b"x"), closed=1002),
    Case("5.4", "a continuation that is not the last, of nothing", frame(CONT, b"x", fin=False), closed=1002),
    Case("5.4", "a continuation behind a whole message", text("a") + frame(CONT, b"x"), ("a",), closed=1002),
    Case("5.4", "text inside text", text("a", fin=False) + text("b"), closed=1002),
    Case("5.4", "binary inside text", text("a", fin=False) + frame(BINARY, b"b", fin=False), closed=1002),
    Case("5.4", "fragments that are too big together",
         frame(BINARY, b"x" * 600, fin=False) + frame(CONT, b"x" * 401),
         closed=1009),
    Case("5.4", "fragments that are just big enough",
         frame(BINARY, b"x" * 600, fin=False) + frame(CONT, b"x" * 400),
         (b"x" * 1_000,)),
    Case("10.4", "a message in a thousand crumbs", frame(BINARY, fin=False) + frame(CONT, b"x", fin=False) * 999
         + frame(CONT), (b"x" * 999,)),
    Case("10.4", "CVE-2026-48779: in endless crumbs", frame(TEXT, fin=False) + frame(CONT, fin=False) * 1_100,
         closed=1008),
]  # fmt: skip

CONTROL = [
    Case("5.5.2", "a ping", frame(PING), (), ((PONG, b""),)),
    Case("5.5.2", "a ping with data", frame(PING, b"are you there"), (), ((PONG, b"are you there"),)),
    Case("5.5.2", "a ping as long as may be", frame(PING, b"x" * 125), (), ((PONG, b"x" * 125),)),
    Case("5.5.2", "ten pings", b"".join(frame(PING, b"%d" % n) for n in range(10)), (),
         tuple((PONG, b"%d" % n) for n in range(10))),
    Case("5.5.3", "a pong that nobody asked for", frame(PONG, b"x") + text("a"), ("a",)),
    Case("5.5", "a ping that is too long", frame(PING, b"x" * 126), closed=1002),
    Case("5.5", "a pong that is too long", frame(PONG, b"x" * 126), closed=1002),
    Case("5.5", "a close that is too long", frame(CLOSE, b"\x03\xe8" + b"x" * 124), closed=1002),
    Case("5.5", "a ping in fragments", frame(PING, fin=False), closed=1002),
    Case("5.5", "a close in fragments", frame(CLOSE, fin=False), closed=1002),
    Case("5.5", "a ping with 16 bits of length", frame(PING, b"x", form=126), closed=1002),
]  # fmt: skip

CLOSING = [
    Case("5.5.1", "a close without a code", frame(CLOSE), (), ((CLOSE, b""),)),
    *(Case("7.4.1", f"close {code}", close(code), (), echo(code))
      for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)),
    Case("7.4.2", "close 3000, registered", close(3000), (), echo(3000)),
    Case("7.4.2", "close 4999, private", close(4999), (), echo(4999)),
    Case("5.5.1", "a reason in UTF-8", close(1000, "tschüß".encode()), (), echo(1000)),
    Case("5.5.1", "the longest reason", close(1000, b"x" * 123), (), echo(1000)),
    Case("5.5.1", "nothing counts behind a close", close(1000) + text("x") + frame(3), (), echo(1000)),
    Case("5.5.1", "a message before a close", text("a") + close(1001), ("a",), echo(1001)),
    Case("5.5.1", "half a code", frame(CLOSE, b"\x03"), closed=1002),
    Case("5.5.1", "a reason that is not UTF-8", close(1000, b"\xff"), closed=1007),
    *(Case("7.4", f"close {code}, which nobody may send", close(code), closed=1002)
      for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)),
]  # fmt: skip

EURO = "€".encode()
UTF_8 = [
    Case("8.1", "all lengths of UTF-8", text("$¢€𐍈"), ("$¢€𐍈",)),
    Case("8.1", "a character cut between fragments",
         frame(TEXT, EURO[:1], fin=False) + frame(CONT, EURO[1:]), ("€",)),
    Case("8.1", "one cut into three", frame(TEXT, EURO[:1], fin=False) + frame(CONT, EURO[1:2], fin=False)
         + frame(CONT, EURO[2:]), ("€",)),
    Case("8.1", "a ping within a character",
         frame(TEXT, EURO[:1], fin=False) + frame(PING) + frame(CONT, EURO[1:]),
         ("€",), ((PONG, b""),)),
    Case("8.1", "a byte that is never UTF-8", frame(TEXT, b"\xff"), closed=1007),
    Case("8.1", "an overlong form", frame(TEXT, b"\xc0\xaf"), closed=1007),
    Case("8.1", "a surrogate", frame(TEXT, b"\xed\xa0\x80"), closed=1007),
    Case("8.1", "above U+10FFFF", frame(TEXT, b"\xf4\x90\x80\x80"), closed=1007),
    Case("8.1", "half a character at the end", frame(TEXT, EURO[:2]), closed=1007),
    Case("8.1", "half a character at the end of the last fragment",
         frame(TEXT, b"a", fin=False) + frame(CONT, EURO[:2]), closed=1007),
    Case("8.1", "a fragment that cannot become UTF-8, at once", frame(TEXT, b"\xff", fin=False), closed=1007),
    Case("8.1", "a later fragment that cannot", frame(TEXT, EURO[:1], fin=False) + frame(CONT, b"x", fin=False),
         closed=1007),
    Case("5.6", "binary is whatever it is", frame(BINARY, b"\xff\xc0\xaf"), (b"\xff\xc0\xaf",)),
]  # fmt: skip

COMPRESSED = [
    Case("7692 7.2.3.1", "the Hello of the examples", frame(TEXT, HELLO_7692, rsv=RSV1), ("Hello",)),
    Case("7692 7.2.3.1", "in two fragments", frame(TEXT, HELLO_7692[:3], rsv=RSV1, fin=False)
         + frame(CONT, HELLO_7692[3:]), ("Hello",)),
    Case("7692 7.2.3.1", "with a ping between them", frame(TEXT, HELLO_7692[:3], rsv=RSV1, fin=False)
         + frame(PING) + frame(CONT, HELLO_7692[3:]), ("Hello",), ((PONG, b""),)),
    Case("7692 7.2.3.2", "twice, with no window in between", frame(TEXT, HELLO_7692, rsv=RSV1) * 2,
         ("Hello", "Hello")),
    Case("7692 7.2.3.3", "a block without compression",
         frame(TEXT, bytes.fromhex("000500faff48656c6c6f00"), rsv=RSV1),
         ("Hello",)),
    Case("7692 7.2.3.4", "a block with BFINAL",
         frame(TEXT, bytes.fromhex("f348cdc9c9070000"), rsv=RSV1), ("Hello",)),
    Case("7692 7.2.3.5", "two blocks", frame(TEXT, bytes.fromhex("f248050000 00ffffcac9c90700"), rsv=RSV1),
         ("Hello",)),
    Case("7692 7.2.2", "blocks behind one with BFINAL",
         frame(TEXT, final_block(b"Hel") + deflated(b"lo"), rsv=RSV1),
         ("Hello",)),
    Case("7692 7.2.3.6", "an empty message", frame(TEXT, b"\x00", rsv=RSV1), ("",)),
    Case("7692 6.1", "a message that is not compressed", text("a"), ("a",)),
    Case("7692 6.1", "both kinds", frame(BINARY, deflated(b"abc"), rsv=RSV1) + text("a"), (b"abc", "a")),
    Case("7692 6.1", "RSV1 on a continuation", frame(TEXT, b"a", fin=False) + frame(CONT, b"b", rsv=RSV1),
         closed=1002),
    Case("7692 6.1", "RSV1 on a ping", frame(PING, rsv=RSV1), closed=1002),
    Case("7692 6.1", "RSV1 on a close", frame(CLOSE, rsv=RSV1), closed=1002),
    Case("7692 6.1", "RSV2 beside RSV1", frame(TEXT, HELLO_7692, rsv=RSV1 | RSV2), closed=1002),
    Case("7692 7.2.2", "what is not DEFLATE", frame(TEXT, b"\xff\xff\xff", rsv=RSV1), closed=1007),
    Case("7692 7.2.2", "a window that was never sent", frame(TEXT, bytes.fromhex("f200110000"), rsv=RSV1),
         closed=1007),
    Case("8.1", "inflated text that is not UTF-8", frame(TEXT, deflated(b"\xff"), rsv=RSV1), closed=1007),
    Case("10.4", "as long as may be when inflated",
         frame(BINARY, deflated(b"x" * 1_000), rsv=RSV1), (b"x" * 1_000,)),
    Case("10.4", "one byte more", frame(BINARY, deflated(b"x" * 1_001), rsv=RSV1), closed=1009),
    Case("10.4", "5,000,000 zeros in 5 kB", frame(BINARY, BOMB[:990], rsv=RSV1), closed=1009),
    Case("10.4", "a bomb in fragments",
         frame(BINARY, BOMB[:400], rsv=RSV1, fin=False) + frame(CONT, BOMB[400:900]),
         closed=1009),
    Case("10.4", "a bomb behind a block with BFINAL",
         frame(BINARY, final_block(b"x") + BOMB[:900], rsv=RSV1), closed=1009),
]  # fmt: skip

CASES = [
    *FRAMING,
    *FRAGMENTS,
    *CONTROL,
    *CLOSING,
    *UTF_8,
    *(case._replace(deflates=True) for case in COMPRESSED),
]
