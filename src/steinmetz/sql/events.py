"""The hook by SQLAlchemy's official events, for a dialect that does not let itself be overridden.

Statements come by the dialect's ``do_execute`` events, which may execute by themselves. For the end of a
transaction there is no event: ``commit`` comes before the COMMIT is sent. So each commit leaves a doubt, which the
connection's next statement, its next transaction, its return to the pool or its end resolves: a mark stays up
longer than with the override, never shorter. Only a COMMIT whose caller is cancelled is beyond this
(`SqlHook.blind_spots` says so): the connection is ended before the driver's thread is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from steinmetz.sql.commits import Commits
from steinmetz.sql.runs import Runs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext


class Listening:
    """The listeners on one engine."""

    def __init__(
        self, engine: Engine, runs: Runs, commits: Commits, original: dict[str, Callable[..., Any]]
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._commits = commits
        self._original = original
        self._listeners: list[tuple[Any, str, Callable[..., Any]]] = [
            (engine, "do_execute", self._do_execute),
            (engine, "do_executemany", self._do_executemany),
            (engine, "do_execute_no_params", self._do_execute_no_params),
            (engine, "begin", self._begin),
            (engine, "commit", self._commit),
            (engine, "rollback", self._rollback),
            (engine, "prepare_twophase", self._prepare),
            (engine, "commit_twophase", self._commit_twophase),
            (engine, "rollback_twophase", self._rollback_twophase),
            (engine.pool, "checkin", self._ended),
            (engine.pool, "close", self._closed),
            (engine.pool, "close_detached", self._closed),
        ]

    def start(self) -> None:
        for target, name, listener in self._listeners:
            event.listen(target, name, listener)

    def stop(self) -> None:
        for target, name, listener in self._listeners:
            event.remove(target, name, listener)

    # -- statements; True says that they are done ---------------------------------------------------------------

    def _do_execute(self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> bool:
        self._runs.execute(self._original["do_execute"], cursor, statement, parameters, False, context)
        return True

    def _do_executemany(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext
    ) -> bool:
        self._runs.execute(self._original["do_executemany"], cursor, statement, parameters, True, context)
        return True

    def _do_execute_no_params(self, cursor: DBAPICursor, statement: str, context: ExecutionContext) -> bool:
        execute = self._original["do_execute_no_params"]
        self._runs.execute(
            lambda cursor, statement, _, context: execute(cursor, statement, context),
            cursor,
            statement,
            (),
            False,
            context,
        )
        return True

    # -- transactions -------------------------------------------------------------------------------------------

    def _begin(self, connection: Connection) -> None:
        self._commits.went_on(connection.connection)

    def _commit(self, connection: Connection) -> None:
        self._commits.will_commit(connection.connection)

    def _rollback(self, connection: Connection) -> None:
        self._commits.will_roll_back(connection.connection)

    def _prepare(self, connection: Connection, xid: Any) -> None:
        self._commits.will_prepare(connection.connection, xid)

    def _commit_twophase(self, connection: Connection, xid: Any, is_prepared: bool) -> None:
        self._commits.will_commit(connection.connection, xid if is_prepared else None)

    def _rollback_twophase(self, connection: Connection, xid: Any, is_prepared: bool) -> None:
        self._commits.will_roll_back(connection.connection, xid)

    def _closed(self, dbapi_connection: Any, *_: Any) -> None:
        """What was given back before has no doubts any more."""
        if dbapi_connection is not None:
            self._commits.marks.terminated(dbapi_connection, lost=True)

    def _ended(self, dbapi_connection: Any, *_: Any) -> None:
        if dbapi_connection is not None:
            self._commits.marks.terminated(dbapi_connection)
