"""What does an event cost the servers of a cluster: who says it, who has listeners, who has none, and Redis?

A text event of 167 bytes to one room, over a real Redis. One node has a member in the room (it checks the message,
finds the room, builds the one frame that all members get), one has none. Beside it a server of python-socketio
that has nobody in the room, over the same Redis. CPU time of each process per event.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness.cluster_node import PREFIX, SECRET, Screen
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program
from benchmarks.harness.report import Report, at_most
from steinmetz.realtime.adapters.base import RELIABLE, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.redis import redis_cluster
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

TEXT = "x" * 150
BURST = 50
"""Events in a turn of the loop: what one commit tells, or a busy second."""


def run(options: Options) -> Report:
    report = Report()
    program = debian_program("redis-server", "redis-server", may_install=options.may_install)
    if isinstance(program, Missing):
        report.add("all", None, program.reason)
        return report
    rounds, events = (3, 20_000) if options.quick else (7, 60_000)
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        command: list[str | Path] = [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            folder,
        ]
        redis = stack.enter_context(Program(command, log=folder / "redis.log", cores=options.cores.load))
        redis.wait_until(lambda: _listens(port))
        url = f"redis://127.0.0.1:{port}/0"
        nodes = {
            "node with members": _node(stack, folder, options, "ours", url, "room"),
            "node without members": _node(stack, folder, options, "ours", url),
            "python-socketio without members": _node(stack, folder, options, "python-socketio", url),
        }
        measured = {**nodes, "Redis": redis}
        with pinned(options.cores.server):
            taken = asyncio.run(_measure(url, measured, nodes["node with members"], rounds, events, options))
    for who, costs in taken.items():
        report.add(f"{who}, CPU an event", median(costs), "us")
    without = median(taken["node without members"])
    peer = median(taken["python-socketio without members, its own events"])
    report.add("node without members / python-socketio's", without / peer if peer else None, "")
    report.targets.append(at_most("node without members, CPU an event", without, 0.5, "us"))
    report.targets.append(at_most("Redis, CPU an event", median(taken["Redis"]), 15, "us"))
    report.targets.append(at_most("node with members, CPU an event", median(taken["node with members"]), 60, "us"))
    report.notes.append(f"{rounds} rounds of {events} events in bursts of {BURST}; medians")
    return report


async def _measure(
    url: str, measured: dict[str, Program], listener: Program, rounds: int, events: int, options: Options
) -> dict[str, list[float]]:
    cluster = redis_cluster(url, secret=SECRET, prefix=PREFIX)
    screen = Screen()
    adapter = cluster.adapter(screen, MemoryAdapter(screen))
    cluster.node.start()
    await _until(lambda: len(cluster.node.peers.up()) == 2)
    taken: dict[str, list[float]] = {}
    event, end = (encode(Packet(PacketType.EVENT, "/", [name, TEXT])) for name in ("event", "end"))
    room = Selection(frozenset(("room",)))
    for number in range(1, rounds + 1):
        options.say(f"round {number}")
        before = {who: program.usage().cpu_s for who, program in measured.items()}
        said_s = time.process_time()
        for _ in range(events // BURST):
            for _ in range(BURST):
                adapter.broadcast(room, event, RELIABLE)
            await asyncio.sleep(0.002)
        adapter.broadcast(room, end, RELIABLE)
        await _until(lambda number=number: f"done {number}\n" in listener.log.read_text())  # type: ignore[misc]
        said_s = time.process_time() - said_s
        for who, program in measured.items():
            taken.setdefault(who, []).append(1e6 * (program.usage().cpu_s - before[who]) / events)
        taken.setdefault("node that says it", []).append(1e6 * said_s / events)
        taken.setdefault("python-socketio without members, its own events", []).append(
            await _of_python_socketio(url, measured["python-socketio without members"], events)
        )
    await cluster.node.aclose()
    del taken["python-socketio without members"]
    return taken


async def _of_python_socketio(url: str, server: Program, events: int) -> float:
    """Microseconds of the server that nobody is connected to, for an event that another one says."""
    import socketio

    manager = socketio.AsyncRedisManager(url, write_only=True)
    before_s = server.usage().cpu_s
    for _ in range(events):
        await manager.emit("event", TEXT, room="room")
    last_s = -1.0
    while server.usage().cpu_s != last_s:
        last_s = server.usage().cpu_s
        await asyncio.sleep(0.3)
    return 1e6 * (server.usage().cpu_s - before_s) / events


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  another process says it in its log
            await asyncio.sleep(0.02)


def _node(stack: ExitStack, folder: Path, options: Options, which: str, url: str, *rooms: str) -> Program:
    command = [sys.executable, "-m", "benchmarks.harness.cluster_node", which, url, *rooms]
    log = folder / f"{which}-{len(rooms)}.log"
    node = stack.enter_context(Program(command, log=log, cores=options.cores.load))
    node.wait_until(lambda: "ready" in log.read_text())
    return node


def _listens(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0
