"""The cluster over Redis, where this version of the product has one."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

MODULE = "steinmetz.cache.stores.redis"


def why_not() -> str | None:
    """Why the cells over Redis cannot run, or None."""
    if importlib.util.find_spec(MODULE) is None:
        return f"this version has no {MODULE}"
    try:
        importlib.import_module(MODULE)
    except ImportError as error:
        return str(error)
    return None


def cluster_at(url: str, prefix: str) -> Any:
    """This process as one of those that share the Redis at ``url``; for ``ResponseCache(cluster=...)``."""
    return importlib.import_module(MODULE).redis_cluster(url, prefix=prefix)
