"""What the exports show of a monitor's figures, bounded in the number of series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steinmetz.monitor.analysis.statistics import OTHER, Statistics

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAMES_EXPORTED = 100
"""Names with series of their own: those with the most time. All others are summed up under `OTHER`."""


def heaviest(names: Mapping[str, Statistics], limit: int = NAMES_EXPORTED) -> dict[str, Statistics]:
    """The ``limit`` names with the most time, and the rest as one."""
    ordered = sorted(names.items(), key=lambda item: (item[0] == OTHER, -item[1].total_ns))
    kept = dict(ordered[:limit])
    rest = Statistics()
    for _, statistics in ordered[limit:]:
        rest.merge(statistics)
    if rest.count:
        if OTHER in kept:
            rest.merge(kept[OTHER])
        kept[OTHER] = rest
    return kept


def pool_counts(engine: Engine) -> dict[str, int]:
    """``{"used": n, "idle": n}``; empty for a pool that keeps no count."""
    pool: Any = engine.pool
    try:
        return {"used": pool.checkedout(), "idle": pool.checkedin()}
    except AttributeError:
        return {}
