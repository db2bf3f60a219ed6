"""What does one client that does not read cost the server, and those who do?

A flood of 5 MB/s to everybody, 60 s long, with and without one client that connects and then reads nothing; once
it has been cut off it comes back, as the stock client does. The two take turns. What counts is how far the memory
of the server grows in a run, and how long an event takes to the others: the ratio of the two p99, its median over
all pairs of runs. Beside it, how far the memory of Node's server and of python-socketio grows in the same flood.
"""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from benchmarks.fanout import House
from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.pinning import stand_back
from benchmarks.harness.processes import Program, StartError
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.socketio_load import Arrivals, SocketIOLoad

READERS = 10
SIZE, A_SECOND = 20_000, 250
COMES_BACK_S = 2.5
LOOK_S = 0.1
UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CONNECT = b"\x81\x82\x00\x00\x00\x0040"


@dataclass(frozen=True, slots=True)
class Form:
    pairs: int
    seconds: float
    peers: bool


FULL, QUICK = Form(pairs=5, seconds=60, peers=True), Form(pairs=5, seconds=3, peers=False)


@dataclass(frozen=True, slots=True)
class Taken:
    p99_ms: float
    grown_bytes: int
    visits: int
    """How often the client that does not read has connected."""


def run(options: Options) -> Report:
    """Raises `StartError` when a server does not start or loses events."""
    form, report = QUICK if options.quick else FULL, Report()
    with ExitStack() as stack:
        program, load = House(stack, options, report).ours("native", READERS)
        load.timed("load")
        _flood(program, load, min(form.seconds, 5.0), stalled=False)
        alone: list[Taken] = []
        beside: list[Taken] = []
        for pair in range(form.pairs):
            options.say(f"pair {pair + 1} of {form.pairs}")
            for stalled in (False, True) if pair % 2 else (True, False):
                (beside if stalled else alone).append(_flood(program, load, form.seconds, stalled=stalled))
        cut_off = _slow_clients(load.port)
    ratios = [with_it.p99_ms / without.p99_ms for with_it, without in zip(beside, alone, strict=True)]
    grown = max(taken.grown_bytes for taken in beside) / 1e6
    report.add("everybody reads, p99", median([taken.p99_ms for taken in alone]), "ms")
    report.add("beside one who does not, p99", median([taken.p99_ms for taken in beside]), "ms")
    for number, (with_it, without) in enumerate(zip(beside, alone, strict=True), 1):
        report.add(f"pair {number}, p99 beside and without him", with_it.p99_ms, f"and {without.p99_ms:.2f} ms")
    report.add("memory grows by at most, everybody reads", max(taken.grown_bytes for taken in alone) / 1e6, "MB")
    report.add("memory grows by at most, beside one who does not", grown, "MB")
    report.add("the one who does not read was here", sum(taken.visits for taken in beside), "times")
    report.add("and was cut off", cut_off, "times")
    report.targets.append(at_most("p99 of the others, times that without it", median(ratios), 1.1, "x"))
    report.targets.append(at_most("memory grows by at most", grown, 2, "MB"))
    if form.peers:
        _peers(options, report, min(form.seconds, 20.0))
    report.notes.append(
        f"{form.pairs} pairs of {form.seconds:g} s, {A_SECOND} events/s of {SIZE:,} bytes to {READERS} readers; "
        f"the one who does not read connects again every {COMES_BACK_S:g} s"
    )
    return report


def _peers(options: Options, report: Report, seconds: float) -> None:
    with ExitStack() as stack:
        house = House(stack, options, report)
        for name, crowd in (("Node", house.node(READERS)), ("python-socketio", house.python_socketio(READERS))):
            if crowd is not None:
                options.say(name)
                crowd[1].timed("load")
                _flood(*crowd, 5.0, stalled=False)
                grown = _flood(*crowd, seconds, stalled=True, comes_back=False).grown_bytes / 1e6
                report.add(f"memory grows by, {name}, {seconds:g} s", grown, "MB")


def _flood(
    program: Program, load: SocketIOLoad, seconds: float, *, stalled: bool, comes_back: bool = True
) -> Taken:
    events = int(A_SECOND * seconds)
    visitor = Visitor(load.port, comes_back=comes_back)
    with Memory(program) as memory, visitor.staying() if stalled else nullcontext():
        load.expect("load", events * READERS, within_s=seconds * 3 + 30)
        load.send(f'42["flood",{SIZE},{A_SECOND},{seconds}]', who=0)
        arrived, have = load.reached()
    if not arrived:
        raise StartError(f"only {have} of {events * READERS} events arrived; see {program.log}")
    took = Arrivals()
    load.arrivals("load", 0, took)
    return Taken(took.quantile_ms(0.99), memory.grown_bytes, visitor.visits)


def _slow_clients(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/slow-clients", timeout=10) as answer:
        return int(answer.read())


class Memory:
    """How far a program's resident memory rises above where it stood."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._first_bytes = self._most_bytes = 0

    @property
    def grown_bytes(self) -> int:
        return self._most_bytes - self._first_bytes

    def _watch(self) -> None:
        stand_back()
        while not self._over.wait(LOOK_S):
            self._most_bytes = max(self._most_bytes, self._program.usage().rss_bytes)

    def __enter__(self) -> Memory:
        self._first_bytes = self._most_bytes = self._program.usage().rss_bytes
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()
        self._most_bytes = max(self._most_bytes, self._program.usage().rss_bytes)


class Visitor:
    """Connects, never reads, and connects again after a while."""

    def __init__(self, port: int, *, comes_back: bool) -> None:
        self._port = port
        self._comes_back = comes_back
        self._over = threading.Event()
        self.visits = 0

    @contextmanager
    def staying(self) -> Iterator[None]:
        thread = threading.Thread(target=self._visit, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _visit(self) -> None:
        stand_back()
        while not self._over.is_set():
            with socket.socket() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
                connection.connect(("127.0.0.1", self._port))
                connection.sendall(UPGRADE.format(port=self._port).encode())
                connection.recv(4_096)
                connection.sendall(CONNECT)
                self.visits += 1
                self._over.wait(COMES_BACK_S if self._comes_back else None)
