"""Is any answer older than a write that was acknowledged before it was asked for?

A million random reads and writes, by two dozen clients, of an application that reads and writes in every way
(benchmarks/stale/shop.py), while failpoints (benchmarks/stale/hazards.py) hold up commits and readers, requests
are cancelled, servers are killed between COMMIT and the word that it stands, and Redis is flushed, stopped and
killed. Every history is judged (benchmarks/stale/histories.py) against what the database itself wrote down. The
same clients then ask other caches, each with its own recommended invalidation after the commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing
from benchmarks.harness.postgres import postgres_server
from benchmarks.harness.processes import StartError
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.stale import peers
from benchmarks.stale.cells import CELLS, Outcome, play, why_not_here
from benchmarks.stale.histories import Fault

SEED = 20260302
QUICK = 100
"""A hundredth of the operations."""
PEER_OPERATIONS = 30_000
MIN_HIT_RATE = 0.3


def run(options: Options) -> Report:
    report = Report()
    cores = options.cores.server | options.cores.load
    scale = 1_000 // (QUICK if options.quick else 1)
    total = 0
    with _postgres(cores) as postgres:
        for number, cell in enumerate(CELLS):
            reason = why_not_here(cell, postgres)
            if reason is None:
                options.say(f"{cell.name}: {cell.share * scale:,} operations")
                try:
                    outcome = play(cell, cell.share * scale, postgres=postgres, cores=cores, seed=SEED + number)
                except StartError as error:
                    reason = str(error)
                else:
                    total += outcome.notes.operations
                    _tell(report, outcome)
            if reason is not None:
                report.add(cell.name, None, f"cannot run: {reason}")
    report.targets.append(at_least("operations in all", total, sum(cell.share for cell in CELLS) * scale))
    _compare(report, options, PEER_OPERATIONS // (10 if options.quick else 1), cores)
    return report


@contextmanager
def _postgres(cores: frozenset[int]) -> Iterator[str | None]:
    try:
        server = postgres_server(cores)
        url = server.__enter__()
    except StartError:
        yield None
        return
    try:
        yield url
    finally:
        server.__exit__(None, None, None)


def _tell(report: Report, outcome: Outcome) -> None:
    name, notes = outcome.cell.name, outcome.notes
    report.add(f"{name}: operations", notes.operations, "")
    report.add(f"{name}: stale reads", outcome.count(Fault.STALE, Fault.OWN_WRITE), "")
    report.add(f"{name}: backwards", outcome.count(Fault.BACKWARDS, Fault.OWN_READ), "")
    report.add(f"{name}: hits", outcome.hit_rate * 100, "%")
    report.add(f"{name}: rate", notes.operations / outcome.seconds, "operations/s")
    report.targets.append(at_most(f"{name}: violations", outcome.violations, 0))
    report.targets.append(at_most(f"{name}: errors of the server", notes.errors, 0))
    report.targets.append(at_least(f"{name}: hit rate", outcome.hit_rate * 100, MIN_HIT_RATE * 100, "%"))
    if outcome.cell.kills:
        report.add(f"{name}: servers killed", outcome.deaths, "")
        report.targets.append(at_least(f"{name}: servers killed", outcome.deaths, 1))
        longest = at_most(f"{name}: oldest past after a kill", outcome.after_kill_s, outcome.cell.lease_s, "s")
        report.targets.append(longest)
    report.notes += [f"{name}: {example}" for example in outcome.examples]


def _compare(report: Report, options: Options, operations: int, cores: frozenset[int]) -> None:
    for peer in (peers.OURSELVES, *peers.PEERS):
        options.say(f"{peer.name}: {operations:,} operations")
        found = peers.play(peer, operations, cores=cores, seed=SEED)
        if isinstance(found, Missing):
            report.add(peer.name, None, found.reason)
            continue
        per_100_000 = 100_000 / max(1, found.verdict.reads)
        stale, backwards = found.verdict.count(Fault.STALE), found.verdict.count(Fault.BACKWARDS)
        report.add(f"{peer.name}: stale reads", stale * per_100_000, "per 100,000 reads")
        report.add(f"{peer.name}: backwards", backwards * per_100_000, "per 100,000 reads")
        report.add(f"{peer.name}: oldest past", found.verdict.longest_s, "s")
        report.add(f"{peer.name}: rate", found.notes.operations / found.seconds, "operations/s")
        if peer is peers.OURSELVES:
            report.targets.append(at_most(f"{peer.name}: found stale by the same clients", stale + backwards, 0))
        else:
            report.targets.append(at_least(f"{peer.name}: found stale by the same clients", stale + backwards, 1))
