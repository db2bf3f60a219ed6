"""How long queries took, and why: names, percentiles, the slow log."""

from __future__ import annotations

from steinmetz.monitor.analysis.alerting import Alert, Budget
from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.monitor import QueryMonitor, assert_queries, query_monitor

__all__ = [
    # .analysis.alerting
    "Alert",
    "Budget",
    # .analysis.histogram
    "Histogram",
    # .capture.loop_lag
    "LoopLag",
    # .monitor
    "QueryMonitor",
    "assert_queries",
    "query_monitor",
]
