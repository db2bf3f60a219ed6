from __future__ import annotations

import pytest

from steinmetz.monitor.dialects.base import CannotExplain, is_many, refuse_unless_runnable


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  -- why\n  /* how */ select ';' ;",
        "(SELECT 1) UNION (SELECT 2)",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "insert into t values (1)",
        "SELECT \"a;b\" FROM t WHERE c = 'x;y''z;'",
    ],
)
def test_reads_and_writes_of_rows_may_be_run(sql: str) -> None:
    refuse_unless_runnable(sql)


@pytest.mark.parametrize(
    "sql",
    ["", "-- only a comment", "DROP TABLE t", "ATTACH 'x' AS y", "PRAGMA a = b", "BEGIN", "VACUUM", "CALL p()",
     "EXPLAIN SELECT 1", "SELECT 1; DROP TABLE t", "SELECT ';'; COMMIT"],
)  # fmt: skip
def test_anything_else_may_not(sql: str) -> None:
    with pytest.raises(CannotExplain):
        refuse_unless_runnable(sql)


def test_many_parameters_are_told_from_one_set() -> None:
    assert is_many([(1,), (2,)])
    assert is_many([{"a": 1}])
    assert not is_many((1, 2))
    assert not is_many([])
    assert not is_many({"a": 1})
    assert not is_many([1, 2])
