"""Stock clients are torn away from two servers that share a Redis, and come back to either; both kinds are killed.

usage: python -m tests.conformance.realtime.cluster_chaos [RETURNS] [SEED]        1,000 unless told otherwise
Prints what happened as one line of JSON: ways, recovered, anew, heard, outcomes, problems.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.conformance.realtime.recovery_chaos import ROOT, Chaos
from tests.ports import free_port
from tests.servers import Server, redis_server

TEAMS = 3


@dataclass
class ClusterJudge:
    """Who is told that he is recovered hears the next number of each line, and each server in its order."""

    problems: list[str] = field(default_factory=list)
    recovered: int = 0
    anew: int = 0
    heard: int = 0
    _newest: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    _order: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def begins(self, namespace: str, sid: str, recovered: bool, stand: Mapping[str, int]) -> None:
        """A server knows its own lines only: one that begins anew begins with what it hears first."""

    def connects(self, name: str, namespace: str, sid: str, recovered: bool) -> None:
        if recovered:
            self.recovered += 1
        else:
            self.anew += (name, namespace) in self._newest
            self._newest[name, namespace], self._order[name, namespace] = {}, {}

    def copies(self, name: str, namespace: str, of: str) -> None:
        """The new client ``name`` shows the pid of ``of``; if it gets away with that, it goes on from there."""
        self._newest[name, namespace] = dict(self._newest[of, namespace])
        self._order[name, namespace] = dict(self._order[of, namespace])

    def disconnects(self, name: str, namespace: str) -> None:
        """What it has heard is known."""

    def hears(self, name: str, namespace: str, line: str, number: int, order: int) -> None:
        self.heard += 1
        newest, orders = self._newest[name, namespace], self._order[name, namespace]
        server = line.partition("/")[0]
        if line in newest and number != newest[line] + 1:
            self.problems.append(f"{name} in {namespace} hears {line} {number} behind {newest[line]}")
        if order <= orders.get(server, 0):
            self.problems.append(f"{name} in {namespace} hears {line} {number} out of order")
        newest[line], orders[server] = number, order

    def leaves(self, name: str) -> None:
        for known in [known for known in self._newest if known[0] == name]:
            del self._newest[known], self._order[known]

    def lacks(self, said: Mapping[str, Mapping[str, int]]) -> list[str]:
        lacking = []
        for (name, namespace), newest in self._newest.items():
            rooms = ("all", f"user:{name}", f"team:{sum(map(ord, name)) % TEAMS}")
            for line, number in said[namespace].items():
                if line.partition("/")[2] in rooms and newest.get(line, 0) < number:
                    lacking.append(f"{name} in {namespace} lacks {line} {newest.get(line, 0) + 1} to {number}")
        return lacking


@dataclass
class ClusterChaos(Chaos):
    """``kills`` of a server, and as many of Redis, one after the other."""

    judge: ClusterJudge = field(default_factory=ClusterJudge)  # type: ignore[assignment]
    redis: Server | None = None
    _processes: dict[str, tuple[Process, int]] = field(default_factory=dict)
    _started: int = 0
    _restarts: int = 0

    async def _start_server(self) -> None:
        """Both, or the one that was killed, which bears a new name."""
        self._outcomes: Counter[str] = Counter()
        while len(self._processes) < 2:
            await self._start_one()

    async def _start_one(self) -> None:
        assert self.redis is not None
        self._started += 1
        name, port = f"s{self._started}", free_port()
        module = "tests.conformance.realtime.recovery_server"
        words = (sys.executable, "-m", module, str(port), name, self.redis.url, str(self.clients))
        process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=1 << 24)
        self._ready = asyncio.Event()
        self._readers.append(asyncio.create_task(self._read_server(process)))
        await asyncio.wait_for(self._ready.wait(), 30)
        self._processes[name] = process, port
        self._server = process

    def _choose(self) -> int:
        return self._dice.choice([port for _, port in self._processes.values()])

    async def _kill_server(self) -> None:
        if self.ways["server killed"] <= self.ways["Redis restarted"]:
            name = self._dice.choice(list(self._processes))
            process, _ = self._processes.pop(name)
            self.ways["server killed"] += 1
            process.kill()
            await process.wait()
            await asyncio.sleep(self._dice.uniform(0.0, 0.5))
            await self._start_one()
            return
        assert self.redis is not None
        self.ways["Redis restarted"] += 1
        self.redis.kill()
        await asyncio.sleep(self._dice.uniform(0.0, 0.5))
        await asyncio.to_thread(self.redis.start)

    async def _finish(self) -> None:
        """Everybody is let be, the servers say a last word in each line, and everybody must have heard it."""
        await self._until(lambda: len(self._here & self._lines.keys()) == self.clients, 30)
        all_said: dict[str, dict[str, int]] = {"/": {}, "/quiet": {}}
        for process, _ in self._processes.values():
            assert process.stdin is not None
            self.said = {}
            process.stdin.write(b"last\nhush\n")
            await self._until(lambda: bool(self.said))
            for namespace, lines in self.said.items():
                all_said[namespace] |= lines
            self._outcomes.update(self.outcomes)
        self.outcomes = self._outcomes
        give_up = time.monotonic() + 20
        while self.judge.lacks(all_said) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        self.judge.problems += self.judge.lacks(all_said)

    async def _add(self, name: str, transports: list[str]) -> None:
        await super()._add(name, ["websocket"])  # long polling stays at its server

    async def _end(self) -> None:
        for process, _ in self._processes.values():
            if process is not self._server:
                process.kill()
                await process.wait()
        await super()._end()


def summary(chaos: ClusterChaos) -> dict[str, object]:
    judge = chaos.judge
    return {
        "ways": dict(chaos.ways),
        "recovered": judge.recovered,
        "anew": judge.anew,
        "heard": judge.heard,
        "outcomes": dict(chaos.outcomes),
        "problems": judge.problems,
    }


def main() -> int:
    returns, seed = (int(sys.argv[place]) if len(sys.argv) > place else (1_000, 1)[place - 1] for place in (1, 2))
    with redis_server() as redis:
        chaos = ClusterChaos(returns, seed=seed, kills=max(2, returns // 100), redis=redis)
        chaos._dice = random.Random(seed)
        asyncio.run(chaos.run())
    print(json.dumps(summary(chaos)))
    return len(chaos.judge.problems)


if __name__ == "__main__":
    sys.exit(bool(main()))
