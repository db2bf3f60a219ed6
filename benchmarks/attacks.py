"""Does the realtime server stay small, quick and at everybody's service while it is attacked?

Each attack meets a server that serves a well-behaved client, too: it asks for an answer a hundred times a second.
Memory is the peak of the resident memory during an attack over what it was before; a stall is the longest turn of
the server's loop in CPU time of its thread. A server that has served a while is asked, not a fresh one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness.options import Options
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.product import raise_file_limit
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.load.attacks import connections, messages
from benchmarks.load.attacks.peer import Peer, text
from steinmetz.clock import perf_ns

MEMORY_MIB = 5.0
STALL_MS = 50.0
CLOSES_WITHIN_MS = 50.0
PATIENCE_S = 15.0
PAUSE_S = 0.01

Attack = Callable[[int], Awaitable[None]]


class Victim:
    """The server and what is seen of it from outside."""

    def __init__(self, options: Options) -> None:
        self.port = free_port()
        with pinned(options.cores.server):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.load.attacked", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self._proc = Path(f"/proc/{self._process.pid}")
        self._before_kib = 0

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    async with Peer(self.port):
                        return
                except OSError:
                    await asyncio.sleep(0.05)

    def begin(self) -> None:
        """Forget the peaks so far."""
        (self._proc / "clear_refs").write_text("5")
        self._before_kib = self._kib("VmRSS")
        self.tell()

    def tell(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    @property
    def grown_mib(self) -> float:
        return (self._kib("VmHWM") - self._before_kib) / 1024

    def _kib(self, name: str) -> int:
        lines = (self._proc / "status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1])

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(15)


class Customer:
    """The well-behaved client. ``longest_ms`` is its longest wait, on a machine that the attacker shares."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.answers = 0
        self.longest_ms = 0.0

    async def ask(self) -> None:
        began_ns = perf_ns()
        await self._peer.say(text(f'42{self.answers}["echo","are you there?"]'))
        while not (await self._peer.hear())[1].startswith(f"43{self.answers}[".encode()):
            await self._peer.say(text("3"))
        self.answers += 1
        self.longest_ms = max(self.longest_ms, (perf_ns() - began_ns) / 1e6)

    async def go_on(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await self.ask()
            await asyncio.sleep(PAUSE_S)


async def warm_up(port: int) -> None:
    """What a server has seen before: many clients, large messages, polling, a refusal."""
    large = text('42["take","' + "x" * 990_000 + '"]')
    for _ in range(3):
        async with Peer(port) as peer:
            await peer.websocket(admitted=True)
            await peer.say(large)
            await peer.say(text('421["echo",1]'))
            await peer.hear()
    await connections.connection_storm(port)
    await connections.half_open_sessions(port)


async def under(attack: Attack, victim: Victim) -> tuple[dict[str, Any], Customer, str]:
    """What the victim tells after ``attack``, its customer, and what went wrong with either."""
    problem = ""
    over = asyncio.Event()
    async with Peer(victim.port) as peer:
        customer = Customer(await peer.websocket(admitted=True))
        await customer.ask()
        victim.begin()
        serving = asyncio.create_task(customer.go_on(over))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await attack(victim.port)
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            problem = f"the attack ended in {type(error).__name__}"
        over.set()
        try:
            await asyncio.wait_for(serving, PATIENCE_S)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            problem = f"the customer was left alone: {type(error).__name__}"
        told = {**victim.tell(), "grown_mib": victim.grown_mib}
    return told, customer, problem


INVALID = ("4abc", "42{}", '42["disconnect"]', "44{}", "2", "x", '451-["x"]', "43[]")


async def closes_ms(port: int) -> list[float]:
    """From an invalid packet to the Close frame, for each of `INVALID`."""
    found = []
    for packet in INVALID:
        async with Peer(port) as peer:
            await peer.websocket(admitted=True)
            began_ns = perf_ns()
            await peer.say(text(packet))
            while (await peer.hear())[0] != 0x8:
                pass
            found.append((perf_ns() - began_ns) / 1e6)
    return found


@asynccontextmanager
async def warm_victim(options: Options) -> AsyncIterator[Victim]:
    victim = Victim(options)
    try:
        await victim.ready()
        await warm_up(victim.port)
        victim.tell()
        yield victim
    finally:
        victim.stop()


async def _run(options: Options) -> Report:
    report = Report()
    attacks: tuple[Attack, ...] = (*connections.ATTACKS, *messages.ATTACKS)
    at_once = len(attacks) if options.quick else 1  # of one server: after a large attack others seem small
    worst_mib = worst_ms = 0.0
    served = 0
    invalid_ms: list[float] = []
    for first in range(0, len(attacks), at_once):
        async with warm_victim(options) as victim:
            for attack in attacks[first : first + at_once]:
                name = attack.__name__.replace("_", " ")
                options.say(name)
                told, customer, problem = await under(attack, victim)
                report.add(f"{name}: memory", told["grown_mib"], "MiB at the peak")
                report.add(f"{name}: longest turn", told["stall_ms"], f"ms of CPU; {customer.answers} answers")
                report.add(f"{name}: longest wait", customer.longest_ms, problem or "ms, beside the attacker")
                worst_mib, worst_ms = max(worst_mib, told["grown_mib"]), max(worst_ms, told["stall_ms"])
                served += not problem.startswith("the customer")
            invalid_ms += await closes_ms(victim.port)
    report.add("invalid packet to Close frame", median(invalid_ms), "ms, median")
    report.targets += [
        at_least("attacks", len(attacks), 15),
        at_most("resident memory, worst attack", worst_mib, MEMORY_MIB, "MiB"),
        at_most("longest turn of the loop, worst attack", worst_ms, STALL_MS, "ms"),
        at_most("an invalid packet closes within", median(invalid_ms), CLOSES_WITHIN_MS, "ms"),
        at_least("attacks during which the customer was served", served, len(attacks)),
    ]
    return report


def run(options: Options) -> Report:
    raise_file_limit()
    return asyncio.run(_run(options))
