"""How many different values there are, and how large an index would be: estimates from a bounded sample."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from steinmetz.monitor.advisor.index import Index, IndexColumn, quoted
from steinmetz.monitor.dialects.sqlite_copy import SqliteCopy, refusal, sample_of
from steinmetz.monitor.dialects.sqlite_schema import FoundTable

SAMPLE = 10_000
"""Rows looked at for each estimate: a few milliseconds."""
COLUMN_SAMPLE = 2_000
PAGE_BYTES = 4_096
PAGE_HEADER_BYTES = 12
CELL_BYTES = 2 + 1 + 1
"""In an index page each entry has a pointer of two bytes, the length of its record and that of its header."""


@dataclass(frozen=True, slots=True)
class Values:
    """What a sample says of one column: distinct values, share of NULL, share of the most frequent value."""

    distinct: float
    nulls: float
    most_common: float


class Estimates:
    """Estimates over a copy, each made once."""

    def __init__(self, copy: SqliteCopy, tables: dict[str, FoundTable]) -> None:
        self._copy = copy
        self._tables = tables
        self._rows: dict[str, int] = {}
        self._groups: dict[tuple[str, str, frozenset[str]], tuple[int, int, int]] = {}

    def rows(self, table: str) -> int:
        """Rows of the table in the original database."""
        if table not in self._rows:
            ((count,),) = self._copy.raw.execute(f"SELECT count(*) FROM {quoted(table)}")
            self._rows[table] = round(count * self._copy.scale.get(table, 1.0))
        return self._rows[table]

    def stat1(self, index: Index) -> str:
        """The row that ANALYZE would write into sqlite_stat1: entries, then rows for each longer prefix of the
        keys (https://www.sqlite.org/fileformat2.html#stat1tab)."""
        entries = self.entries(index)
        parts = [str(entries)]
        for length in range(1, len(index.columns) + 1):
            distinct = self.distinct(index.table, index.columns[:length], index.where)
            parts.append(str(max(1, -(-entries // max(1, round(distinct))))))
        if index.unique and entries:
            parts[-1] = "1"
        return " ".join(parts)

    def entries(self, index: Index) -> int:
        """Rows that satisfy the condition of a partial index, all of them otherwise."""
        rows = self.rows(index.table)
        if not index.where:
            return rows
        kept, _, _ = self._grouped(index.table, index.columns[:1], index.where)
        return round(rows * kept / max(1, self._sample_size(index.table)))

    def distinct(self, table: str, keys: Iterable[IndexColumn], where: str = "") -> float:
        """Distinct combinations of some keys, by the estimator of Haas and Stokes (1998) that PostgreSQL uses:
        ``n d / (n - f1 + f1 n / N)``, where f1 combinations of d were seen once in n rows of N."""
        kept, seen, once = self._grouped(table, keys, where)
        if not kept:
            return 0.0
        total = self.rows(table) * kept / max(1, self._sample_size(table))
        return min(total, kept * seen / (kept - once + once * kept / max(total, kept)))

    def values(self, table: str) -> dict[str, Values]:
        """Each column of a table."""
        found = self._tables[table]
        names = [column.name for column in found.columns]
        columns = ", ".join(f'"{name}"' for name in names)
        sample = self._copy.raw.execute(f"SELECT {columns} FROM {self._sample(table, COLUMN_SAMPLE)}").fetchall()
        total, count = self.rows(table), len(sample)
        told = {}
        for place, name in enumerate(names):
            seen = Counter(row[place] for row in sample)
            nulls = seen.pop(None, 0)
            known = count - nulls
            once = sum(1 for times in seen.values() if times == 1)
            scaled = total * known / max(1, count)
            distinct = known * len(seen) / (known - once + once * known / max(scaled, known)) if known else 0.0
            most = max(seen.values(), default=0) / max(1, count)
            told[name] = Values(min(distinct, scaled), nulls / max(1, count), most)
        return told

    def size_bytes(self, index: Index) -> int:
        """Pages of an index as CREATE INDEX leaves them: sorted in, so nearly full."""
        keys = [key_sql(column) for column in index.columns]
        found = self._tables[index.table]
        # An entry ends with what names its row; columns of the primary key are not written twice.
        named = ["rowid"] if found.has_rowid else [quoted(name) for name in found.primary_key]
        keys += [key for key in named if key not in keys]
        width = " + ".join(f"coalesce({_stored_bytes(key)}, 0)" for key in keys)
        where = f" WHERE {index.where}" if index.where else ""
        try:
            ((average,),) = self._copy.raw.execute(
                f"SELECT avg({width}) FROM {self._sample(index.table, SAMPLE)}{where}"
            )
        except sqlite3.Error as error:
            raise refusal(error, f"the index {index.shown_name}") from None
        entry = CELL_BYTES + len(keys) + (average or 0)
        per_page = max(1, int((PAGE_BYTES - PAGE_HEADER_BYTES) / entry))
        return max(1, -(-self.entries(index) // per_page)) * PAGE_BYTES

    def _grouped(self, table: str, keys: Iterable[IndexColumn], where: str) -> tuple[int, int, int]:
        """Of the sample: rows, distinct combinations, and combinations seen once."""
        names = frozenset(key_sql(column) for column in keys)
        memo = (table, where, names)
        if memo not in self._groups:
            condition = f" WHERE {where}" if where else ""
            listed = ", ".join(sorted(names))
            try:
                ((kept, seen, once),) = self._copy.raw.execute(
                    f"SELECT coalesce(sum(n), 0), count(*), coalesce(sum(n = 1), 0) FROM"
                    f" (SELECT count(*) AS n FROM {self._sample(table, SAMPLE)}{condition} GROUP BY {listed})"
                )
            except sqlite3.Error as error:
                raise refusal(error, f"an index on {table}") from None
            self._groups[memo] = kept, seen, once
        return self._groups[memo]

    def _sample_size(self, table: str) -> int:
        memo = (table, "", frozenset[str]())
        if memo not in self._groups:
            ((count,),) = self._copy.raw.execute(f"SELECT count(*) FROM {self._sample(table, SAMPLE)}")
            self._groups[memo] = count, 0, 0
        return self._groups[memo][0]

    def _sample(self, table: str, wanted: int) -> str:
        kept = round(self.rows(table) / self._copy.scale.get(table, 1.0))
        return sample_of(table, kept, wanted, self._tables[table].has_rowid)


def key_sql(column: IndexColumn) -> str:
    """A key without its direction."""
    return replace(column, descending=False).sql()


def _stored_bytes(key: str) -> str:
    """Bytes of a value in a record (https://www.sqlite.org/fileformat2.html#record_format)."""
    return (
        f"CASE typeof({key}) WHEN 'null' THEN 0 WHEN 'real' THEN 8 WHEN 'integer' THEN"
        f" CASE WHEN {key} IN (0, 1) THEN 0 WHEN abs({key}) < 128 THEN 1 WHEN abs({key}) < 32768 THEN 2"
        f" WHEN abs({key}) < 8388608 THEN 3 WHEN abs({key}) < 2147483648 THEN 4 ELSE 8 END"
        f" ELSE length(CAST({key} AS BLOB)) END"
    )
