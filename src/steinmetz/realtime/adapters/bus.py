"""The port between a cluster and what carries its messages, and a bus within one process for tests and models.

A bus promises little: what one node publishes is mostly heard, mostly once and mostly in order by those who have
subscribed to the channel. What it loses, doubles or turns around is noticed and mended above it (`node.Node`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol


class Receiver(Protocol):
    """Whoever listens on a bus; called on the event loop only."""

    def receive(self, channel: str, message: bytes) -> None:
        """``message`` was published on ``channel``, by another node or by this one."""

    def lost(self, reason: str) -> None:
        """The bus is out of reach: what is published from now on gets lost, and so may what others say.

        ``reason``: a word for an operator.
        """

    def restored(self) -> None:
        """The bus is there, for the first time or again, and all subscriptions stand."""


class Bus(Protocol):
    """All methods but `aclose` are plain calls on the event loop and wait for nothing."""

    def start(self, receiver: Receiver) -> None:
        """Connect in the background, and stay connected until `aclose`."""

    def publish(self, channel: str, message: bytes) -> None:
        """Let all subscribers of ``channel`` have ``message``; while the bus is out of reach it is dropped."""

    def subscribe(self, channel: str) -> None:
        """Hear ``channel``, also after the connection was lost and has come back."""

    def unsubscribe(self, channel: str) -> None:
        """Hear it no more."""

    async def aclose(self) -> None:
        """Send what has been published and leave. Idempotent."""


class MemoryExchange:
    """Where the buses of one process meet. Nothing is heard before `run` or `step`: a test decides when.

    ``fault`` is asked about each message on its way: how many times it shall arrive, 0 for lost.
    """

    def __init__(self, fault: Callable[[str, bytes], int] = lambda _channel, _message: 1) -> None:
        self.fault = fault
        self.buses: list[MemoryBus] = []
        self.waiting: deque[tuple[MemoryBus, str, bytes]] = deque()
        self.on_publish: Callable[[], None] = lambda: None

    def step(self, at: int = 0) -> None:
        """Let the message at place ``at`` of the line arrive: another than the first turns the order around."""
        self.waiting.rotate(-at)
        bus, channel, message = self.waiting.popleft()
        self.waiting.rotate(at)
        bus.hear(channel, message)

    def run(self) -> None:
        """Let everything arrive, and what is said in answer."""
        while self.waiting:
            self.step()


class MemoryBus:
    """One node's end of a `MemoryExchange`."""

    def __init__(self, exchange: MemoryExchange) -> None:
        self._exchange = exchange
        self._receiver: Receiver | None = None
        self.channels: set[str] = set()
        self.is_connected = False
        self.heard = 0
        """Messages that came here, whatever became of them."""

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._exchange.buses.append(self)
        self.connect()

    def connect(self) -> None:
        """The bus is there, for the first time or again."""
        if self._receiver is not None and not self.is_connected:
            self.is_connected = True
            self._receiver.restored()

    def cut(self) -> None:
        """The connection breaks; what was on its way here is lost."""
        if self._receiver is not None and self.is_connected:
            self.is_connected = False
            waiting = [each for each in self._exchange.waiting if each[0] is not self]
            self._exchange.waiting = deque(waiting)
            self._receiver.lost("cut")

    def publish(self, channel: str, message: bytes) -> None:
        if not self.is_connected:
            return
        for bus in self._exchange.buses:
            if channel in bus.channels and bus.is_connected:
                for _ in range(self._exchange.fault(channel, message)):
                    self._exchange.waiting.append((bus, channel, message))
        self._exchange.on_publish()

    def subscribe(self, channel: str) -> None:
        self.channels.add(channel)

    def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)

    def hear(self, channel: str, message: bytes) -> None:
        if self._receiver is not None and self.is_connected and channel in self.channels:
            self.heard += 1
            self._receiver.receive(channel, message)

    async def aclose(self) -> None:
        if self in self._exchange.buses:
            self._exchange.buses.remove(self)
        self.is_connected = False
        self._receiver = None
