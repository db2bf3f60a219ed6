"""Checks what was predicted against what PostgreSQL counts: the tables that one statement has really written.

``pg_stat_xact_*`` counts the rows that the open transaction has inserted, updated and deleted in each table, by
triggers, foreign keys and functions as well. The difference over one statement is its truth, but for TRUNCATE and
for deferred triggers, which run within COMMIT. Sampled: the first `FIRST` runs of each writing statement, then one
in `EVERY`; a read costs nothing.

Both looks stand under a savepoint, so that no failure of theirs reaches the caller's transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from steinmetz.sql.facts import Relation, StatementFacts

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.catalogue import Catalogue

log = structlog.get_logger("steinmetz.sql")

FIRST = 3
EVERY = 1_000
STATEMENTS = 4_000
"""Statements whose runs are counted; more than that begin anew."""
_SAVEPOINT = "steinmetz_oracle"

Counters = Mapping[int, int]
Surprise = Callable[[StatementFacts, frozenset[Relation]], None]
"""Told of a statement, and of the relations that it wrote and was not predicted to write."""


class Oracle:
    """Which runs are checked, and how; ``enabled``, ``first``, ``every`` and ``on_surprise`` may be set any time.

    ``surprise`` makes the written relations part of the statement's facts and returns these.
    """

    def __init__(
        self,
        database: str,
        catalogue: Callable[[], Catalogue | None],
        surprise: Callable[[StatementFacts, frozenset[Relation]], StatementFacts],
    ) -> None:
        self.enabled = True
        self.first = FIRST
        self.every = EVERY
        self.on_surprise: Surprise | None = None
        self.checked = 0
        self.surprises = 0
        self._database = database
        self._catalogue = catalogue
        self._surprise = surprise
        self._lock = threading.Lock()
        self._runs: dict[str, int] = {}

    def before(self, facts: StatementFacts, connection: PoolProxiedConnection) -> Counters | None:
        """Count a run of a statement that is about to write, in a transaction; None if it is not to be checked."""
        if not self.enabled or facts.writes_unknown or not facts.writes:
            return None
        runs = self._runs.get(facts.fingerprint, 0)
        if not runs and len(self._runs) >= STATEMENTS:
            with self._lock:
                self._runs.clear()
        self._runs[facts.fingerprint] = runs + 1
        if runs >= self.first and runs % self.every:
            return None
        catalogue = self._catalogue()
        return None if catalogue is None else self._look(connection, catalogue)

    def after(
        self, facts: StatementFacts, counters: Counters, connection: PoolProxiedConnection
    ) -> StatementFacts | None:
        """The facts as they ought to have been, if the statement wrote what was not predicted; an alarm, too."""
        catalogue = self._catalogue()
        now = None if catalogue is None else self._look(connection, catalogue)
        if catalogue is None or now is None:
            return None
        self.checked += 1
        tables = catalogue.tables
        written = {
            Relation(self._database, tables[oid])
            for oid, rows in now.items()
            if rows != counters.get(oid, 0) and oid in tables
        }
        surprising = frozenset(written - facts.writes)
        if not surprising:
            return None
        self._alarm(facts, surprising)
        return self._surprise(facts, surprising)

    def _alarm(self, facts: StatementFacts, surprising: frozenset[Relation]) -> None:
        self.surprises += 1
        log.error(
            "A statement wrote a table that it was not predicted to write; what was read of it may be stale",
            statement=facts.text[:500],
            fingerprint=facts.fingerprint,
            tables=sorted(relation.name for relation in surprising),
        )
        if self.on_surprise is not None:
            try:
                self.on_surprise(facts, surprising)
            except Exception as error:
                log.error("on_surprise failed", error=type(error).__name__)

    def _look(self, connection: PoolProxiedConnection, catalogue: Catalogue) -> Counters | None:
        """The rows written by table since the connection last told of them; None if that cannot be said now."""
        cursor = connection.cursor()
        try:
            cursor.execute(f"SAVEPOINT {_SAVEPOINT}")
            try:
                cursor.execute(_counting(catalogue.tables))
                return {int(oid): int(rows) for oid, rows in cursor.fetchall()}
            except Exception:
                cursor.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                raise
            finally:
                cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except Exception as error:
            log.info("The rows that a statement writes could not be counted", error=type(error).__name__)
            return None
        finally:
            cursor.close()


def _counting(tables: Mapping[int, str]) -> str:
    oids = ",".join(map(str, tables))
    return (
        "SELECT oid, n FROM (SELECT oid::bigint, pg_catalog.pg_stat_get_xact_tuples_inserted(oid) "
        "+ pg_catalog.pg_stat_get_xact_tuples_updated(oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(oid) AS n "
        f"FROM pg_catalog.unnest('{{{oids}}}'::oid[]) AS oid) AS counted WHERE n > 0"
    )
