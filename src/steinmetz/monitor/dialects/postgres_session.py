"""One connection to PostgreSQL for questions: one transaction that is rolled back, with a limit of time.

Plain `Connection.exec_driver_sql`, so that any driver will do; what a driver wants for placeholders is its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from steinmetz.monitor.advisor.index import Index, quoted
from steinmetz.monitor.dialects.base import CannotExplain
from steinmetz.monitor.dialects.index_set import IndexSet
from steinmetz.monitor.dialects.postgres_catalogue import read_tables, standing_indexes

if TYPE_CHECKING:
    from sqlalchemy import Connection

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 2_000

_PREPARED = "steinmetz_asked"
_PSYCOPG_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%s")
_REASONS = {
    "42P01": "it names a table that is not there",
    "42703": "it names a column that is not there",
    "42704": "it names an object that is not there",
    "42883": "it calls a function or an operator that is not there",
    "42601": "its syntax is wrong",
    "42501": "this user may not do that",
    "57014": "it takes too long",
    "55P03": "a lock is held by somebody else",
    "23505": "a value is there twice",
    "23502": "a value is missing",
    "23503": "a foreign key does not hold",
    "25006": "the server only reads",
    "22000": "a parameter does not fit its type",
    "22P02": "a parameter does not fit its type",
    "42P18": "the type of a parameter cannot be told",
}


class PostgresSession:
    """The transaction that a what-if and a proof share.

    ``may_build``: real indexes may be made and dropped in it, which locks their tables until it ends; for a clone,
    or where nobody else works. Nothing of it lasts: whoever opened the connection rolls back or closes it.
    """

    def __init__(
        self, connection: Connection, *, may_build: bool = False, timeout_ms: int = STATEMENT_TIMEOUT_MS
    ) -> None:
        self.may_build = may_build
        self._connection = connection
        self._indexes: IndexSet | None = None
        self._for_running = False
        if not connection.in_transaction():
            connection.execution_options(isolation_level="READ COMMITTED")
        for setting in (
            f"statement_timeout = {int(timeout_ms)}",
            f"lock_timeout = {LOCK_TIMEOUT_MS}",
            "jit = off",
        ):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        connection.exec_driver_sql("SAVEPOINT asked")
        self.tables = read_tables(self)

    def ask(self, sql: str, values: Any = (), what: str = "the statement") -> Sequence[Sequence[Any]]:
        """The rows of a statement that changes nothing, or nothing that is to last; `undone` takes it back.

        One that fails leaves the transaction as it was. Raises `CannotExplain` with the reason, without values.
        """
        try:
            result = self._connection.exec_driver_sql(sql, values or None)
            return result.fetchall() if result.returns_rows else []
        except (SQLAlchemyError, TypeError, ValueError) as error:
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT asked")
            raise refusal(error, what) from None

    def tell(self, sql: str, what: str = "the statement") -> None:
        """A statement whose effect lasts as long as the transaction. Raises as `ask`."""
        self.ask(sql, (), what)
        self._connection.exec_driver_sql("RELEASE SAVEPOINT asked")
        self._connection.exec_driver_sql("SAVEPOINT asked")

    def explained(self, sql: str, values: Any, options: str = "") -> Mapping[str, Any]:
        """What EXPLAIN tells in JSON: ``Plan``, and more where it was run."""
        ((document,),) = self.ask(f"EXPLAIN (FORMAT JSON{options}) {sql}", values)
        if isinstance(document, str | bytes):
            document = json.loads(document)
        plan: Mapping[str, Any] = document[0]
        return plan

    @contextmanager
    def prepared(self, sql: str) -> Iterator[Prepared]:
        """The statement under a name, planned for whatever values, as PostgreSQL does after five runs if that
        looks no dearer (https://www.postgresql.org/docs/15/sql-prepare.html)."""
        self.ask(f"PREPARE {_PREPARED} AS {numbered(sql)}")
        try:
            self.ask("SET LOCAL plan_cache_mode = force_generic_plan")
            yield Prepared(self, numbered(sql))
        finally:
            # It would outlive the transaction.
            self.ask("SET LOCAL plan_cache_mode = auto")
            self.ask(f"DEALLOCATE {_PREPARED}")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What is written inside is taken back at the end."""
        try:
            yield
        finally:
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT asked")

    def plan_for_running(self) -> None:
        """From now on plans are those of a run: without hypothetical indexes, and by one process, for workers
        would share the rows, and their number is a matter of the day."""
        self._plan(for_running=True)

    def plan_for_asking(self) -> None:
        """From now on plans are what the application would get."""
        self._plan(for_running=False)

    def _plan(self, for_running: bool) -> None:
        if for_running != self._for_running:
            self._for_running = for_running
            self.tell(f"SET LOCAL hypopg.enabled = {'off' if for_running else 'on'}")
            workers = "0" if for_running else "DEFAULT"
            self.tell(f"SET LOCAL max_parallel_workers_per_gather = {workers}")

    @property
    def indexes(self) -> IndexSet:
        """Real indexes. Raises `CannotExplain` where they may not be built."""
        if not self.may_build:
            raise CannotExplain(
                "real indexes are made and dropped on a clone only, for they lock their tables: give a clone's URL"
            )
        if self._indexes is None:
            self._indexes = IndexSet(
                standing_indexes(self),
                lambda statement, name: self.tell(statement, f"the index {name}"),
                self._gather_statistics,
            )
        return self._indexes

    def reset_indexes(self) -> None:
        """Back to those that the database has."""
        if self._indexes is not None:
            self._indexes.use((), ())

    def _gather_statistics(self, index: Index) -> None:
        # Only expressions have statistics of their own.
        if any(column.is_expression for column in index.columns):
            table = ".".join(quoted(part) for part in index.table.split("."))
            self.tell(f"ANALYZE {table}")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that the server has under a name."""

    session: PostgresSession
    sql: str

    def explained(self, values: Any, options: str = "") -> Mapping[str, Any]:
        """As `PostgresSession.explained`, by the generic plan; ``values`` None stands for any."""
        count = max((int(number) for number in re.findall(r"\$(\d+)", self.sql)), default=0)
        literals = ["NULL"] * count
        if values is not None and count:
            ((types,),) = self.session.ask(
                f"SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = '{_PREPARED}'"
            )
            # EXECUTE takes no bound values. The server itself writes them down, in the driver's encoding.
            written = ", ".join(f"quote_nullable(${at}::{type_}::text)" for at, type_ in enumerate(types, 1))
            (literals,) = (list(row) for row in self.session.ask(f"SELECT {written}", values))
        arguments = f"({', '.join(literals)})" if literals else ""
        return self.session.explained(f"EXECUTE {_PREPARED}{arguments}", (), options)


def numbered(sql: str) -> str:
    """A text with ``$1`` for the placeholders of psycopg; asyncpg's are so already.

    Equal names become one number.
    """
    if "$1" in sql or "%" not in sql:
        return sql
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        name = match[1] or f" {len(numbers)}"
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    return _PSYCOPG_PLACEHOLDER.sub(number, sql).replace("%%", "%")


def refusal(error: Exception, what: str = "the statement") -> CannotExplain:
    """PostgreSQL's refusal by its code, for its words may hold values."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    if code is None:
        return CannotExplain(
            f"the driver refuses {what}: {type(origin or error).__name__}, a parameter may not fit"
        )
    reason = _REASONS.get(code, "see its SQLSTATE")
    return CannotExplain(f"PostgreSQL refuses {what}: {reason} (SQLSTATE {code})")
