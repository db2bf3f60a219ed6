"""Does the cache stay within its memory when ever new keys are asked for?

Each flood in a process of its own offers three times the budget. The figure is by how much the *resident* memory
of the process has grown, with all that stands around the kept answers (queues, ghosts, indexes, remembered
addresses, admissions), over the limit that was set; and beside it what the store itself says that it holds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.load.flooding import FLOODS, STORE_FLOODS, TIMES

BUDGET_BYTES = 64 * 1024 * 1024
QUICK_BUDGET_BYTES = 8 * 1024 * 1024
WITHIN = 1.10
USED = 0.60
"""Less than this of the limit would be a cache that keeps too little for what it was given."""
WITHIN_S = 300


def run(options: Options) -> Report:
    report = Report()
    budget = QUICK_BUDGET_BYTES if options.quick else BUDGET_BYTES
    worst, least = 0.0, 1.0
    for name in (*FLOODS, *STORE_FLOODS):
        options.say(name)
        found = _flood(name, budget)
        share = found["grown_bytes"] / found["limit_bytes"]
        report.add(f"{name}: growth over the limit", share, f"at {found['entries']:,.0f} answers")
        report.add(f"{name}: growth over what the store says", _honesty(found), "")
        worst = max(worst, share)
        if found["entries"] > 1:
            least = min(least, share)
    report.targets += [
        at_most("resident memory over the limit, worst flood", worst, WITHIN),
        at_least("resident memory over the limit, flood that fills it least", least, USED),
    ]
    report.notes.append(f"{budget / 1024**2:.0f} MiB, {TIMES} times that offered to each")
    return report


def _honesty(found: dict[str, Any]) -> float:
    return float(found["grown_bytes"] / max(found["weight_bytes"], 1))


def _flood(name: str, budget_bytes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load.flooding", name, str(budget_bytes)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=WITHIN_S)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
