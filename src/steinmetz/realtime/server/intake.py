"""What one read has brought and nobody has looked at yet, handed out a bit a turn of the loop.

A read may hold 40,000 frames of one byte: to parse them takes 60 ms, to act upon them many times that, and
everybody else wants to be served, too.
"""

from __future__ import annotations

from collections import deque

from steinmetz.realtime.engineio.frames import FrameParser, Message, Opcode
from steinmetz.realtime.engineio.texts import Xor, plain_texts, xor
from steinmetz.realtime.errors import FrameError

SMALL = 4_096
"""Bytes that are parsed at once: at most 600 frames, the smallest ones."""
LARGE = 65_536
"""Bytes that are parsed at once where frames have turned out to be large."""
FEW = 16
"""Frames of a piece that make them large ones."""


class Intake:
    """Bytes in, messages out, in their order."""

    __slots__ = ("_messages", "_parser", "_piece", "_raw", "_xor")

    def __init__(self, parser: FrameParser, xor: Xor = xor) -> None:
        self._parser = parser
        self._xor = xor
        self._raw = memoryview(b"")
        self._messages: deque[Message] = deque()
        self._piece = SMALL

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self._messages) or len(self._raw) > 0

    def put(self, data: bytes) -> None:
        self._raw = memoryview(bytes(self._raw) + data if self._raw else data)

    def take(self, most: int) -> list[Message]:
        """The next messages, at most so many; parses what that takes.

        Raises `FrameError`, whose ``messages`` are those before the frame that is refused.
        """
        while len(self._messages) < most and self._raw:
            piece, self._raw = bytes(self._raw[: self._piece]), self._raw[self._piece :]
            try:
                found = self._parsed(piece)
            except FrameError as error:
                error.messages = [*self._messages, *error.messages]
                raise
            self._piece = LARGE if len(found) <= FEW else SMALL
            self._messages.extend(found)
        return [self._messages.popleft() for _ in range(min(most, len(self._messages)))]

    def _parsed(self, piece: bytes) -> list[Message]:
        parser = self._parser
        if not parser.is_between_messages:
            return parser.feed(piece)
        texts, read = plain_texts(piece, parser.max_size, self._xor)
        found = [Message(Opcode.TEXT, text) for text in texts]
        if read < len(piece):
            try:
                found += parser.feed(piece[read:])
            except FrameError as error:
                error.messages = [*found, *error.messages]
                raise
        return found
