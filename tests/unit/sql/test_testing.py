"""The fixture for suites that roll everything back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from steinmetz.sql import WriteSet, hook
from steinmetz.sql.testing import commits_at_release, sql_commits_at_release

__all__ = ["sql_commits_at_release"]

INSERT = text("INSERT INTO orders (total) VALUES (1)")


class Acts(list[str]):
    def mark(self, writes: WriteSet) -> object:
        self.append("mark")
        return None

    def bump(self, token: object) -> None:
        self.append("bump")

    def unmark(self, token: object) -> None:
        self.append("unmark")


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", connect_args={"isolation_level": None})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (total INTEGER)"))
    yield engine
    engine.dispose()


def test_t6_the_outermost_release_counts_and_no_other(engine: Engine, sql_commits_at_release: Any) -> None:
    acts = Acts()
    sql_commits_at_release.observe_transactions(acts)
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            session.execute(INSERT)
            with session.begin_nested():
                session.execute(INSERT)
            assert acts == []
            session.commit()
            assert acts == ["mark", "bump"]
            session.execute(INSERT)
            session.rollback()
            session.execute(text("SELECT count(*) FROM orders")).all()
            session.commit()
        outer.rollback()
    # What a savepoint that was rolled back had written may count too much, never too little.
    assert acts[:2] == ["mark", "bump"]
    assert acts.count("mark") == acts.count("bump")


def test_it_ends_with_its_block(engine: Engine) -> None:
    with commits_at_release(engine) as sql:
        assert sql is hook(engine)
        assert sql.bump_on_release
    assert not sql.bump_on_release
