"""What-if and proof for SQLite: plans on an empty copy of the schema, work on a copy of the data.

SQLite tells no cost with its plan. The cost of a plan is therefore measured: the statement runs once on a copy of
the data with the indexes that the plan uses, and its steps are counted. A plan that was measured is not measured
again, so trying many sets of indexes costs one EXPLAIN QUERY PLAN each and few runs.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.dialects.base import (
    CannotExplain,
    Column,
    Plan,
    Table,
    Work,
    is_many,
    refuse_unless_runnable,
)
from steinmetz.monitor.dialects.sqlite_copy import (
    MAX_COPY_MB,
    SCHEMA,
    EngineSource,
    FileSource,
    Source,
    SqliteCopy,
    copy_schema,
    in_memory,
    refusal,
    sqlite_indexes,
)
from steinmetz.monitor.dialects.sqlite_estimate import Estimates
from steinmetz.monitor.dialects.sqlite_schema import FoundTable, found_tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_COST_STEPS = 20_000_000
"""A plan that takes more steps costs this much; what-ifs are many, so each may take about half a second."""

COSTS_KEPT = 50_000

_INDEX_USED = re.compile(r"\bUSING (?:COVERING )?INDEX (\S+)")
_SUBQUERY_NUMBER = re.compile(r"(?<=SUBQUERY )\d+|(?<=subquery-)\d+|(?<=subquery_)\d+")


class SqliteWhatIf:
    """Plans under indexes that do not exist.

    ``copy`` is shared with a `SqliteProof`. The real database is asked while copying and never again, so a what-if
    may be taken to another thread. Used by one thread at a time.
    """

    def __init__(self, copy: SqliteCopy) -> None:
        self._copy = copy
        copy.indexes.use((), ())
        self._found: dict[str, FoundTable] = {table.name: table for table in found_tables(copy.raw)}
        self._estimates = Estimates(copy, self._found)
        self._shape = in_memory()
        copy_schema(copy.raw.execute(SCHEMA), self._shape)
        self._copy_statistics()
        self._indexes = sqlite_indexes(self._shape, self._estimate_statistics)
        self._tables: dict[str, Table] = {}
        self._costs: dict[tuple[Any, ...], float] = {}
        self._writes: dict[str, bool] = {}

    def close(self) -> None:
        self._shape.close()

    def tables(self) -> Mapping[str, Table]:
        if not self._tables:
            self._tables = {name: self._table(found) for name, found in self._found.items()}
        return self._tables

    def plan(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Plan:
        refuse_unless_runnable(sql)
        self._indexes.use(adding, without)
        asked = values[0] if is_many(values) else values
        try:
            nodes = self._shape.execute(f"EXPLAIN QUERY PLAN {sql}", asked or ()).fetchall()
            if sql not in self._writes:
                codes = self._shape.execute(f"EXPLAIN {sql}", asked or ())
                self._writes[sql] = any(code[1] == "Transaction" and code[3] for code in codes)
        except sqlite3.Error as error:
            raise refusal(error) from None
        text = plan_text(nodes)
        used = frozenset(_INDEX_USED.findall(text))
        # A read costs what its plan costs; a write also keeps up the indexes that its plan does not show.
        needed = adding if self._writes[sql] else [index for index in adding if index.shown_name in used]
        cost = self._cost(sql, values, text, needed, without)
        return Plan(hash=plan_hash(text), text=text, cost=cost, indexes=used)

    def size_bytes(self, index: Index) -> int:
        if index.table not in self._found:
            raise CannotExplain(f"there is no table {index.table}")
        if index.name and not self._copy.scale.get(index.table):
            ((pages,),) = self._copy.raw.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name = ? AND aggregate = 1", (index.name,)
            )
            if pages:
                return int(pages)
        return self._estimates.size_bytes(index)

    def _cost(self, sql: str, values: Any, text: str, adding: Sequence[Index], without: Sequence[Index]) -> float:
        hidden = tuple(sorted(index.shown_name for index in without))
        memo = (sql, repr(values), text, tuple(sorted(index.shown_name for index in adding)), hidden)
        if memo not in self._costs:
            if len(self._costs) >= COSTS_KEPT:
                self._costs.clear()
            work = self._copy.run(sql, values, adding=adding, without=without, max_steps=MAX_COST_STEPS)
            self._costs[memo] = work.steps
        return self._costs[memo]

    def _table(self, found: FoundTable) -> Table:
        told = self._estimates.values(found.name)
        columns = {
            column.name: Column(
                column.name,
                column.type,
                column.nullable,
                told[column.name].distinct,
                told[column.name].nulls,
                told[column.name].most_common,
            )
            for column in found.columns
        }
        return Table(
            name=found.name,
            rows=self._estimates.rows(found.name),
            columns=columns,
            indexes=found.indexes,
            primary_key=found.primary_key,
            foreign_keys=found.foreign_keys,
        )

    def _copy_statistics(self) -> None:
        self._shape.execute("ANALYZE")
        self._shape.execute("DELETE FROM sqlite_stat1")
        rows = self._copy.raw.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
        for table, index, stat in rows:
            scale = self._copy.scale.get(table)
            if scale is not None:
                first, *rest = stat.split(" ")
                stat = " ".join([str(round(int(first) * scale)), *rest])
            self._shape.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index, stat))
        self._shape.execute("ANALYZE sqlite_schema")

    def _estimate_statistics(self, index: Index) -> None:
        stat = self._estimates.stat1(index)
        if stat.startswith("0"):
            return
        self._shape.execute("DELETE FROM sqlite_stat1 WHERE idx = ?", (index.shown_name,))
        self._shape.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (index.table, index.shown_name, stat))
        self._shape.execute("ANALYZE sqlite_schema")


class SqliteProof:
    """Statements really run on a copy of the data, with real indexes and their statistics.

    Raises `CannotExplain` at once for a copy that holds but a sample, unless ``on_sample`` says that will do.
    """

    def __init__(self, copy: SqliteCopy, *, on_sample: bool = False) -> None:
        if copy.is_sample and not on_sample:
            raise CannotExplain(
                "the database is too large to be copied whole: allow a larger copy (max_mb) or a proof on a sample"
            )
        self._copy = copy

    def run(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Work:
        return self._copy.run(sql, values, adding=adding, without=without)


def copied(database: Connection | str, *, max_mb: float = MAX_COPY_MB) -> SqliteCopy:
    """A copy of the database behind a SQLAlchemy connection (pysqlite or aiosqlite) or in a file.

    ``max_mb``: a larger database is sampled. Raises `CannotExplain` where it cannot be read.
    """
    if isinstance(database, str):
        try:
            connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise refusal(error, "to open the file") from None
        try:
            return _copied(FileSource(connection), max_mb)
        finally:
            connection.close()
    return _copied(EngineSource(database), max_mb)


def _copied(source: Source, max_mb: float) -> SqliteCopy:
    try:
        return SqliteCopy(source, max_mb=max_mb)
    except sqlite3.Error as error:
        raise refusal(error, "to be copied") from None


def plan_text(nodes: Sequence[tuple[Any, ...]]) -> str:
    """The tree of EXPLAIN QUERY PLAN, two spaces a level. SQLite shows ``?`` for every value."""
    depth = {0: -1}
    lines = []
    for node, parent, _, detail in nodes:
        depth[node] = depth.get(parent, -1) + 1
        lines.append("  " * depth[node] + detail)
    return "\n".join(lines)


def plan_hash(text: str) -> str:
    """Equal for equal shapes; SQLite's running numbers of subqueries are no part of the shape."""
    return hashlib.blake2b(_SUBQUERY_NUMBER.sub("n", text).encode(), digest_size=8).hexdigest()
