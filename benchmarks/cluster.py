"""What does an event cost the servers of a cluster: who says it, who has listeners, who has none, and Redis?

A text event of 167 bytes to one room, over a real Redis. One node has a member in the room (it checks the message,
finds the room, builds the one frame that all members get), one has none. Beside it a server of python-socketio
that has nobody in the room, over the same Redis. CPU time of each process per event. The same with connection
state recovery, where an event goes through the log that all servers share, and how long members of the node that
says it wait for it then. Last, over two processes: the acknowledgements of 1,000 clients to one event, and all of
them sent away at once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness import rolling_node
from benchmarks.harness.cluster_node import PREFIX, SECRET, Screen, namespace
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program
from benchmarks.harness.redis import redis_server
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.harness.rolling_clients import Fleet
from steinmetz.clock import SystemClock
from steinmetz.realtime import Config, ConnectionStateRecovery, Server
from steinmetz.realtime.adapters.base import RELIABLE, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.redis import redis_cluster
from steinmetz.realtime.socketio.packet import Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

TEXT = "x" * 150
ASKED = 1_000
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
        folder = Path(name)
        redis, url = stack.enter_context(redis_server(program, folder, options.cores.load))
        nodes = {
            "node with members": _node(stack, folder, options, "ours", url, "room"),
            "node without members": _node(stack, folder, options, "ours", url),
            "python-socketio without members": _node(stack, folder, options, "python-socketio", url),
        }
        measured = {**nodes, "Redis": redis}
        recording = _node(stack, folder, options, "recorded", url, "room")
        with pinned(options.cores.server):
            taken = asyncio.run(_measure(url, measured, nodes["node with members"], rounds, events, options))
            options.say("with recovery")
            recorded = asyncio.run(_recorded(url, redis, recording, rounds, events // 4))
            for node in (*nodes.values(), recording):
                node.stop()
            options.say("over two processes")
            asyncio.run(_over_processes(stack, folder, options, url, report))
    for who, costs in recorded.items():
        report.add(f"with recovery: {who}", median(costs), "us")
    report.targets.append(
        at_most("with recovery: Redis, CPU an event", median(recorded["Redis, CPU an event"]), 60, "us")
    )
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


async def _recorded(
    url: str, redis: Program, listener: Program, rounds: int, events: int
) -> dict[str, list[float]]:
    """The same by way of the log, and how long a member of the node that says it waits, one event at a time."""
    screen = Screen()
    cluster, adapter = namespace(url, screen, recorded=True)
    adapter.add(f"{cluster.tag}-member", f"{cluster.tag}-member")
    adapter.join(f"{cluster.tag}-member", "room")
    cluster.node.start()
    await _until(lambda: len(cluster.node.peers.up()) == 1 and adapter.is_recording)
    taken: dict[str, list[float]] = {}
    event, end = (encode(Packet(PacketType.EVENT, "/", [name, TEXT])) for name in ("event", "end"))
    room, clock = Selection(frozenset(("room",))), SystemClock()
    for number in range(1, rounds + 1):
        before = {"Redis": redis.usage().cpu_s, "node with members": listener.usage().cpu_s}
        said_s = time.process_time()
        for _ in range(events // BURST):
            for _ in range(BURST):
                adapter.broadcast(room, event, RELIABLE)
            await asyncio.sleep(0.002)
        adapter.broadcast(room, end, RELIABLE)
        await _until(lambda number=number: f"done {number}\n" in listener.log.read_text())  # type: ignore[misc]
        said_s = time.process_time() - said_s
        for who, program in (("Redis", redis), ("node with members", listener)):
            cost_s = program.usage().cpu_s - before[who]
            taken.setdefault(f"{who}, CPU an event", []).append(1e6 * cost_s / events)
        cost_us = 1e6 * said_s / events
        taken.setdefault("node that says it and has a member, CPU an event", []).append(cost_us)
    waits = []
    for _ in range(500):
        heard, began_s = screen.frames, clock.monotonic_s()
        adapter.broadcast(room, event, RELIABLE)
        while screen.frames == heard:  # noqa: ASYNC110  another process is asked
            await asyncio.sleep(0)
        waits.append(1e6 * (clock.monotonic_s() - began_s))
    taken["a member of the node that says it waits"] = waits
    await cluster.node.aclose()
    return taken


async def _over_processes(stack: ExitStack, folder: Path, options: Options, url: str, report: Report) -> None:
    """What this process asks of clients that are all connected to another one."""
    port, clock = free_port(), SystemClock()
    command = [sys.executable, "-m", "benchmarks.harness.rolling_node", str(port), "other", url, "20", "1000"]
    log = folder / "other.log"
    other = stack.enter_context(Program(command, log=log, cores=options.cores.load))
    other.wait_until(lambda: "ready" in log.read_text())
    io = Server(Config(connection_state_recovery=ConnectionStateRecovery()), cluster=rolling_node.cluster_of(url))
    await io.start()
    fleet = Fleet(lambda: [port], 20)
    await fleet.come(ASKED)
    await _until(lambda: io.cluster is not None and len(io.cluster.node.peers.up()) == 1)
    began_s = clock.monotonic_s()
    answers = await io.timeout(30).emit_with_ack("ready?")
    report.add(
        f"acknowledgements of {len(answers):,} clients at another server", clock.monotonic_s() - began_s, "s"
    )
    report.targets.append(at_least("clients that have acknowledged", len(answers), ASKED, ""))
    began_s = clock.monotonic_s()
    io.disconnect_sockets()
    await _until(lambda: sum(client.is_sent_away for client in fleet.clients) == ASKED)
    report.targets.append(at_most(f"{ASKED:,} of another server sent away", clock.monotonic_s() - began_s, 1, "s"))
    await io.shutdown()


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
