"""Queries have names: the monitor shows ``finance.invoices``, not a statement's fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.monitor import query_monitor

P = ParamSpec("P")
R = TypeVar("R")


def named(function: Callable[P, R]) -> Callable[P, R]:
    """Track a repository's coroutine function as ``module.function``, one sample a call.

    A repository may be a folder: what is asked in ``finance/repository/invoices.py`` is finance's.
    """
    path = function.__module__.split(".")
    module = path[path.index("repository") - 1] if "repository" in path else path[-2]
    return query_monitor.track(f"{module}.{function.__name__}")(function)


def upsert(session: AsyncSession) -> Any:
    """The engine's own ``insert``, which knows ON CONFLICT."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
