"""The plans that PostgreSQL itself tells of what it has really executed: its module auto_explain, by notices.

Only where the role may load the module, and only with asyncpg: SQLAlchemy's dialect for psycopg writes each notice
into its own log, and with it the values in the plan. It costs a statement 0.1 µs, and a new connection four short
statements.
https://www.postgresql.org/docs/current/auto-explain.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import event

from steinmetz.monitor.analysis.plan import PlanNode, of_postgres

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = structlog.get_logger("steinmetz.monitor")

LONGEST_NOTICE = 200_000
_MARK = "plan:\n"


class ExecutedPlans:
    """Hears the plans of what took at least ``threshold_ms`` on connections that ``engine`` opens from now on.

    ``told(statement, plan)`` is called on the event loop, when the engine has ended the statement: within a
    transaction not before the next one begins. ``permitted`` is None until the first connection has tried; after a
    refusal no other one does.
    """

    def __init__(self, engine: Engine, threshold_ms: float, told: Callable[[str, PlanNode], None]) -> None:
        self.permitted: bool | None = None
        self._engine = engine
        self._threshold_ms = max(0, round(threshold_ms))
        self._told: Callable[[str, PlanNode], None] | None = told
        event.listen(engine, "connect", self._connected)  # an event of the pool: it costs no statement anything

    @staticmethod
    def is_possible(engine: Engine) -> bool:
        return engine.dialect.name == "postgresql" and engine.dialect.driver == "asyncpg"

    def stop(self) -> None:
        """Ask no further connections; what those that are open still tell is not heard."""
        self._told = None
        if event.contains(self._engine, "connect", self._connected):
            event.remove(self._engine, "connect", self._connected)

    def _connected(self, dbapi_connection: Any, record: Any) -> None:
        if self.permitted is False:
            return
        cursor = dbapi_connection.cursor()
        try:
            for statement in (
                "LOAD 'auto_explain'",
                f"SET auto_explain.log_min_duration = {self._threshold_ms}",
                "SET auto_explain.log_level = 'notice'",
                "SET auto_explain.log_format = 'json'",
            ):
                cursor.execute(statement)
            dbapi_connection.commit()
            self.permitted = True
        except Exception as error:
            self.permitted = False
            dbapi_connection.rollback()
            log.debug("Executed plans are not told here", error=type(error).__name__)
            return
        finally:
            cursor.close()
        dbapi_connection.driver_connection.add_log_listener(self._noticed)

    def _noticed(self, connection: Any, message: Any) -> None:
        text = str(getattr(message, "message", ""))
        if self._told is None or not text.startswith("duration:") or len(text) > LONGEST_NOTICE:
            return
        try:
            notice = json.loads(text.partition(_MARK)[2])
            self._told(str(notice["Query Text"]), of_postgres(notice["Plan"]))
        except Exception as error:  # what a server says in other words is no reason to fail
            log.debug("A plan told by auto_explain cannot be read", error=type(error).__name__)
