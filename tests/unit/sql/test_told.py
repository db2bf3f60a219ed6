"""Write sets are tried through the doorbell's messages, too (tests/unit/live/doorbell/test_messages.py)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, MAX_ROWS, Change, Column, Kind, Rows
from steinmetz.sql.told import MAX_RELATIONS, NotToldError, heard_reads, heard_writes, told_reads, told_writes

T, U = Relation("main", "t"), Relation("main", "u")
ID = Column("id", Kind.INTEGER)


def test_a_read_set_comes_back_as_it_was() -> None:
    reads = ReadSet(
        frozenset({T, U}),
        rows={T: (Rows({ID: frozenset({1, 2})}), Rows(columns=frozenset({"a"})))},
    )
    assert heard_reads(orjson.loads(orjson.dumps(told_reads(reads)))) == reads


def test_a_write_set_comes_back_as_it_was() -> None:
    writes = WriteSet(frozenset({T, U}), frozenset({"x"}), {T: (Change({ID: frozenset({1})}, frozenset({"a"})),)})
    assert heard_writes(orjson.loads(orjson.dumps(told_writes(writes)))) == writes


@pytest.mark.parametrize(
    "reads",
    [
        ReadSet(unknown=frozenset({"a procedure"})),
        ReadSet(frozenset(Relation("main", str(number)) for number in range(MAX_RELATIONS + 1))),
    ],
)
def test_what_cannot_be_told_whole_is_not_told(reads: ReadSet) -> None:
    with pytest.raises(NotToldError):
        told_reads(reads)


MANY = list(range(MAX_KEYS + 1))
LOOK: dict[str, Any] = {"bound": [["id", "integer", [1]]], "columns": None}


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"relations": [["main", "t"]]},
        {"relations": "t", "rows": []},
        {"relations": [["main"]], "rows": []},
        {"relations": [["main", 7]], "rows": []},
        {"relations": [["main", "t"]], "rows": [[0]]},
        {"relations": [["main", "t"]], "rows": [[1, [LOOK]]]},
        {"relations": [["main", "t"]], "rows": [[True, [LOOK]]]},
        {"relations": [["main", "t"]], "rows": [[0, []]]},
        {"relations": [["main", "t"]], "rows": [[0, [LOOK] * (MAX_ROWS + 1)]]},
        {"relations": [["main", "t"]], "rows": [[0, [7]]]},
        {"relations": [["main", "t"]], "rows": [[0, [{**LOOK, "columns": 7}]]]},
        {"relations": [["main", "t"]], "rows": [[0, [{**LOOK, "bound": [["id", "integer", ["1"]]]}]]]},
        {"relations": [["main", "t"]], "rows": [[0, [{**LOOK, "bound": [["id", "float", [1]]]}]]]},
        {
            "relations": [["main", "t"]],
            "rows": [[0, [{**LOOK, "bound": [["id", "integer", [*range(MAX_KEYS + 1)]]]}]]],
        },
    ],
)
def test_another_shape_is_refused(told: Any) -> None:
    with pytest.raises(NotToldError):
        heard_reads(told)
