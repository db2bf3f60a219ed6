"""The advice as a revision for Alembic: what to make and to drop, and the way back."""

from __future__ import annotations

from collections.abc import Iterable

from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.index import Index

_HEAD = '''"""{title}

Revision ID: {revision}
Revises: {down_revision}
"""

from __future__ import annotations

from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None

'''


def revision_text(
    advice: Advice,
    *,
    revision: str,
    down_revision: str | None,
    title: str = "Indexes that the advisor has proven.",
) -> str:
    """The source of a revision. On PostgreSQL the indexes are built without locking the table, which is possible
    outside of a transaction only (https://alembic.sqlalchemy.org, `autocommit_block`)."""
    removed = [removal.index for removal in advice.drop]
    concurrently = advice.dialect.startswith("postgres")
    up = [*_made(advice.indexes, concurrently), *_dropped(removed, concurrently)]
    down = [*_made(removed, concurrently), *_dropped(advice.indexes, concurrently)]
    head = _HEAD.format(title=title, revision=revision, down_revision=down_revision or "", down=down_revision)
    return head + _function("upgrade", up, concurrently) + "\n\n" + _function("downgrade", down, concurrently)


def _made(indexes: Iterable[Index], concurrently: bool) -> list[str]:
    return [index.ddl(concurrently=concurrently) for index in indexes]


def _dropped(indexes: Iterable[Index], concurrently: bool) -> list[str]:
    return [index.drop_ddl(concurrently=concurrently) for index in indexes]


def _function(name: str, statements: list[str], concurrently: bool) -> str:
    lines = [f"op.execute({statement!r})" for statement in statements] or ["pass"]
    if concurrently and statements:
        lines = ["with op.get_context().autocommit_block():", *(f"    {line}" for line in lines)]
    return "\n".join([f"def {name}() -> None:", *(f"    {line}" for line in lines)]) + "\n"
