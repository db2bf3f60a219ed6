"""permessage-deflate (RFC 7692) for a server whose messages go to many: no context is taken over, either way.

So a broadcast is deflated once and its bytes suit every client, and a connection keeps no zlib state at all. What
comes in is inflated up to a bound, never further.
"""

from __future__ import annotations

import re
import zlib

from steinmetz.realtime.errors import FrameError

NAME = "permessage-deflate"
ACCEPTED = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"
"""The answer to an offer that is accepted. 7.1.1.1 and 7.1.1.2 let a server say both unasked."""
_TAIL = b"\x00\x00\xff\xff"
_MAX_HEADER = 1_024
MAX_STREAMS = 1_024
"""Of one message: an empty one takes two bytes, and a megabyte of them would stop the loop for a second."""
_PARAMETER = re.compile(r'\s*;\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;,"]+)))?')
_OFFER = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)((?:\s*;[^,]*)?)(?:,|\Z)")
_FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
_WINDOW = re.compile(r"(?:[89]|1[0-5])\Z")


def accepts(header: str) -> bool:
    """Whether one of the offers in ``Sec-WebSocket-Extensions`` can be answered with `ACCEPTED`.

    What is malformed is declined, and the connection goes on without the extension (section 7.1).
    """
    if len(header) > _MAX_HEADER:
        return False
    at = 0
    while at < len(header) and (offer := _OFFER.match(header, at)) is not None:
        if offer[1].lower() == NAME and _is_acceptable(offer[2]):
            return True
        at = offer.end()
    return False


def _is_acceptable(parameters: str) -> bool:
    """7.1: "MUST decline" an unknown name, an invalid value, or a name that is there twice."""
    seen: set[str] = set()
    at, end = 0, len(parameters.rstrip())
    while at < end:
        found = _PARAMETER.match(parameters, at)
        if found is None:
            return False
        name, value = found[1], found[2] if found[2] is not None else found[3]
        if name in seen:
            return False
        seen.add(name)
        at = found.end()
        if name in _FLAGS:
            is_valid = value is None
        elif name == "client_max_window_bits":
            is_valid = value is None or _WINDOW.match(value) is not None
        else:
            # A smaller window would need bytes of its own for this client. 7.1.2.1: a server that cannot use the
            # window it is asked for declines; 15 bits are what it uses anyway.
            is_valid = name == "server_max_window_bits" and value == "15"
        if not is_valid:
            return False
    return True


def deflate(data: bytes) -> bytes:
    """``data`` as the payload of a compressed message (7.2.1), from an empty window."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]


def inflate(data: bytes, max_size: int) -> bytes:
    """The message in a compressed payload (7.2.2); at most ``max_size + 1`` bytes of it are ever made.

    Raises `FrameError`: 1009 for a message that is too big, 1007 for what is not DEFLATE, 1008 for more than
    `MAX_STREAMS`.
    """
    parts: list[bytes] = []
    room, rest = max_size, data + _TAIL
    while rest:
        if len(parts) > MAX_STREAMS:
            raise FrameError(1008, "too many ends in a compressed message")
        # 7.2.3.5: a block with BFINAL ends the stream, and "more DEFLATE blocks" may follow in the same message.
        inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            part = inflater.decompress(rest, room + 1)
        except zlib.error:
            raise FrameError(1007, "not a compressed message") from None
        if len(part) > room:
            raise FrameError(1009, f"a message has at most {max_size} bytes")
        parts.append(part)
        room -= len(part)
        rest = inflater.unused_data if inflater.eof else b""
    return parts[0] if len(parts) == 1 else b"".join(parts)
