"""The common case of what a WebSocket brings, whole text frames, read without the parser that can read all."""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.realtime.engineio.frames import unmask

Xor = Callable[[bytes, bytes], bytes]
"""(data, mask): the data with the mask repeated over them; whoever has one in C may pass it."""
_FINAL_TEXT = 0x81


def xor(data: bytes, mask: bytes) -> bytes:
    return unmask(mask, data)


def plain_texts(data: bytes, max_size: int, xor: Xor = xor) -> tuple[list[str], int]:
    """The unfragmented text messages at the beginning of ``data``, and where the rest begins.

    The rest is for `FrameParser`: an incomplete frame, a fragment, a control frame, a binary one, or one that
    breaks a rule. Only for a parser that is between two messages.
    """
    texts: list[str] = []
    at, end = 0, len(data)
    while end - at >= 6 and data[at] == _FINAL_TEXT:
        length = data[at + 1] - 0x80
        head = at + 2
        if length == 126 and end - at >= 8:
            length = (data[head] << 8) | data[head + 1]
            head += 2
            is_plain = 126 <= length <= max_size
        else:
            is_plain = 0 <= length < 126 and length <= max_size
        body = head + 4
        after = body + length
        if not is_plain or after > end:
            break
        try:
            texts.append(xor(data[body:after], data[head:body]).decode())
        except UnicodeDecodeError:
            break
        at = after
    return texts, at
