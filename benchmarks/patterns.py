"""What do the query patterns cost a statement, and what does the line that asked cost?

CPU time of this process, each variant in interleaved rounds; the loop around is measured alone and taken off. The
counting path is what every statement pays; the look is paid by the third to fortieth run of a statement in a unit
of work, and by every 64th after; the judgement once when the unit has ended. `traceback.extract_stack`, which
other tools take for every statement, stands beside the call site.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.util import greenlet_spawn

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.rounds import interleaved
from steinmetz.clock import SystemClock
from steinmetz.monitor.capture.call_site import CallSites
from steinmetz.monitor.patterns import Patterns
from steinmetz.sql import Execution, StatementFacts, Verb, hook

FACTS = StatementFacts("1a2b3c4d", "SELECT name FROM t WHERE id = ?", Verb.SELECT, frozenset(), frozenset())
STATEMENTS = 10
"""Different ones in the unit of work that is judged."""


def run(options: Options) -> Report:
    rounds, times = (5, 20_000) if options.quick else (15, 100_000)
    sites = CallSites()
    variants = {
        "note, counting": lambda: _counting(times),
        "note, looking": lambda: _looking(times // 20),
        "judging a unit of ten statements": lambda: _judging(times // 20),
        "call site, sync": lambda: _deep(lambda: _each(sites.trail, times // 20)),
        "call site, async": lambda: asyncio.run(_awaited(lambda: _each(sites.trail, times // 20))),
        "traceback.extract_stack": lambda: _deep(lambda: _each(traceback.extract_stack, times // 200)),
    }
    measured = interleaved(rounds, variants, options.say)
    report = Report(notes=["medians of the rounds, CPU time"])
    for name, costs in measured.items():
        report.add(name, round(median(costs)), "ns")
    report.targets = [
        at_most("note, counting", round(median(measured["note, counting"])), 150, "ns"),
        at_most("call site, async", round(median(measured["call site, async"])), 8_000, "ns"),
    ]
    return report


def _each(act: Callable[[], Any], times: int) -> float:
    """Nanoseconds of CPU for one ``act``, without the loop."""
    numbers = range(times)
    began = time.process_time_ns()
    for _ in numbers:
        pass
    empty = time.process_time_ns()
    for _ in numbers:
        act()
    return (time.process_time_ns() - empty - (empty - began)) / times


def _counting(times: int) -> float:
    note = Patterns(SystemClock(), repetitions=10**9).ledger().note
    return _each(lambda: note(FACTS, 1_000, (1,), None), times) - _each(lambda: None, times)


def _looking(times: int) -> float:
    """On a real execution context, every run looked at."""
    patterns = Patterns(SystemClock())
    engine: Engine = create_engine("sqlite://")
    costs: list[float] = []

    def measure(execution: Execution) -> None:
        ledger = patterns.ledger()
        context, facts, values = execution.context, execution.facts, execution.parameters
        ledger.note(facts, 1, values, context)
        (runs,) = ledger.runs.values()
        costs.append(_deep(lambda: _each(lambda: ledger._look(runs, values, context), times)))

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        hook(engine).observe_executions(measure)
        connection.execute(text("SELECT name FROM sqlite_master WHERE name = :name"), {"name": "x"})
    engine.dispose()
    return costs[-1]


def _judging(times: int) -> float:
    patterns = Patterns(SystemClock())
    ledger = patterns.ledger()
    for number in range(STATEMENTS):
        facts = StatementFacts(f"{number:08x}", FACTS.text, Verb.SELECT, frozenset(), frozenset())
        ledger.note(facts, 1_000, (1,), None)
    return _each(lambda: patterns.judge("GET /a", ledger), times)


def _deep(act: Callable[[], float], levels: int = 20) -> float:
    """As deep in the stack as a handler is."""
    return _deep(act, levels - 1) if levels else act()


async def _awaited(act: Callable[[], float]) -> float:
    return await greenlet_spawn(_deep, act, 15)
