"""How often is what is asked for still there, and how much computing does that save, against other caches?

Six traces (after research/caching.md, 4) over 50,000 keys of which a twentieth fits. All keys weigh the same, so
that caches which count entries and those which count bytes have the same room. *Saved* is the share of computing
time that hits made needless; it differs from the hit rate where costs are skewed. Peers run in a process of their
own, in interleaved rounds; ns of CPU per request, the loop around it included.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.load import evictions
from benchmarks.load.evictions import FAST, ROOM, SKEWED, TRACES
from steinmetz.cache.stores.s3fifo import S3Fifo

REQUIREMENTS = ("cachetools==8.0.2", "cachebox==6.2.10", "theine==2.0.0")
OURS, BLIND, LRU = "steinmetz", "steinmetz, not told of costs", "LRU (OrderedDict)"
WEIGHT = 4_000
"""Bytes of each answer; any number would do."""


def run(options: Options) -> Report:
    report = Report()
    count, rounds = (60_000, 1) if options.quick else (600_000, 3)
    options.say("installing the peers")
    python = python_packages("evictions", REQUIREMENTS)
    names = [name for name in evictions.PEERS if name == LRU or not isinstance(python, Missing)]
    if isinstance(python, Missing):
        report.notes.append(f"without cachetools, cachebox and theine: {python.reason}")
    interpreter = sys.executable if isinstance(python, Missing) else str(python)
    for trace in TRACES:
        asked = evictions.trace_of(trace, count)
        peers: dict[str, Callable[[], dict[str, float]]] = {OURS: partial(_ours, *asked, told=True)}
        if trace == SKEWED:
            peers[BLIND] = partial(_ours, *asked, told=False)
        for name in names:
            peers[name] = partial(_peer, interpreter, name, trace, count)
        options.say(trace)
        found = interleaved(rounds, peers, options.say)
        figures = {name: _median(results) for name, results in found.items()}
        _report(report, trace, figures)
    report.notes.append(f"{count:,} requests a trace, {ROOM:,} answers fit, seed {evictions.SEED}")
    return report


def _report(report: Report, trace: str, figures: dict[str, dict[str, float]]) -> None:
    for name, figure in figures.items():
        report.add(f"{trace}: {name}", figure["saved_percent"], f"% saved, {figure['hit_percent']:.1f} % hits")
        report.add(f"{trace}: {name}, one request", figure["ns"], "ns of CPU")
    ours, lru = figures[OURS], figures[LRU]
    gained = ours["saved_percent"] - lru["saved_percent"]
    if trace == SKEWED:
        report.targets.append(at_least("skewed costs: computing saved beyond LRU", gained, 10, "points"))
        beyond = ours["saved_percent"] - figures[BLIND]["saved_percent"]
        report.targets.append(at_least("skewed costs: gained by knowing them", beyond, 5, "points"))
    elif trace == FAST:
        # Here LRU is the better one, for S3-FIFO wants to see a key twice: shown, so that nobody is surprised.
        report.add(f"{trace}: computing saved beyond LRU", gained, "points; not promised")
    else:
        report.targets.append(at_least(f"{trace}: computing saved beyond LRU", gained, 1, "points"))
    report.targets.append(at_most(f"{trace}: ns of a request, over LRU", ours["ns"] / lru["ns"], 12))


def _median(results: list[dict[str, float]]) -> dict[str, float]:
    return {figure: median([result[figure] for result in results]) for figure in results[0]}


def _ours(keys: list[bytes], costs: list[int], *, told: bool) -> dict[str, float]:
    cache: S3Fifo[bytes] = S3Fifo(ROOM * WEIGHT)

    def put(key: bytes, cost: int) -> None:
        cache.put(key, key, WEIGHT, cost if told else 0)

    return evictions.run(keys, costs, cache.get, put)


def _peer(interpreter: str, name: str, trace: str, count: int) -> dict[str, float]:
    command = [interpreter, str(Path(evictions.__file__)), name, trace, str(count)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found
