"""The port between a cluster and what carries its messages, and a bus within one process for tests and models.

A bus promises little: what one node publishes is mostly heard, mostly once and mostly in order by those who have
subscribed to the channel. What it loses, doubles or turns around is noticed and mended above it (`node.Node`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Protocol

from steinmetz.realtime.recovery.record import Record, Stamp


class Receiver(Protocol):
    """Whoever listens on a bus; called on the event loop only."""

    def receive(self, channel: str, message: bytes, stamp: Stamp | None = None) -> None:
        """``message`` was published on ``channel``, by another node or by this one; ``stamp``: it is in a log."""

    def unrecorded(self, record: Record) -> None:
        """The log does not take ``record``: it has no room."""

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

    def record(self, record: Record) -> None:
        """Put ``record`` into its log, and let its channels have it; while out of reach it is dropped.

        Records are heard in the order of their positions, and in one order with what is published. None is lost
        on its way to somebody who listens unless he is told that the bus was `Receiver.lost`.
        """

    def forget(self, namespace: str) -> None:
        """The log of ``namespace`` is not whole: it begins a new life, and nobody is recovered across that."""

    def subscribe(self, channel: str) -> None:
        """Hear ``channel``, also after the connection was lost and has come back."""

    def stands(self, channel: str) -> bool:
        """Whether ``channel`` is heard for certain by now."""

    async def settle(self, channels: Collection[str]) -> None:
        """Wait until each of ``channels`` `stands`. Raises `OSError` when the bus is out of reach."""

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
        self.waiting: deque[tuple[MemoryBus, str, bytes, Stamp | None]] = deque()
        self.on_publish: Callable[[], None] = lambda: None
        self.logs: dict[str, list[Record]] = {}
        """By namespace; positions count from 1."""
        self.lives: Counter[str] = Counter()

    def step(self, at: int = 0) -> None:
        """Let the message at place ``at`` of the line arrive: another than the first turns the order around."""
        self.waiting.rotate(-at)
        bus, channel, message, stamp = self.waiting.popleft()
        self.waiting.rotate(at)
        bus.hear(channel, message, stamp)

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
        if self.is_connected:
            self._publish(channel, message, None)
            self._exchange.on_publish()

    def _publish(self, channel: str, message: bytes, stamp: Stamp | None) -> None:
        for bus in self._exchange.buses:
            if channel in bus.channels and bus.is_connected:
                for _ in range(self._exchange.fault(channel, message)):
                    self._exchange.waiting.append((bus, channel, message, stamp))

    def record(self, record: Record) -> None:
        if not self.is_connected:
            return
        log = self._exchange.logs.setdefault(record.namespace, [])
        known = [at for at, each in enumerate(log, 1) if (each.node, each.number) == (record.node, record.number)]
        ways = [record.own] if known else [record.own, *record.channels]
        if not known:
            log.append(record)
        for channel, head in ways:
            life = b"life %d" % self._exchange.lives[record.namespace]
            self._publish(channel, head + record.body, Stamp(life, known[0] if known else len(log)))
        self._exchange.on_publish()

    def forget(self, namespace: str) -> None:
        if self.is_connected:
            self._exchange.lives[namespace] += 1

    def stands(self, channel: str) -> bool:
        return channel in self.channels

    async def settle(self, channels: Collection[str]) -> None:
        if not self.is_connected:
            raise OSError("the bus is out of reach")

    def subscribe(self, channel: str) -> None:
        self.channels.add(channel)

    def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)

    def hear(self, channel: str, message: bytes, stamp: Stamp | None = None) -> None:
        if self._receiver is not None and self.is_connected and channel in self.channels:
            self.heard += 1
            self._receiver.receive(channel, message, stamp)

    async def aclose(self) -> None:
        if self in self._exchange.buses:
            self._exchange.buses.remove(self)
        self.is_connected = False
        self._receiver = None
