"""For suites that wrap every test in a transaction and roll it back: their commits count all the same (trap T6).

Such a suite never reaches COMMIT, so neither cache nor live screens would hear of what a test wrote. The release
of the outermost savepoint is what ``Session.commit`` does there (``join_transaction_mode="create_savepoint"``),
and `commits_at_release` lets it count. In a ``conftest.py``::

    from steinmetz.sql.testing import commits_at_release

    @pytest.fixture(autouse=True)
    def committing(engine):
        with commits_at_release(engine):
            yield

or ``pytest_plugins = ["steinmetz.sql.testing"]`` and the fixture ``sql_commits_at_release``, which takes the
suite's own fixture ``engine``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from steinmetz.sql.engine import SqlHook, hook

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def commits_at_release(engine: Engine | AsyncEngine, *, database: str = "main") -> Iterator[SqlHook]:
    """Within the block, the release of the outermost savepoint of a connection counts as a commit.

    Raises `ValueError` as `hook` does.
    """
    sql = hook(engine, database=database)
    before = sql.bump_on_release
    sql.bump_on_release = True
    try:
        yield sql
    finally:
        sql.bump_on_release = before


try:
    import pytest
except ModuleNotFoundError:  # the context manager works without
    pass
else:

    @pytest.fixture
    def sql_commits_at_release(engine: Any) -> Iterator[SqlHook]:
        """`commits_at_release` for the suite's own fixture ``engine``; gives the hook."""
        with commits_at_release(engine) as sql:
            yield sql
