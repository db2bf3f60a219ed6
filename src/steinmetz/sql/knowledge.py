"""What a database engine knows of its statements, and how long that is remembered.

The port is `Knowledge`; `sqlite.py` and `postgres.py` answer it, `NoKnowledge` stands in for every other dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Protocol

from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.shape import Shape

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.statements import Record

REMEMBERED_TEXTS = 2_000
"""Statement texts remembered for each situation; SQLAlchemy's own statements hang on their compiled object."""
REMEMBERED_LENGTH = 20_000
"""Longer texts (batches of inserts) are remembered by their compiled object only."""


class Knowledge(Protocol):
    """What a database engine itself knows of its statements.

    Called within `do_execute`, that is on a greenlet or a worker thread, where the connection's adapted DBAPI
    methods may be used.
    """

    rolls_back_ddl: bool
    """Whether ROLLBACK undoes DDL; elsewhere it stands when it has run."""
    sees_own_ddl: bool
    """Whether facts are right on a connection whose own DDL is not committed yet."""
    overrides: dict[str, Any]
    """Further attributes that the dialect is to have."""

    def situation(self, connection: PoolProxiedConnection) -> Hashable:
        """All that facts of one text depend on besides the schema (trap T1): foreign_keys, attached files...

        None if the connection is like no other, so that it shares no facts with any.
        """

    def facts(
        self,
        shape: Shape,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        connection: PoolProxiedConnection,
    ) -> StatementFacts | None:
        """What ``statement`` reads and writes; None if that cannot be said now and is not to be remembered.

        ``context`` is None if the statement is not the context's own (trap T3).
        """

    def changes_situation(
        self, shape: Shape, statement: str, parameters: Any, connection: PoolProxiedConnection
    ) -> bool:
        """Whether the statement changes what `situation` tells of its connection; it is then not remembered."""

    def transaction_ended(self, connection: PoolProxiedConnection, *, committed: bool) -> None:
        """A transaction in which a statement has changed the situation is over."""

    def stands_committed(self, connection: PoolProxiedConnection) -> bool:
        """Whether the driver is outside any transaction, so that what was just executed is visible to others."""

    def prime(self, connection: PoolProxiedConnection) -> None:
        """Learn now what would otherwise be learnt at the first statement."""

    def forget(self) -> None:
        """The schema has changed."""


class Oracle(Protocol):
    """What compares, now and then, what a statement wrote with what was predicted of it.

    ``on_surprise`` is told of a statement, and of the relations that it wrote and was not predicted to write.
    """

    on_surprise: Callable[[StatementFacts, frozenset[Relation]], None] | None

    def before(self, facts: StatementFacts, connection: PoolProxiedConnection) -> Any | None:
        """The counters before a write, or None if this one is not looked at."""

    def after(
        self, facts: StatementFacts, counters: Any, connection: PoolProxiedConnection
    ) -> StatementFacts | None:
        """What was written beyond ``facts``; None if nothing."""


class NoKnowledge:
    """Any other dialect: everything may have been touched."""

    sees_own_ddl = True
    rolls_back_ddl = False  # or so for all that is known

    def __init__(self) -> None:
        self.overrides: dict[str, Any] = {}

    def situation(self, connection: PoolProxiedConnection) -> Hashable:
        return ()

    def facts(
        self,
        shape: Shape,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        connection: PoolProxiedConnection,
    ) -> StatementFacts | None:
        return unknown_facts(shape)

    def changes_situation(
        self, shape: Shape, statement: str, parameters: Any, connection: PoolProxiedConnection
    ) -> bool:
        return False

    def transaction_ended(self, connection: PoolProxiedConnection, *, committed: bool) -> None:
        return

    def stands_committed(self, connection: PoolProxiedConnection) -> bool:
        return False

    def prime(self, connection: PoolProxiedConnection) -> None:
        return

    def forget(self) -> None:
        return


_NOTHING: frozenset[Relation] = frozenset()
_CERTAINLY_NO_WRITE = frozenset({"set", "show", "analyze", "vacuum", "listen", "unlisten", "notify", "lock"})


def unknown_facts(shape: Shape) -> StatementFacts:
    """What may be said of a statement by its verb alone."""
    if not shape.several and (shape.verb is Verb.TRANSACTION or shape.head in _CERTAINLY_NO_WRITE):
        return StatementFacts(shape.fingerprint, shape.text, shape.verb, _NOTHING, _NOTHING)
    return StatementFacts(
        shape.fingerprint,
        shape.text,
        Verb.OTHER if shape.several else shape.verb,  # one of several may be a COMMIT
        _NOTHING,
        _NOTHING,
        reads_unknown=True,
        writes_unknown=True,  # even a SELECT may call a function that writes
    )


class Memo:
    """The records of texts in one situation; compiled objects' records name the ``token`` they were made under."""

    __slots__ = ("__weakref__", "texts", "token")

    def __init__(self) -> None:
        self.token = object()
        self.texts: dict[str, Record] = {}

    def keep(self, statement: str, record: Record) -> None:
        if len(statement) > REMEMBERED_LENGTH:
            return
        while len(self.texts) >= REMEMBERED_TEXTS:
            self.texts.pop(next(iter(self.texts)), None)
        self.texts[statement] = record

    def clear(self) -> None:
        self.token = object()
        self.texts.clear()
