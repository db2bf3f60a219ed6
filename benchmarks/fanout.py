"""What does an event to everybody cost, beside Node's server, python-socketio and a bare loop of send calls?

One server a side, all at once, each with clients of its own that count what arrives; the sides take turns. What
counts is the CPU time of the server's process for one delivery (one event, one client): an event of 167 bytes, one
in each turn of the loop or 16. The floor is a loop of `os.write` over the same number of sockets.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.harness.confidence import median, ratio_of_medians
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.peers import Missing, npm_packages, python_packages
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError
from benchmarks.harness.product import ROOT
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.socketio_load import SocketIOLoad

SEED = 20260302
EVENT = "dashboard:update"
PEERS = ROOT / "benchmarks" / "harness" / "fanout_peers.py"
NODE = ROOT / "benchmarks" / "load" / "fanout_node.cjs"
FEW = 16
"""For a server that takes long for each."""
PORT = "PORT"
"""In a command, where the port has to stand."""
CHUNK = 96
"""Events between two looks at what has arrived; they fit in a socket's buffers, so no server meets a full one."""


@dataclass(frozen=True, slots=True)
class Form:
    rounds: int
    cpu_s: float
    """About what one turn of a side shall take."""
    quick: bool


FULL, QUICK = Form(rounds=7, cpu_s=2.0, quick=False), Form(rounds=3, cpu_s=0.6, quick=True)


@dataclass(frozen=True, slots=True)
class Side:
    """One server with its clients, and what it is asked to emit."""

    program: Program
    load: SocketIOLoad
    clients: int
    expected_us: float
    """How much CPU time a delivery is thought to take; decides how many there are."""
    a_turn: int = 1
    kind: str = "text"
    counted_as: str = EVENT


def run(options: Options) -> Report:
    """Raises `StartError` when a server does not start or loses events."""
    form, report = QUICK if options.quick else FULL, Report()
    with ExitStack() as stack:
        house = House(stack, options, report)
        found = _rounds(form, _sides_of_1000(house, form), options)
    if not form.quick:
        with ExitStack() as stack:
            house = House(stack, options, report)
            found |= _rounds(form, _sides_of_5000(house), options)
    for name, rounds in found.items():
        report.add(name, median(rounds), "us CPU a delivery")
    for crowd in ("1,000", "5,000"):
        _target(report, found, f"native, {crowd}", f"Node, {crowd}", 0.5)
        _target(report, found, f"native, {crowd}", f"raw send loop, {crowd}", 1.25)
    _target(report, found, "native, 1,000, 16 a turn", "Node, 1,000", 0.1)
    report.notes.append(f"{form.rounds} rounds, medians; a ratio's interval is from 2,000 resamples of rounds")
    return report


def _target(report: Report, found: Mapping[str, list[float]], ours: str, theirs: str, bound: float) -> None:
    if ours not in found or theirs not in found:
        return
    ratio = ratio_of_medians([[us] for us in found[ours]], [[us] for us in found[theirs]], Random(SEED))
    name = f"{ours}: times {theirs.split(',')[0]}"
    report.add(name, ratio.value, f"x (95 %: {ratio.low:.3g} to {ratio.high:.3g})")
    report.targets.append(at_most(name, ratio.value, bound, "x"))


def _rounds(form: Form, sides: Mapping[str, Side], options: Options) -> dict[str, list[float]]:
    def turn(side: Side) -> Callable[[], float]:
        return lambda: _measured(side, form)

    return interleaved(form.rounds, {name: turn(side) for name, side in sides.items()}, options.say)


def _measured(side: Side, form: Form) -> float:
    """Microseconds of CPU time a delivery."""
    wanted = int(form.cpu_s * 1e6 / side.expected_us / side.clients)
    chunk = CHUNK if wanted > CHUNK else FEW
    events = max(1, wanted // chunk) * chunk
    before_s, deliveries = side.program.usage().cpu_s, events * side.clients
    for _ in range(0, events, chunk):
        side.load.expect(side.counted_as, chunk * side.clients, within_s=60)
        side.load.send(f'42["go",{chunk},{side.a_turn},"{side.kind}"]', who=0)
        arrived, have = side.load.reached()
        if not arrived:
            raise StartError(f"only {have} of {chunk * side.clients} events arrived; see {side.program.log}")
    return 1e6 * (side.program.usage().cpu_s - before_s) / deliveries


# ---- The servers ---------------------------------------------------------------------------------------------


class House:
    """Starts servers and connects their clients."""

    def __init__(self, stack: ExitStack, options: Options, report: Report) -> None:
        self._stack = stack
        self._options = options
        self._report = report

    def crowd(
        self, name: str, command: list[str | Path], clients: int, *, deflate: bool = False
    ) -> tuple[Program, SocketIOLoad]:
        self._options.say(f"starting {name}")
        return self._stack.enter_context(crowd(name, command, clients, self._options, deflate=deflate))

    def ours(self, door: str, clients: int) -> tuple[Program, SocketIOLoad]:
        command: list[str | Path] = [sys.executable, "-m", "benchmarks.harness.fanout_server", door, PORT]
        return self.crowd(f"fanout-{door}", command, clients, deflate=door == "deflate")

    def raw(self, clients: int) -> tuple[Program, SocketIOLoad]:
        return self.crowd("fanout-raw", [sys.executable, PEERS, "raw", PORT], clients)

    def node(self, clients: int, *, deflate: bool = False) -> tuple[Program, SocketIOLoad] | None:
        node = shutil.which("node")
        found = Missing("Node", "no node on this machine") if node is None else npm_packages(
            "socket.io", ["socket.io@4.8.4"]
        )  # fmt: skip
        if isinstance(found, Missing):
            self._missing(found)
            return None
        os.environ["NODE_PATH"] = str(found / "node_modules")
        return self.crowd(
            f"fanout-node{'-deflate' * deflate}",
            [str(node), NODE, PORT, *["deflate"] * deflate],
            clients,
            deflate=deflate,
        )

    def python_socketio(self, clients: int) -> tuple[Program, SocketIOLoad] | None:
        python = python_packages("python-socketio", ("python-socketio==5.18.1", "uvicorn[standard]==0.54.0"))
        if isinstance(python, Missing):
            self._missing(python)
            return None
        return self.crowd("fanout-python-socketio", [python, PEERS, "python-socketio", PORT], clients)

    def _missing(self, missing: Missing) -> None:
        self._report.add(missing.name, None, f"missing: {missing.reason}")


def _sides_of_1000(house: House, form: Form) -> dict[str, Side]:
    many, sides = 1_000, dict[str, Side]()
    native, raw, node = house.ours("native", many), house.raw(many), house.node(many)
    sides["native, 1,000"] = Side(*native, many, 4)
    sides["native, 1,000, 16 a turn"] = Side(*native, many, 0.5, a_turn=16)
    sides["raw send loop, 1,000"] = Side(*raw, many, 4)
    if node is not None:
        sides["Node, 1,000"] = Side(*node, many, 8)
        sides["Node, 1,000, 16 a turn"] = Side(*node, many, 8, a_turn=16)
    if (socketio := house.python_socketio(many)) is not None:
        sides["python-socketio, 1,000"] = Side(*socketio, many, 50)
    if form.quick:
        return sides
    sides["native, 1,000, binary"] = Side(*native, many, 4, kind="binary")
    if node is not None:
        sides["Node, 1,000, binary"] = Side(*node, many, 8, kind="binary")
    sides["ASGI, 1,000"] = Side(*house.ours("asgi", many), many, 12)
    sides["native, 1,000, deflated"] = Side(*house.ours("deflate", many), many, 4, counted_as="(deflated)")
    if node is not None and (deflating := house.node(many, deflate=True)) is not None:
        sides["Node, 1,000, deflated"] = Side(*deflating, many, 100, counted_as="(deflated)")
    return sides


def _sides_of_5000(house: House) -> dict[str, Side]:
    many, sides = 5_000, dict[str, Side]()
    sides["native, 5,000"] = Side(*house.ours("native", many), many, 4)
    sides["raw send loop, 5,000"] = Side(*house.raw(many), many, 4)
    if (node := house.node(many)) is not None:
        sides["Node, 5,000"] = Side(*node, many, 10)
    return sides


@contextmanager
def crowd(
    name: str, command: list[str | Path], clients: int, options: Options, *, deflate: bool = False
) -> Iterator[tuple[Program, SocketIOLoad]]:
    port, log = free_port(), CACHE / "run" / name / "server.log"
    words = [str(port) if word == PORT else word for word in command]
    with Program(words, log=log, cores=options.cores.server, cwd=ROOT) as program:
        program.wait_until(_listens(port))
        with SocketIOLoad(port, cores=options.cores.load) as load:
            if deflate:
                load.offer_deflate()
            connected = load.connect(clients)
            if connected.failed:
                raise StartError(f"{name}: {connected.failed} clients did not connect: {connected.error}")
            yield program, load


def _listens(port: int) -> Callable[[], bool]:
    import socket

    def ready() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            return False
        return True

    return ready
