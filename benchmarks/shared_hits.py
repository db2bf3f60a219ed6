"""What does it cost a hit that other processes may have written, compared with a cache that is alone?

The same answer of 4 KB behind the ASGI door under uvicorn: alone, at `session` and at `strong` over a Redis. The
rates are hits per second of the server's CPU time; Redis has its own.
"""

from __future__ import annotations

import asyncio
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson
from sqlalchemy.util import greenlet_spawn

from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from benchmarks.harness.redis import redis_server
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.wrk import http_rate
from steinmetz.cache import ResponseCache
from steinmetz.cache.policy.consistency import STRONG
from steinmetz.cache.stores.redis import redis_cluster
from steinmetz.cache.testing import FakeHook
from steinmetz.clock import perf_ns
from steinmetz.sql.effects import WriteSet

CONNECTIONS = (16, 64)


@dataclass(frozen=True, slots=True)
class Taken:
    per_cpu_s: float
    redis_us: float
    """Redis' CPU time for one hit, in microseconds."""
    looks: float
    """Questions to Redis for one hit."""


@dataclass(frozen=True, slots=True)
class Peer:
    port: int
    server: Program
    redis: Program
    path: str

    def take(self, options: Options, connections: int, seconds: int) -> Taken | Missing:
        looks, before, redis_before = self._looks(), self.server.usage(), self.redis.usage()
        rate = http_rate(
            f"http://127.0.0.1:{self.port}{self.path}",
            cores=options.cores.load,
            seconds=seconds,
            connections=connections,
            may_install=options.may_install,
        )
        if isinstance(rate, Missing):
            return rate
        if rate.not_2xx or not rate.requests:
            raise StartError(f"{rate.not_2xx} of {rate.requests} requests at {self.path} failed")
        used, redis_used = self.server.usage() - before, self.redis.usage() - redis_before
        return Taken(
            rate.requests / used.cpu_s,
            1e6 * redis_used.cpu_s / rate.requests,
            (self._looks() - looks) / rate.requests,
        )

    def _looks(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/figures", timeout=10) as answer:
            cluster = orjson.loads(answer.read())["cluster"]
        return 0 if cluster is None else int(cluster["looks"])


def run(options: Options) -> Report:
    report = Report()
    program = debian_program("redis-server", "redis-server", may_install=options.may_install)
    if isinstance(program, Missing):
        report.add("all", None, program.reason)
        return report
    rounds, seconds = (2, 2) if options.quick else (7, 4)
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        redis, url = stack.enter_context(redis_server(program, folder, options.cores.load))
        alone, shared = (_serve(stack, folder, options, number) for number in ({}, {"SHARED_REDIS_URL": url}))
        peers = {
            "alone": Peer(*alone, redis, "/session"),
            "session": Peer(*shared, redis, "/session"),
            "strong": Peer(*shared, redis, "/strong"),
        }
        for connections in CONNECTIONS:
            _compare(report, options, peers, connections, rounds, seconds)
        options.say("how soon others hear of a commit")
        with pinned(options.cores.server):
            lags_ms = sorted(asyncio.run(_heard_after_ms(url, 300 if options.quick else 3_000)))
        report.add("commit acknowledged to known elsewhere, median", median(lags_ms), "ms")
        report.add("commit acknowledged to known elsewhere, p99", lags_ms[int(len(lags_ms) * 0.99)], "ms")
        report.targets.append(
            at_most("until another node knows, p99", lags_ms[int(len(lags_ms) * 0.99)], 50, "ms")
        )
    report.notes.append(f"{rounds} rounds of {seconds} s each, interleaved; medians")
    return report


def _compare(
    report: Report, options: Options, peers: dict[str, Peer], connections: int, rounds: int, seconds: int
) -> None:
    def taking(peer: Peer) -> Taken | Missing:
        return peer.take(options, connections, seconds)

    runs = {name: (lambda peer=peer: taking(peer)) for name, peer in peers.items()}
    taken: dict[str, list[Taken]] = {}
    for name, results in interleaved(rounds, runs, options.say).items():
        for result in results:
            if isinstance(result, Missing):
                report.add(f"{name}, {connections} connections", None, result.reason)
                return
            taken.setdefault(name, []).append(result)
    for name, all_taken in taken.items():
        per_cpu_s = median(one.per_cpu_s for one in all_taken)
        report.add(f"{name}, {connections} connections", per_cpu_s, "hits per CPU second")
        report.add(f"{name}, {connections} connections, CPU of a hit", 1e6 / per_cpu_s, "us")
    for name in ("session", "strong"):
        ratio = median(one.per_cpu_s / two.per_cpu_s for one, two in zip(taken[name], taken["alone"], strict=True))
        report.add(f"{name} / alone, {connections} connections", ratio, "")
        if name == "strong":
            report.targets.append(at_least(f"strong / alone, {connections} connections", ratio, 0.5))
    looks = median(result.looks for result in taken["strong"])
    report.add(
        f"strong, {connections} connections, CPU of Redis", median(r.redis_us for r in taken["strong"]), "us"
    )
    report.targets.append(at_most(f"questions to Redis for a hit, {connections} connections", looks, 0.1))


async def _heard_after_ms(url: str, commits: int) -> list[float]:
    """Two nodes in this process; what the reader has heard before the writer was told counts as 0."""
    caches = [ResponseCache(cluster=redis_cluster(url, prefix="lag")) for _ in range(2)]
    hook, heard, lags_ms = FakeHook(caches[0].observer), asyncio.Event(), []
    heard_ns = 0

    def hear(writes: WriteSet) -> None:
        nonlocal heard_ns
        heard_ns = perf_ns()
        heard.set()

    for cache in caches:
        assert cache.cluster is not None
        await cache.cluster.caught_up(STRONG, None)
    caches[1].on_bumped(hear)
    for _ in range(commits):
        heard.clear()
        await greenlet_spawn(hook.commit, "t")
        acknowledged_ns = perf_ns()
        await asyncio.wait_for(heard.wait(), 10)
        lags_ms.append(max(0, heard_ns - acknowledged_ns) / 1e6)
    for cache in caches:
        await cache.aclose()
    return lags_ms


def _serve(stack: ExitStack, folder: Path, options: Options, env: dict[str, str]) -> tuple[int, Program]:
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "benchmarks.harness.shared:app",
        "--port", str(port), "--log-level", "warning", "--no-access-log",
    ]  # fmt: skip
    log = folder / f"server-{port}.log"
    server = stack.enter_context(Program(command, log=log, cores=options.cores.server, env=env))
    server.wait_until(answers(f"http://127.0.0.1:{port}/session"))
    return port, server
