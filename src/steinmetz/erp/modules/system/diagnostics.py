"""What all routes below /api/diagnostics share: who may look, and the monitor that they look at."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from steinmetz.erp.dependencies import reads_as
from steinmetz.erp.errors import Unavailable
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.state import state_of
from steinmetz.monitor import QueryMonitor

OPERATORS = [reads_as(Role.AUDITOR)]
"""Administrators and auditors."""


def monitor_of(request: Request) -> QueryMonitor:
    """The query monitor. Raises `Unavailable` if it is switched off."""
    monitor = state_of(request).monitor
    if monitor is None or not monitor.enabled:
        raise Unavailable(60, "The query monitor is switched off (STEINMETZ_MONITOR=off).")
    return monitor


Monitor = Annotated[QueryMonitor, Depends(monitor_of)]
"""The query monitor; 503 if it is switched off."""
