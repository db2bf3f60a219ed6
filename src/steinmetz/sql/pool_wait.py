"""How long connections are waited for: the pool's ``connect``, timed.

``Engine.dispose`` makes a new pool out of the old one, so the override is handed on. A checkout costs what it
costs; a statement costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from steinmetz.clock import perf_ns
from steinmetz.sql.execution import PoolObserver
from steinmetz.sql.statements import Statements

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.pool import Pool, PoolProxiedConnection

_OVERRIDDEN = ("connect", "recreate")


class PoolWait:
    """The observers of one engine's checkouts."""

    def __init__(self, statements: Statements) -> None:
        self.observers: tuple[PoolObserver, ...] = ()
        self._statements = statements
        self._pool: Pool | None = None

    def install(self, engine: Engine) -> None:
        """Time the checkouts of the engine's pool; leaves a pool alone that does not let itself be overridden."""
        try:
            self._override(engine.pool)
        except (AttributeError, TypeError):
            self._pool = None

    def remove(self) -> None:
        if self._pool is not None:
            for name in _OVERRIDDEN:
                vars(self._pool).pop(name, None)
            self._pool = None

    def _override(self, pool: Pool) -> None:
        connect, recreate = pool.connect, pool.recreate

        def timed_connect() -> PoolProxiedConnection:
            started_ns = perf_ns()
            try:
                connection = connect()
            except PoolTimeoutError:
                for observer in self.observers:
                    observer.exhausted(perf_ns() - started_ns)
                raise
            wait_ns = perf_ns() - started_ns
            self._statements.state_of(connection).pool_wait_ns = wait_ns
            for observer in self.observers:
                observer.waited(wait_ns)
            return connection

        def recreate_timed() -> Pool:
            made = recreate()
            self._override(made)
            return made

        attributes: dict[str, Any] = vars(pool)
        attributes["connect"], attributes["recreate"] = timed_connect, recreate_timed
        self._pool = pool
