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
    """Which runs are checked, and how. ``enabled`` may be changed at any time."""

    def __init__(
        self, database: str, *, first: int = FIRST, every: int = EVERY, on_surprise: Surprise | None = None
    ) -> None:
        self.database = database
        self.enabled = True
        self.first = first
        self.every = every
        self.on_surprise = on_surprise
        self.checked = 0
        self.surprises = 0
        self._lock = threading.Lock()
        self._runs: dict[str, int] = {}

    def is_due(self, facts: StatementFacts) -> bool:
        """Count a run of a writing statement; whether this one is to be checked."""
        if not self.enabled or facts.writes_unknown:
            return False
        runs = self._runs.get(facts.fingerprint, 0)
        if not runs and len(self._runs) >= STATEMENTS:
            with self._lock:
                self._runs.clear()
        self._runs[facts.fingerprint] = runs + 1
        return runs < self.first or runs % self.every == 0

    def look(self, connection: PoolProxiedConnection, catalogue: Catalogue) -> Counters | None:
        """The rows written in this transaction by table; None if that cannot be said now."""
        tables = catalogue.tables
        cursor = connection.cursor()
        try:
            cursor.execute(f"SAVEPOINT {_SAVEPOINT}")
            try:
                cursor.execute(_counting(tables))
                counters = {int(oid): int(rows) for oid, rows in cursor.fetchall()}
            except Exception:
                cursor.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
                raise
            cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except Exception as error:
            log.info("The rows that a statement writes could not be counted", error=type(error).__name__)
            return None
        finally:
            cursor.close()
        return counters

    def unpredicted(
        self, facts: StatementFacts, before: Counters, after: Counters, catalogue: Catalogue
    ) -> frozenset[Relation]:
        """What was written between two looks, and is not in ``facts``; an alarm if there is any."""
        self.checked += 1
        tables = catalogue.tables
        written = {
            Relation(self.database, tables[oid])
            for oid, rows in after.items()
            if rows != before.get(oid, 0) and oid in tables
        }
        surprising = frozenset(written - facts.writes)
        if surprising:
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
        return surprising


def _counting(tables: Mapping[int, str]) -> str:
    oids = ",".join(map(str, tables))
    return (
        "SELECT oid, n FROM (SELECT oid::bigint, pg_catalog.pg_stat_get_xact_tuples_inserted(oid) "
        "+ pg_catalog.pg_stat_get_xact_tuples_updated(oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(oid) AS n "
        f"FROM pg_catalog.unnest('{{{oids}}}'::oid[]) AS oid) AS counted WHERE n > 0"
    )
