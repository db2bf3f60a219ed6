"""How long queries took, and why: names, percentiles, the slow log."""

from __future__ import annotations

from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.budget import OverBudget, assert_queries, budget
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.monitor import QueryMonitor, query_monitor

__all__ = [  # noqa: RUF022  grouped by file
    # .analysis.histogram
    "Histogram",
    # .budget
    "OverBudget",
    "assert_queries",
    "budget",
    # .capture.loop_lag
    "LoopLag",
    # .monitor
    "QueryMonitor",
    "query_monitor",
]
