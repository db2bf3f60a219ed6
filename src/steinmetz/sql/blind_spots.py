"""What a hook cannot see, as far as that can be seen (trap T2).

Three things it cannot even know of: statements on a driver's own connection (COPY through asyncpg), those of
another process, and data that Python keeps between requests.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

if TYPE_CHECKING:
    from steinmetz.sql.engine import SqlHook

_hooks: weakref.WeakSet[SqlHook] = weakref.WeakSet()


def remember(hook: SqlHook) -> None:
    _hooks.add(hook)


def forget(hook: SqlHook) -> None:
    _hooks.discard(hook)


def hook_of(engine: Engine) -> SqlHook | None:
    """The hook of an engine; engines made by ``execution_options`` share that of their origin."""
    return next((hook for hook in list(_hooks) if hook.engine.dialect is engine.dialect), None)


def of(hook: SqlHook) -> list[str]:
    """The reasons why statements may pass by ``hook`` unseen. Looks through all objects: some 50 ms, not often."""
    return [*_listeners(hook), *_replaced(hook), *_strangers(hook)]


def _listeners(hook: SqlHook) -> list[str]:
    dialect: Any = hook.engine.dialect
    if hook.by == "events":
        return ["attached by events: a COMMIT whose caller is cancelled counts as ended with its connection"]
    events = getattr(dialect, "dispatch", None)
    return [
        f"an event listener for {name} may execute statements itself"
        for name in ("do_execute", "do_executemany", "do_execute_no_params")
        if getattr(dialect, "_has_events", False) and list(getattr(events, name, ()))
    ]


def _replaced(hook: SqlHook) -> list[str]:
    if hook.by == "events":
        return []
    return [f"{name} of the dialect has been replaced by somebody else" for name in hook.replaced()]


def _strangers(hook: SqlHook) -> list[str]:
    """Other engines of this process on the same database that have no hook."""
    where = _where(hook.engine)
    if where is None:
        return []
    found = {
        id(thing.dialect): thing
        for thing in gc.get_objects()
        if isinstance(thing, Engine) and thing is not hook.engine and thing.dialect is not hook.engine.dialect
    }
    strangers = [engine for engine in found.values() if _where(engine) == where and hook_of(engine) is None]
    return [f"another engine on the same database has no hook: {engine.url.drivername}" for engine in strangers]


def _where(engine: Engine) -> tuple[Any, ...] | None:
    """Which database an engine is for; None for one that nobody else can open."""
    url = engine.url
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        return None
    return url.get_backend_name(), url.host, url.port, url.database
