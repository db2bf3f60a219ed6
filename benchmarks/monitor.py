"""What does it cost a query to be watched, by our monitor and by others?

One process runs the same query on two engines, one bare and one watched, in short blocks that take turns; what is
told is the CPU time of the process, so the threads of a driver count. A pair is one block of each; the median of
the pairs' differences has a 95 % interval by bootstrap. Tools that listen on the class of all engines get a second
process for their bare side. "Counting" is the monitor outside of any scope; "everything" adds a request's scope
with its reads and ledger, loop lag, the slow floor, errors and the times of fetches.

Then the truth of a time: a query that steps rows while they are fetched, as the monitor shows it and as the raw
cursor of sqlite3 took for it in the same run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.harness.confidence import RESAMPLES, Interval, median, quantile
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.pinning import pinned
from benchmarks.harness.postgres import postgres_server
from benchmarks.harness.processes import StartError
from benchmarks.harness.report import Report, at_most

SCRIPT = Path(__file__).resolve().parent / "load" / "query_cost.py"
SEED = 20260302
DRIVERS = ("sqlalchemy==2.1.*", "aiosqlite", "asyncpg", "greenlet")
PEERS = {
    "opentelemetry": ("opentelemetry-instrumentation-sqlalchemy==0.66b1", "opentelemetry-sdk"),
    "sentry": ("sentry-sdk==2.75.0",),
    "sqltap": ("sqltap==0.3.11", "setuptools<80"),
    "queryspy": ("queryspy==0.6.0",),
}
ON_ALL_ENGINES = frozenset({"sentry", "queryspy"})


@dataclass(frozen=True, slots=True)
class Form:
    """How much is measured."""

    pairs: int
    peer_pairs: int
    queries: int
    awaited_queries: int
    steps: int


FULL = Form(pairs=400, peer_pairs=60, queries=400, awaited_queries=60, steps=300_000)
QUICK = Form(pairs=60, peer_pairs=30, queries=100, awaited_queries=20, steps=100_000)

BOUNDS = {
    ("stub", "counting"): 1.0,
    ("pysqlite", "everything"): 4.0,
    ("aiosqlite", "everything"): 2.5,
    ("asyncpg", "everything"): 2.5,
}
"""µs a query (DESIGN.md, section 3)."""


class Watched:
    """A process that runs blocks of queries when told."""

    def __init__(self, python: str | Path, driver: str, tool: str, url: str) -> None:
        self.process = subprocess.Popen(
            [str(python), str(SCRIPT), driver, tool, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, act: str, count: int) -> Any:
        """Raises `StartError` with the process's last words if it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        try:
            self.process.stdin.write(f"{act} {count}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            words = self.process.stderr.read().strip().splitlines()
            raise StartError(words[-1] if words else "it ended without a word")
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def watched(python: str | Path, driver: str, tool: str, url: str = "") -> Iterator[Watched]:
    process = Watched(python, driver, tool, url)
    try:
        yield process
    finally:
        process.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """µs a query: without, and what is added."""

    bare: float
    added: Interval


def run(options: Options) -> Report:
    """Raises `StartError` when our own side cannot be measured."""
    form = QUICK if options.quick else FULL
    report = Report()
    with pinned(options.cores.server), ExitStack() as stack:
        try:
            database, reason = stack.enter_context(postgres_server(options.cores.load)), ""
        except StartError as error:
            database, reason = "", str(error)
        for driver in ("stub", "pysqlite", "aiosqlite", "asyncpg"):
            if driver == "asyncpg" and not database:
                report.add("asyncpg", None, reason)
                continue
            url = database if driver == "asyncpg" else ""
            queries = form.queries if driver in ("stub", "pysqlite") else form.awaited_queries
            for tool in ("counting", "everything"):
                options.say(f"{driver}: {tool}")
                cost = measure(sys.executable, driver, tool, form.pairs, queries, url)
                report_cost(report, driver, tool, cost)
        for peer in PEERS:
            report_peer(report, peer, form, options)
        options.say("a query that steps rows at its fetch")
        report_fetch(report, form)
    report.notes.append(
        f"{form.pairs} pairs of {form.queries} queries ({form.awaited_queries} where awaited), peers "
        f"{form.peer_pairs} pairs on pysqlite; one core for all threads; a bound holds if the median does"
    )
    return report


def measure(python: str | Path, driver: str, tool: str, pairs: int, queries: int, url: str = "") -> Cost:
    """Blocks in turns; every other pair in reverse."""
    with ExitStack() as stack:
        process = stack.enter_context(watched(python, driver, tool, url))
        bare = stack.enter_context(watched(python, driver, "none", url)) if tool in ON_ALL_ENGINES else process
        for _ in range(2):
            bare.ask("none", queries)
            process.ask("with", queries)
        without, added = [], []
        for turn in range(pairs):
            if turn % 2:
                with_us = process.ask("with", queries)
                without_us = bare.ask("none", queries)
            else:
                without_us = bare.ask("none", queries)
                with_us = process.ask("with", queries)
            without.append(without_us)
            added.append(with_us - without_us)
    return Cost(median(without), median_with_interval(added, Random(SEED)))


def median_with_interval(samples: list[float], random: Random) -> Interval:
    """The median and the bounds between which 95 % of its bootstrap resamples lie (Efron 1979)."""
    medians = sorted(median(random.choices(samples, k=len(samples))) for _ in range(RESAMPLES))
    return Interval(median(samples), quantile(medians, 0.025), quantile(medians, 0.975))


def report_cost(report: Report, driver: str, tool: str, cost: Cost) -> None:
    added = cost.added
    name = f"{driver}, {tool}: added"
    if tool == "counting":
        report.add(f"{driver}, bare", cost.bare, "µs a query")
    report.add(name, added.value, f"µs a query (95 %: {added.low:.2f} to {added.high:.2f})")
    if (bound := BOUNDS.get((driver, tool))) is not None:
        report.targets.append(at_most(name, added.value, bound, "µs"))


def report_peer(report: Report, peer: str, form: Form, options: Options) -> None:
    name = f"pysqlite, {peer}: added"
    options.say(f"pysqlite: {peer}")
    python = python_packages(peer, [*DRIVERS, *PEERS[peer]])
    if isinstance(python, Missing):
        report.add(name, None, python.reason)
        return
    try:
        cost = measure(python, "pysqlite", peer, form.peer_pairs, form.queries)
    except StartError as error:
        report.add(name, None, str(error))
        return
    report.add(name, cost.added.value, f"µs a query (95 %: {cost.added.low:.2f} to {cost.added.high:.2f})")


def report_fetch(report: Report, form: Form) -> None:
    with watched(sys.executable, "pysqlite", "counting") as process:
        shown_ms, raw_ms = process.ask("fetch", form.steps)
    off = 100 * abs(shown_ms / raw_ms - 1)
    report.add("fetch time shown", shown_ms, "ms")
    report.add("fetch time of a raw cursor", raw_ms, "ms")
    report.targets.append(at_most("fetch time shown vs raw cursor, off by", off, 2, "%"))
