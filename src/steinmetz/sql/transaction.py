"""What one DBAPI connection has written and not committed, and the commits whose fate is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.knowledge import Memo

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

    from steinmetz.sql.engine import TransactionObserver

    Tokens = list[tuple[TransactionObserver, object]]
    """The marks of one transaction: who gave which token."""


class ConnectionState:
    """What one DBAPI connection has written and not committed, and the commits whose fate is open."""

    __slots__ = ("committing", "ddl", "doubts", "epoch", "memo", "moved", "unknown", "writes")

    def __init__(self) -> None:
        self.memo: Memo | None = None
        self.writes: set[Relation] | None = None
        self.unknown = False
        self.epoch = 0
        self.ddl = False
        self.moved = False  # a statement of this transaction has changed the situation
        self.committing = False
        self.doubts: Tokens = []

    def collect(
        self, facts: StatementFacts, epoch: int, context: ExecutionContext | None = None, many: bool = False
    ) -> None:
        """Add what a statement of this transaction is about to write; its bound values are in ``context``."""
        if self.writes is None:
            self.writes = set()
            self.epoch = epoch
        self.writes |= facts.writes
        self.unknown = self.unknown or facts.writes_unknown

    def take(self, database: str, epoch: int) -> WriteSet:
        """The writes of the transaction that ends now."""
        # A trigger that another connection has made meanwhile may have had a part in these writes.
        unknown = self.unknown or self.epoch != epoch
        writes = WriteSet(frozenset(self.writes or ()), frozenset({database}) if unknown else frozenset())
        self.writes = None
        self.unknown = False
        return writes
