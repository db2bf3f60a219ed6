"""``python -m benchmarks.harness.probe FILE ARGUMENTS...``: the product, with somebody who counts inside.

Runs ``steinmetz ARGUMENTS`` unchanged but for two observers on each SQL hook: one counts statements by what they
were for, one stamps the end of each commit, which no client can see. On SIGUSR1 both are written to FILE.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter, deque
from pathlib import Path
from typing import Any

from steinmetz.clock import perf_ns
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import Execution, SqlHook
from steinmetz.sql.facts import Verb
from steinmetz.sql.scope import ScopeKind

MAX_COMMITS = 20_000


class Counts:
    """Statements by purpose: ``read``, ``write``, ``recompute``, ``admission``, ``job``, ``outside``..."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.commits: deque[int] = deque(maxlen=MAX_COMMITS)

    def __call__(self, execution: Execution) -> None:
        if execution.facts.verb is not Verb.TRANSACTION:
            self.statements[_purpose(execution)] += 1

    # A transaction observer: only the bump is of interest.

    def mark(self, writes: WriteSet) -> object:
        return None

    def bump(self, token: object) -> None:
        self.commits.append(perf_ns())

    def unmark(self, token: object) -> None:
        pass

    def write_to(self, file: Path) -> None:
        half = file.with_suffix(".part")
        half.write_text(json.dumps({"statements": dict(self.statements), "commits": list(self.commits)}))
        half.replace(file)


def _purpose(execution: Execution) -> str:
    scope = execution.scope
    if scope is None:
        return "outside"
    if scope.kind is not ScopeKind.REQUEST:
        return str(scope.kind)
    # A recomputation is a request that nobody sent: it runs in a task of the live part.
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    if task is not None and task.get_name().startswith("live:"):
        return "recompute"
    return "read" if scope.name.startswith("GET ") else "write"


def observe_every_hook(counts: Counts) -> None:
    """Register ``counts`` first on each hook made from now on, so that the stamp comes right after the COMMIT."""
    make = SqlHook.__init__

    def make_observed(self: SqlHook, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.observe_executions(counts)
        self.observe_transactions(counts)

    SqlHook.__init__ = make_observed  # type: ignore[method-assign]  # the one seam that leaves the product as it is


def main(file: Path, arguments: list[str]) -> None:
    counts = Counts()
    observe_every_hook(counts)
    signal.signal(signal.SIGUSR1, lambda number, frame: counts.write_to(file))
    # The driver may ask from now on.
    file.with_suffix(".pid").write_text(str(os.getpid()))
    from steinmetz.cli.main import run

    sys.argv = ["steinmetz", *arguments]
    run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
