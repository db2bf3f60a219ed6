"""Emissions that leave together: joined once for all who get the same ones, and one write to each of these."""

from __future__ import annotations

from collections.abc import Sequence
from os import write
from typing import TYPE_CHECKING

import structlog

from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.server.outflow import HIGH_WATER

if TYPE_CHECKING:
    from steinmetz.realtime.server.socket import Socket
    from steinmetz.realtime.server.transport import Wire

log = structlog.get_logger("steinmetz.realtime")

MAX_EMISSIONS = 1_000
MAX_BYTES = 65_536
"""Of all emissions of a batch, because joining copies them; a single larger one is a batch of its own."""
MAX_AUDIENCES = 64
MAX_MEMBERS = 20_000
"""Of all audiences of a batch, if there are several: who is in which of them takes 0.1 us for each to find out."""


class Run:
    """The same emissions for each of ``sockets``."""

    __slots__ = ("_deflated", "_frames", "emissions", "size", "sockets")

    def __init__(self, emissions: list[tuple[Outgoing, Flags]], sockets: Sequence[Socket]) -> None:
        self.emissions = emissions
        self.sockets = sockets
        self.size = sum(outgoing.size for outgoing, _ in emissions)
        self._frames: bytes | None = None
        self._deflated: bytes | None = None

    @property
    def frames(self) -> bytes:
        if self._frames is None:
            self._frames = _joined([outgoing.frames for outgoing, _ in self.emissions])
        return self._frames

    def deflated(self, threshold: int) -> bytes:
        if self._deflated is None:
            self._deflated = _joined([outgoing.deflated(threshold) for outgoing, _ in self.emissions])
        return self._deflated


class Batch:
    """What a namespace has said in one turn of the loop, and how far it has been written.

    It grows until it is first written to. Audiences are told apart by identity: an adapter gives the same tuple
    for a room as long as nobody joins or leaves it.
    """

    __slots__ = ("_ahead", "_audience_of", "_audiences", "_members", "_places", "_position", "_runs", "_sets",
                 "bytes", "delivered_bytes", "deliveries", "emissions")  # fmt: skip

    def __init__(self) -> None:
        self.bytes = 0
        self.deliveries = 0
        """Of the last `write`: emissions, once for each recipient; and their bytes."""
        self.delivered_bytes = 0
        self.emissions: list[tuple[Outgoing, Flags]] = []
        self._audience_of: list[int] = []
        self._audiences: list[Sequence[Socket]] = []
        self._sets: list[frozenset[Socket] | None] = []
        self._members = 0
        self._ahead: dict[Socket, int] = {}
        """How many emissions of this batch those have got already to whom something else was said."""
        self._runs: list[Run] | None = None
        self._position = 0
        self._places: dict[Socket, int] | None = None

    # -- while it grows -----------------------------------------------------------------------------------------

    def takes(self, sockets: Sequence[Socket], outgoing: Outgoing) -> bool:
        """Whether there is room for this emission."""
        if (
            self._runs is not None
            or self.bytes + outgoing.size > MAX_BYTES
            or len(self.emissions) >= MAX_EMISSIONS
        ):
            return False
        is_known = any(sockets is known for known in self._audiences)
        return is_known or (len(self._audiences) < MAX_AUDIENCES and self._members + len(sockets) <= MAX_MEMBERS)

    def add(self, sockets: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
        number = next((n for n, known in enumerate(self._audiences) if sockets is known), len(self._audiences))
        if number == len(self._audiences):
            self._audiences.append(sockets)
            self._sets.append(None)
            self._members += len(sockets)
        self._audience_of.append(number)
        self.emissions.append((outgoing, flags))
        self.bytes += outgoing.size

    def give(self, socket: Socket) -> None:
        """To ``socket`` now what is in here for it; it will not get it again."""
        if self._runs is not None and self._place(socket) < self._position:
            return
        given = self._ahead.get(socket, 0)
        if mine := self._for(socket, given):
            self._ahead[socket] = len(self.emissions)
            _send(socket, mine)

    def _for(self, socket: Socket, start: int) -> list[tuple[Outgoing, Flags]]:
        """What ``socket`` gets of the emissions from ``start`` on."""
        if start == len(self.emissions):
            return []
        is_member = [self._is_in(socket, number) for number in range(len(self._audiences))]
        if not any(is_member):
            return []
        numbered = zip(self._audience_of[start:], self.emissions[start:], strict=True)
        return [emission for number, emission in numbered if is_member[number]]

    def _is_in(self, socket: Socket, number: int) -> bool:
        members = self._sets[number]
        if members is None:
            members = self._sets[number] = frozenset(self._audiences[number])
        return socket in members

    def _place(self, socket: Socket) -> int:
        """Where in the order of writing; the end for one who gets nothing."""
        if self._places is None:
            sockets = [socket for run in self._runs or () for socket in run.sockets]
            self._places = {socket: place for place, socket in enumerate(sockets)}
        return self._places.get(socket, len(self._places))

    # -- when it leaves -----------------------------------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        return self._runs is not None and self._position >= sum(len(run.sockets) for run in self._runs)

    def write(self, budget: int, threshold: int | None) -> int:
        """To at most ``budget`` sockets; how many it were."""
        if self._runs is None:
            self._runs = self._grouped()
        written, begin = 0, 0
        self.deliveries = self.delivered_bytes = 0
        for run in self._runs:
            start = max(0, self._position - begin)
            begin += len(run.sockets)
            if start < len(run.sockets) and written < budget:
                sockets = run.sockets[start : start + budget - written]
                self._position += len(sockets)
                written += len(sockets)
                self.deliveries += len(sockets) * len(run.emissions)
                self.delivered_bytes += len(sockets) * run.size
                self._write_run(run, sockets, threshold)
        return written

    def _grouped(self) -> list[Run]:
        """Those together who get the same emissions."""
        if len(self._audiences) == 1:
            return [Run(self.emissions, self._audiences[0])]
        bits: dict[Socket, int] = {}
        for number, sockets in enumerate(self._audiences):
            for socket in sockets:
                bits[socket] = bits.get(socket, 0) | 1 << number
        groups: dict[int, list[Socket]] = {}
        for socket, bit in bits.items():
            groups.setdefault(bit, []).append(socket)
        numbered = list(zip(self._audience_of, self.emissions, strict=True))
        return [
            Run([emission for number, emission in numbered if bit >> number & 1], sockets)
            for bit, sockets in groups.items()
        ]

    def _write_run(self, run: Run, sockets: Sequence[Socket], threshold: int | None) -> None:
        if self._ahead:
            behind = [socket for socket in sockets if socket not in self._ahead]
            if len(behind) < len(sockets):
                for socket in sockets:
                    if (given := self._ahead.get(socket)) is not None:
                        _send(socket, self._for(socket, given))
                sockets = behind
        if threshold is None:
            _write(sockets, run)
        else:
            _write_either(sockets, run, threshold)


def _write(sockets: Sequence[Socket], run: Run) -> None:
    """The loop that everything here is for: between two system calls stands as little as possible."""
    frames = run.frames
    size = len(frames)
    for socket in sockets:
        if socket.connected:
            wire = socket.client.wire
            if wire is None or size > HIGH_WATER:
                _send(socket, run.emissions)
            elif (fd := wire.fd) >= 0:
                try:
                    written = write(fd, frames)
                except OSError:  # full, or broken: the stream finds that out, too, and says so in its own way
                    written = 0
                if written != size:
                    _put_rest(wire, frames, written)
            elif wire.credit >= size or wire.has_room(size):
                _put_rest(wire, frames, 0)
            else:
                _send(socket, run.emissions)


def _write_either(sockets: Sequence[Socket], run: Run, threshold: int) -> None:
    """`_write` for a server some of whose clients inflate."""
    for socket in sockets:
        if socket.connected:
            wire = socket.client.wire
            if wire is None:
                _send(socket, run.emissions)
                continue
            frames = run.deflated(threshold) if wire.deflates else run.frames
            if wire.credit >= len(frames) or wire.has_room(len(frames)):
                try:
                    wire.put(frames)
                except Exception as error:
                    _failed(wire, error)
            else:
                _send(socket, run.emissions)


def _put_rest(wire: Wire, frames: bytes, written: int) -> None:
    try:
        wire.put_rest(frames, written)
    except Exception as error:
        _failed(wire, error)


def _send(socket: Socket, emissions: Sequence[tuple[Outgoing, Flags]]) -> None:
    """One by one, to somebody for whom it matters what each of them is."""
    if socket.connected:
        client = socket.client
        try:
            for outgoing, flags in emissions:
                client.send_flagged(outgoing, flags)
        except Exception as error:
            log.error("Sending to a client failed", error=type(error).__name__, exc_info=error)
            client.transport.abort()


def _failed(wire: Wire, error: Exception) -> None:
    """One broken stream costs nobody else his message."""
    log.error("Writing to a client failed", error=type(error).__name__, exc_info=error)
    wire.stream.abort()


def _joined(frames: list[bytes]) -> bytes:
    return frames[0] if len(frames) == 1 else b"".join(frames)
