"""A stream that the test stops and lets go, with the flow control that asyncio and uvloop have in common."""

from __future__ import annotations

from typing import Any

from tests.unit.realtime.server.frames_of import frames_in, messages_in


class Stream:
    """While it is ``stuck`` what is written stays here, and above its limit the protocol is told to pause."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.writes: list[bytes] = []
        self.stuck = False
        self.is_closed = False
        self.is_aborted = False
        self._limit = 1 << 30
        self._held: list[bytes] = []
        self._is_paused = False

    def get_extra_info(self, name: str) -> Any:
        """There is no socket below: everything goes through the stream."""

    def set_write_buffer_limits(self, high: int) -> None:
        self._limit = high

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self._held))

    def write(self, data: bytes) -> None:
        assert not self.is_closed, "nothing is written behind the end"
        (self._held if self.stuck else self.writes).append(data)
        if self.get_write_buffer_size() > self._limit and not self._is_paused:
            self._is_paused = True
            self.protocol.pause_writing()

    def let_go(self) -> None:
        """The peer reads again."""
        self.stuck = False
        self.writes += self._held
        self._held = []
        if self._is_paused:
            self._is_paused = False
            self.protocol.resume_writing()

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True
        self._held = []

    @property
    def heard(self) -> list[str | bytes]:
        """The messages of all frames that have left."""
        return messages_in(b"".join(self.writes))

    @property
    def opcodes(self) -> list[int]:
        return [first & 0x0F for first, _ in frames_in(b"".join(self.writes))]
