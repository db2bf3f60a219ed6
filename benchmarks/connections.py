"""What does a connection cost: to be made, to be kept while idle, and when thousands of them are gone at once?

One core for the server, another for the load. Each client connects over a WebSocket, shows a JWT, is put into two
rooms (one for all, one of its own) and hears an event. The server is asked for a full collection before its memory
is read, so that what counts is what the clients hold. Then the load client is killed: the kernel ends all its
connections at once, and the server's own loop says how long it stood still and when the last client was gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.socketio_load import LoadClientError, SocketIOLoad
from benchmarks.harness.sockets import (
    ASK_S,
    NODE,
    OURS,
    OURS_RECOVERING,
    Running,
    Start,
    connect,
    most_sockets,
    servers,
)
from steinmetz.clock import SystemClock

PATIENCE_S = 120.0
BOUND_KB = 6.0
BOUND_CONNECT = 0.5
BOUND_GONE_S = 1.0
BOUND_STALL_MS = 150.0


@dataclass(frozen=True, slots=True)
class Form:
    """Clients in three steps: measured while they connect, idle, and gone at once."""

    rounds: int
    warm: int
    connecting: int
    idle: int
    gone: int
    peers_gone: bool = True


FULL = Form(rounds=3, warm=300, connecting=5_000, idle=10_000, gone=20_000)
QUICK = Form(rounds=1, warm=300, connecting=2_000, idle=4_000, gone=8_000, peers_gone=False)


@dataclass(frozen=True, slots=True)
class Taken:
    connect_us: float
    idle_kb: float
    collection_ms: float
    """CPU time of a full collection."""
    idle_ms: tuple[float, float] | None
    """The same by our own policy, in an idle moment: all new clients, and the next time."""
    gone: int
    gone_s: float
    """From the kill to the last client's end; NaN if it was not measured."""
    gone_cpu_s: float
    stall_ms: float
    turn_ms: float
    """CPU time of the longest turn of the loop: the stall on a machine that does nothing else."""
    is_silent: bool
    """It answered nothing any more when they were gone."""


def run(options: Options) -> Report:
    """Raises `StartError`, and `LoadClientError` when a server does not admit its clients."""
    form, report = QUICK if options.quick else FULL, Report()
    most = most_sockets(form.gone)
    sides = servers(options)

    silent: set[str] = set()
    """Peers that a mass disconnect has silenced: once is enough to know."""

    def turn(name: str, start: Start) -> Callable[[], Taken]:
        def taken() -> Taken:
            gone = most if (name == OURS or form.peers_gone) and name not in silent else 0
            found = _measured(start, form, gone, options, is_ours=name in (OURS, OURS_RECOVERING))
            if found.is_silent:
                silent.add(name)
            return found

        return taken

    found = interleaved(form.rounds, {name: turn(name, start) for name, start in sides.found.items()}, options.say)
    for name, rounds in found.items():
        report.add(f"{name}: connect, JWT, first event", median([each.connect_us for each in rounds]), "us of CPU")
        report.add(f"{name}: idle connection", median([each.idle_kb for each in rounds]), "kB RSS")
        report.add(f"{name}: full collection", median([each.collection_ms for each in rounds]), "ms of CPU")
        if name in (OURS, OURS_RECOVERING):
            first, then = zip(*[each.idle_ms for each in rounds if each.idle_ms], strict=True)
            report.add(f"{name}: collection while idle, all clients new", median(first), "ms of CPU")
            report.add(f"{name}: collection while idle, the next", median(then), "ms of CPU")
        said = f"{name}: {rounds[0].gone} gone at once"
        if name in silent:
            report.add(f"{said}, cleaned", None, f"answers nothing for {ASK_S:.0f} s")
        elif rounds[0].gone:
            report.add(f"{said}, cleaned", median([each.gone_s for each in rounds]), "s")
            report.add(f"{said}, cleaned", median([each.gone_cpu_s for each in rounds]), "s of CPU")
            report.add(f"{said}, longest stall", median([each.stall_ms for each in rounds]), "ms")
            report.add(f"{said}, longest turn", median([each.turn_ms for each in rounds]), "ms of CPU")
    for missing in sides.missing:
        report.add(missing.name, None, f"missing: {missing.reason}")
    _targets(report, found)
    report.notes.append(
        f"medians of {form.rounds} rounds; connect at {form.connecting} clients, idle and collection at "
        f"{form.idle}; memory is what clients {form.warm + 1} to {form.idle} added"
    )
    return report


def _targets(report: Report, found: dict[str, list[Taken]]) -> None:
    mine = found[OURS]
    for name in (OURS, OURS_RECOVERING):
        if name in found:
            idle_kb = median([each.idle_kb for each in found[name]])
            report.targets.append(at_most(f"{name}: idle connection", idle_kb, BOUND_KB, "kB"))
    if NODE in found:
        share = median([each.connect_us for each in mine]) / median([each.connect_us for each in found[NODE]])
        report.targets.append(at_most("connect, share of Node's CPU", share, BOUND_CONNECT))
    report.targets.append(
        at_most("gone at once, cleaned", median([each.gone_s for each in mine]), BOUND_GONE_S, "s")
    )
    report.targets.append(
        at_most("gone at once, longest stall", median([each.stall_ms for each in mine]), BOUND_STALL_MS, "ms")
    )


def _measured(start: Start, form: Form, gone: int, options: Options, *, is_ours: bool) -> Taken:
    with start() as server, server.load(options.cores.load) as load:
        connect(load, form.warm)
        server.ask("/collect")
        before = server.usage()
        connect(load, form.connecting)
        _heard(load, form.warm + form.connecting)
        connecting = server.usage() - before
        connect(load, form.idle - form.warm - form.connecting)
        _heard(load, form.idle)
        idle_ms = None
        if is_ours:
            answer = server.ask("/idle")
            idle_ms = (answer["firstMs"], answer["thenMs"])
        collection_ms = server.ask("/collect")["cpuMs"]
        idle = server.usage() - before
        gone_s = gone_cpu_s = stall_ms = turn_ms = float("nan")
        is_silent = False
        if gone:
            if gone > form.idle:
                connect(load, gone - form.idle)
            crowded = server.usage()
            try:
                gone_s, figures = _vanished(server, load)
            except TimeoutError:
                if is_ours:
                    raise
                is_silent = True
            else:
                gone_cpu_s = (server.usage() - crowded).cpu_s
                stall_ms, turn_ms = figures["worstStallMs"], figures["worstTurnCpuMs"]
    return Taken(
        connect_us=1e6 * connecting.cpu_s / form.connecting,
        idle_kb=idle.rss_bytes / (form.idle - form.warm) / 1000,
        collection_ms=collection_ms,
        idle_ms=idle_ms,
        gone=gone,
        gone_s=gone_s,
        gone_cpu_s=gone_cpu_s,
        stall_ms=stall_ms,
        turn_ms=turn_ms,
        is_silent=is_silent,
    )


def _heard(load: SocketIOLoad, clients: int) -> None:
    """Wait until each has heard "hello". Raises `LoadClientError`."""
    clock, pause = SystemClock(), Event()
    deadline_s = clock.monotonic_s() + PATIENCE_S
    while (heard := load.stats()["events"].get("hello", 0)) < clients:
        if clock.monotonic_s() > deadline_s:
            raise LoadClientError(f"only {heard} of {clients} clients heard their first event")
        pause.wait(0.02)


def _vanished(server: Running, load: SocketIOLoad) -> tuple[float, dict[str, Any]]:
    """Seconds until the last client was gone, and what the server says of its loop meanwhile."""
    clock, pause = SystemClock(), Event()
    server.ask("/begin")
    killed_s = clock.monotonic_s()
    load.vanish()
    deadline_s = killed_s + PATIENCE_S
    # Asked rarely: each question takes a little of the server's time.
    while not (figures := server.ask("/figures"))["emptiedAtS"]:
        if clock.monotonic_s() > deadline_s:
            return float("inf"), figures
        pause.wait(0.25)
    return figures["emptiedAtS"] - killed_s, figures
