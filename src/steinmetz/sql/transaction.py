"""What one DBAPI connection has written and not committed, and the commits whose fate is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steinmetz.sql.definitions import Definitions
from steinmetz.sql.effects import MAX_NAMED, WriteSet
from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.knowledge import Memo
from steinmetz.sql.rows import Change, folded_changes
from steinmetz.sql.templates import NO_LISTS, Gathered, WriteTemplate

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

    from steinmetz.sql.engine import TransactionObserver

    Tokens = list[tuple[TransactionObserver, object]]
    """The marks of one transaction: who gave which token."""

MAX_STATEMENTS = 64
"""Kinds of statements whose rows one transaction remembers; what further ones write counts as the whole table."""
NOT_BEGUN = 0
HAS_WRITTEN = -1
MAX_INSERTS = 64
"""INSERTs whose generated keys are asked for at the end of the transaction."""


class ConnectionState:
    """What one DBAPI connection has written and not committed, and the commits whose fate is open.

    ``token`` is that of the memo whose records hold for the connection as it is now, None whenever a statement
    needs more than its record (see `steinmetz.sql.statements`).

    ``began_ns`` tells what a scope that reads here may see: a transaction that began before the scope may show an
    older past than the scope's beginning, one that has written may show what never comes to pass. It is of
    ``perf_counter_ns``: when the transaction began at the latest, or `NOT_BEGUN`, or `HAS_WRITTEN`; so one
    comparison with the beginning of the scope tells that there is no doubt.
    """

    __slots__ = (
        "__weakref__", "_gathered", "_inserts", "_whole", "began_ns", "committing", "ddl", "definitions", "doubts",
        "epoch", "memo", "moved", "open", "pool_wait_ns", "release_commits", "savepoints", "statements", "token",
        "unknown", "writes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.memo: Memo | None = None
        self.token: object = None
        self.open = True  # a transaction, as far as is known
        self.pool_wait_ns = 0
        self.began_ns = NOT_BEGUN
        self.savepoints: list[str] = []
        self.release_commits = False  # the outermost of them stands for BEGIN (SQLite)
        self.writes: set[Relation] | None = None
        self.statements: list[StatementFacts] = []
        self._whole: set[Relation] = set()
        self._gathered: dict[WriteTemplate, Gathered] = {}
        self._inserts: list[tuple[Gathered, Any]] = []
        self.unknown = False
        self.epoch = 0
        self.ddl = False
        self.definitions: Definitions | None = None  # and savepoints that they may be rolled back to
        self.moved = False  # a statement of this transaction has changed the situation
        self.committing = False
        self.doubts: Tokens = []

    def unsettle(self) -> None:
        """What was remembered for the connection as it was does not hold for it any more."""
        self.memo = None
        self.token = None

    def collect(
        self, facts: StatementFacts, epoch: int, context: ExecutionContext | None = None, many: bool = False
    ) -> None:
        """Add what a statement of this transaction is about to write; its bound values are in ``context``."""
        if self.writes is None:
            self.writes = set()
            self.epoch = epoch
            self.began_ns = HAS_WRITTEN
        self.writes |= facts.writes
        self.unknown = self.unknown or facts.writes_unknown
        if len(self.statements) < MAX_NAMED and not any(facts is named for named in self.statements):
            self.statements.append(facts)
        template = facts.changes
        if template is None or context is None:
            self._whole |= facts.writes
        else:
            self._gather(template, context)

    def _gather(self, template: WriteTemplate, context: Any) -> None:
        self._whole |= template.others
        gathered = self._gathered.get(template)
        if gathered is None:
            if len(self._gathered) >= MAX_STATEMENTS:
                self._whole.add(template.relation)
                return
            gathered = self._gathered[template] = Gathered(template)
        elif self._inserts and self._inserts[-1][1] is context:
            return  # a further batch of one INSERT
        gathered.add(context.compiled_parameters, getattr(context, "_expanded_parameters", NO_LISTS))
        if template.generated:
            if len(self._inserts) < MAX_INSERTS:
                self._inserts.append((gathered, context))  # its keys are known once it has run
            else:
                gathered.generated.clear()

    def take(self, database: str, epoch: int) -> WriteSet:
        """The writes of the transaction that ends now."""
        # A trigger that another connection has made meanwhile may have had a part in these writes.
        unknown = self.unknown or self.epoch != epoch
        writes = WriteSet(
            frozenset(self.writes or ()),
            frozenset({database}) if unknown else frozenset(),
            self._changes(),
            tuple(self.statements),
        )
        self.writes = None
        self.statements.clear()
        self.unknown = False
        self.began_ns = NOT_BEGUN
        self._whole.clear()
        self._gathered.clear()
        self._inserts.clear()
        return writes

    def put_back(self, writes: WriteSet) -> None:
        """The COMMIT of what `take` gave has failed: the transaction may still be open, and be committed later."""
        if self.writes is None:
            self.writes = set()
        self.writes |= writes.relations
        self._whole |= writes.relations
        self.unknown = self.unknown or bool(writes.unknown)
        self.began_ns = HAS_WRITTEN

    def _changes(self) -> dict[Relation, tuple[Change, ...]]:
        for gathered, context in self._inserts:
            # Not asked as an attribute: that would make one up, and keep it, if the statement has not run yet.
            keys = vars(context).get("inserted_primary_key_rows")
            gathered.add_generated(keys, len(context.compiled_parameters))
        changes: dict[Relation, list[Change]] = {}
        for gathered in self._gathered.values():
            if gathered.template.relation not in self._whole:
                changes.setdefault(gathered.template.relation, []).append(gathered.change())
        folded = {relation: folded_changes(several) for relation, several in changes.items()}
        return {relation: several for relation, several in folded.items() if several is not None}
