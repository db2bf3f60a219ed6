"""How rows of figures are put into a database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from steinmetz.monitor.analysis.packing import pack, unpack
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import Kind, Subject
from steinmetz.monitor.stores.shelf import WHOLE, Row
from steinmetz.monitor.stores.tables import READ, make, metadata, put, row_of, values_of
from tests.garbage import collecting_by_hand, left

NOW_MS = 1_000


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        make(connection, metadata)
        yield connection
    engine.dispose()


def row(key: str, *durations: int) -> Row:
    statistics = Statistics()
    statistics.add_all(durations)
    return Row("p", WHOLE, 0, Subject(Kind.STATEMENT, key, key, f"SELECT {key}"), 10, pack(statistics))


def test_who_is_there_is_replaced_and_his_text_stays(connection: Connection) -> None:
    put(connection, [values_of(row("a", 1), NOW_MS), values_of(row("b", 1), NOW_MS)])
    put(connection, [values_of(row("a", 1, 2), NOW_MS, with_text=False), values_of(row("b", 3), NOW_MS)])
    found = {each.subject.key: each for each in map(row_of, connection.execute(READ))}
    assert {key: unpack(each.packed).count for key, each in found.items()} == {"a": 2, "b": 1}
    assert {key: each.subject.text for key, each in found.items()} == {"a": "SELECT a", "b": "SELECT b"}


def test_what_is_put_every_few_seconds_leaves_nothing_to_the_collector(connection: Connection) -> None:
    with collecting_by_hand():
        for _ in range(2):
            left()
            put(connection, [values_of(row("a", 1), NOW_MS), values_of(row("b"), NOW_MS, with_text=False)])
        found = left()
    assert not [name for name in found if name.startswith("sqlalchemy.")]
