from __future__ import annotations

import sqlite3
from random import Random

import pytest

from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.dialects.sqlite_copy import FileSource, SqliteCopy
from steinmetz.monitor.dialects.sqlite_estimate import Estimates
from steinmetz.monitor.dialects.sqlite_schema import found_tables

ROWS = 30_000


@pytest.fixture(scope="module")
def copy() -> SqliteCopy:
    random = Random(3)
    source = sqlite3.connect(":memory:", isolation_level=None)
    source.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant INT, word TEXT, rare TEXT, body TEXT)")
    source.execute("CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID")
    source.executemany(
        "INSERT INTO notes VALUES (?, ?, ?, ?, ?)",
        (
            (
                number,
                number % 50,
                f"Word{random.randrange(3000)}",
                "x" if random.random() < 0.01 else None,
                "y" * random.randrange(80),
            )
            for number in range(ROWS)
        ),
    )
    source.executemany("INSERT INTO pairs VALUES (?, ?)", ((number // 30, number % 30) for number in range(ROWS)))
    return SqliteCopy(FileSource(source))


@pytest.fixture
def estimates(copy: SqliteCopy) -> Estimates:
    return Estimates(copy, {table.name: table for table in found_tables(copy.raw)})


def index(table: str, *keys: str, where: str = "", unique: bool = False) -> Index:
    columns = tuple(IndexColumn(key, is_expression="(" in key) for key in keys)
    return Index(table, columns, where, unique=unique)


@pytest.mark.parametrize(
    "wanted",
    [
        index("notes", "tenant"),
        index("notes", "word"),
        index("notes", "tenant", "word"),
        index("notes", "lower(word)", "tenant"),
        index("notes", "rare"),
        index("notes", "tenant", where="rare IS NOT NULL"),
        index("notes", "word", "id", unique=True),
        index("pairs", "b"),
        index("pairs", "b", "a"),
    ],
    ids=lambda each: each.definition(),
)
def test_statistics_are_near_to_those_of_analyze(copy: SqliteCopy, estimates: Estimates, wanted: Index) -> None:
    estimated = [int(word) for word in estimates.stat1(wanted).split()]
    copy.indexes.use([wanted], ())
    ((told,),) = copy.raw.execute("SELECT stat FROM sqlite_stat1 WHERE idx = ?", (wanted.shown_name,))
    ((real_size,),) = copy.raw.execute("SELECT sum(pgsize) FROM dbstat WHERE name = ?", (wanted.shown_name,))
    copy.indexes.use((), ())
    real = [int(word) for word in told.split(" ")[: len(estimated)]]
    for guess, truth in zip(estimated, real, strict=True):
        assert truth / 1.6 - 1 <= guess <= truth * 1.6 + 1, (estimated, real)
    assert real_size / 1.5 <= estimates.size_bytes(wanted) <= real_size * 1.5


def test_an_empty_table_has_nothing() -> None:
    source = sqlite3.connect(":memory:", isolation_level=None)
    source.execute("CREATE TABLE empty (id INTEGER PRIMARY KEY, word TEXT)")
    copy = SqliteCopy(FileSource(source))
    estimates = Estimates(copy, {table.name: table for table in found_tables(copy.raw)})
    assert estimates.rows("empty") == 0
    assert estimates.stat1(index("empty", "word")) == "0 1"
    assert estimates.values("empty")["word"].distinct == 0
    assert estimates.size_bytes(index("empty", "word")) == 4096
    copy.close()
