"""Does a rolling restart of two servers over Redis lose anything of 5,000 clients?

Each server says a number every 5 ms to one of the rooms in turn (50 clients a room). The first is told to end
(SIGTERM), drains, and a new one takes its place once it has gone; then the second. Clients come back to whichever
server takes them, 0.5 to 1.5 s after their connection ended, as the stock client does.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program
from benchmarks.harness.redis import redis_server
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.harness.rolling_clients import Fleet
from steinmetz.clock import SystemClock

CLIENTS, QUICK_CLIENTS = 5_000, 500
CLIENTS_A_ROOM = 50
DRAIN_PER_S = 500.0
SETTLE_S = 3.0


class Place:
    """Where one server after the other runs."""

    def __init__(self, stack: ExitStack, folder: Path, options: Options, url: str, rooms: int, name: str) -> None:
        self._stack = stack
        self._folder = folder
        self._options = options
        self._url = url
        self._rooms = rooms
        self._name = name
        self._life = 0
        self.is_open = False
        self.port = 0
        self.said: dict[str, dict[int, int]] = {}
        self.outcomes: dict[str, int] = {}

    def start(self) -> None:
        self._life += 1
        self.name = f"{self._name}{self._life}"
        self.port = free_port()
        words = (str(self.port), self.name, self._url, str(self._rooms), str(DRAIN_PER_S))
        command = [sys.executable, "-m", "benchmarks.harness.rolling_node", *words]
        log = self._folder / f"{self.name}.log"
        self.program = self._stack.enter_context(Program(command, log=log, cores=self._options.cores.server))
        self.program.wait_until(lambda: "ready" in log.read_text())
        self.is_open = True

    async def end(self) -> float:
        """Seconds from SIGTERM to the end."""
        clock = SystemClock()
        began_s = clock.monotonic_s()
        self.is_open = False  # a balancer is told so by /readyz
        self.program.process.send_signal(signal.SIGTERM)
        while self.program.process.poll() is None:  # noqa: ASYNC110  another process ends
            await asyncio.sleep(0.05)
        last = json.loads(self.program.log.read_text().strip().splitlines()[-1])
        self.said[self.name] = {int(room): number for room, number in last["said"].items()}
        for outcome, count in last["outcomes"].items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        return clock.monotonic_s() - began_s


def run(options: Options) -> Report:
    report = Report()
    program = debian_program("redis-server", "redis-server", may_install=options.may_install)
    if isinstance(program, Missing):
        report.add("all", None, program.reason)
        return report
    count = QUICK_CLIENTS if options.quick else CLIENTS
    rooms = count // CLIENTS_A_ROOM
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        _, url = stack.enter_context(redis_server(program, folder, options.cores.load))
        places = [Place(stack, folder, options, url, rooms, name) for name in "ab"]
        for place in places:
            place.start()
        with pinned(options.cores.load):
            uvloop.run(_roll(report, places, count, rooms, options))
    return report


async def _roll(report: Report, places: list[Place], count: int, rooms: int, options: Options) -> None:
    fleet = Fleet(lambda: [place.port for place in places if place.is_open], rooms)
    options.say(f"{count:,} clients come")
    await fleet.come(count)
    await asyncio.sleep(SETTLE_S)
    ended = []
    for place in places:
        options.say(f"{place.name} ends")
        ended.append(await place.end())
        await asyncio.to_thread(place.start)
        await fleet.all_here()
        await asyncio.sleep(SETTLE_S)
    options.say("the last words")
    said = {name: numbers for place in places for name, numbers in place.said.items()}
    lacking = fleet.lacks(said)
    peak = max(fleet.returns.values(), default=0)
    returns = fleet.recovered + fleet.anew
    report.add("clients", count, "")
    report.add("events heard", fleet.heard, "")
    report.add("returns", returns, f"{fleet.recovered} recovered, {fleet.anew} anew")
    report.add("an end", max(ended), f"s at most, from SIGTERM on; {DRAIN_PER_S:.0f} a second are sent away")
    report.add("most returns in a second", peak, "")
    report.add("connections refused on the way", fleet.refused, "")
    report.targets.append(at_most("lost or doubled for the recovered", len(fleet.problems) + len(lacking), 0, ""))
    share = fleet.recovered / max(returns, 1)
    report.targets.append(at_least("recovered, of all returns", share, 0.99, ""))
    report.targets.append(at_most("returns in a second", peak, max(1.5 * DRAIN_PER_S, 200), ""))
    outcomes: Counter[str] = Counter()
    for place in places:
        await place.end()
        outcomes.update(place.outcomes)
    report.notes.append(f"outcomes: {dict(outcomes)}")
    report.notes.extend([*fleet.problems, *lacking][:10])
