"""How long queries took, and why: names, percentiles, the slow log."""

from __future__ import annotations

from steinmetz.monitor.analysis.alerting import Alert, Budget
from steinmetz.monitor.analysis.histogram import Histogram
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.capture.requests import RequestScopes
from steinmetz.monitor.monitor import QueryMonitor, assert_queries, query_monitor
from steinmetz.monitor.stores.database import DatabaseShelf
from steinmetz.monitor.stores.shared import SharedStore

__all__ = [  # noqa: RUF022  grouped by file
    # .analysis.alerting
    "Alert",
    "Budget",
    # .analysis.histogram
    "Histogram",
    # .capture.loop_lag
    "LoopLag",
    # .capture.requests
    "RequestScopes",
    # .monitor
    "QueryMonitor",
    "assert_queries",
    "query_monitor",
    # .stores.database
    "DatabaseShelf",
    # .stores.shared
    "SharedStore",
]
