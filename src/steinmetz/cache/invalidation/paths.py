"""Invalidation by path: a successful write says which paths it changed."""

from __future__ import annotations

from collections.abc import Iterable

from steinmetz.cache.policy.tags import written_paths
from steinmetz.sql.effects import WriteSet

WRITING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def invalidated_by(method: str, status: int, paths: Iterable[str]) -> WriteSet | None:
    """The write set of a response to ``method``, or None if it changed nothing (an error, or a safe method)."""
    if method not in WRITING_METHODS or status >= 400:
        return None
    writes = written_paths(paths)
    return writes or None
