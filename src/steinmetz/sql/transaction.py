"""What one DBAPI connection has written and not committed, and the commits whose fate is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from steinmetz.sql.definitions import Definitions
from steinmetz.sql.effects import MAX_NAMED, WriteSet
from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.knowledge import Memo
from steinmetz.sql.rows import Change, folded_changes
from steinmetz.sql.templates import NO_LISTS, Gathered, WriteTemplate

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

    from steinmetz.sql.images import Sight, Written
    from steinmetz.sql.transaction_observer import TransactionObserver

    Tokens = list[tuple[TransactionObserver, object]]
    """The marks of one transaction: who gave which token."""

MAX_STATEMENTS = 64
"""Kinds of statements whose rows one transaction remembers; what further ones write counts as the whole table."""
NOT_BEGUN = 0
HAS_WRITTEN = -1
MAX_INSERTS = 64
"""INSERTs whose generated keys are asked for at the end of the transaction."""
MAX_FLUSHED = 1_000
"""Rows of one flush whose images are asked for; of further ones only what their statements bind is known."""
CACHE_OPTION = "compiled_cache"
"""The unit of work compiles its statements into a cache of the mapper's own, which tells them from all others."""


class Flushed(NamedTuple):
    """One run of an UPDATE or DELETE that a flush may have sent; ``cache`` is where it was compiled into."""

    template: WriteTemplate
    parameters: Sequence[Mapping[str, Any]]
    lists: Mapping[str, Sequence[str]]
    cache: object


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
        "__weakref__", "_bases", "_flushed_rows", "_gathered", "_imaged", "_inserts", "_whole", "began_ns",
        "committing", "ddl", "definitions", "doubts", "epoch", "flushed", "memo", "moved", "open", "pool_wait_ns",
        "release_commits", "savepoints", "sight", "statements", "token", "unknown", "writes",
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
        self._imaged: dict[WriteTemplate, Gathered] = {}
        self._bases: dict[Relation, object] = {}
        self._flushed_rows = 0
        self.flushed: list[Flushed] = []
        self.sight: Sight | None = None
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
        lists = getattr(context, "_expanded_parameters", NO_LISTS)
        if template.row is not None and self.sight is not None and self.sight.holds:
            cache = context.execution_options.get(CACHE_OPTION)
            rows = len(context.compiled_parameters)
            if cache is not None and self._flushed_rows + rows <= MAX_FLUSHED:
                self._flushed_rows += rows
                self.flushed.append(Flushed(template, context.compiled_parameters, lists, cache))
                return
        if self._inserts and self._inserts[-1][1] is context and template in self._gathered:
            return  # a further batch of one INSERT
        gathered = self._gathered_of(template, self._gathered)
        if gathered is None:
            return
        gathered.add(context.compiled_parameters, lists)
        if template.generated:
            if len(self._inserts) < MAX_INSERTS:
                self._inserts.append((gathered, context))  # its keys are known once it has run
            else:
                gathered.generated.clear()

    def _gathered_of(self, template: WriteTemplate, among: dict[WriteTemplate, Gathered]) -> Gathered | None:
        """None if there are too many statements: then the whole table counts."""
        gathered = among.get(template)
        if gathered is None:
            if len(self._gathered) + len(self._imaged) >= MAX_STATEMENTS:
                self._whole.add(template.relation)
                return None
            gathered = among[template] = Gathered(template)
        return gathered

    # -- images (see `steinmetz.sql.images`)

    def seal(self) -> None:
        """Of what was held back for the end of a flush, only what the statements bind is known."""
        for each in self.flushed:
            self._keep(each)
        self.flushed.clear()
        self._flushed_rows = 0

    def _keep(self, flushed: Flushed) -> None:
        gathered = self._gathered_of(flushed.template, self._gathered)
        if gathered is not None:
            gathered.add(flushed.parameters, flushed.lists)

    def refine(self, written: Written) -> None:
        """Add the images of what was flushed, as far as ``written`` knows them."""
        flushed, self.flushed = self.flushed, []
        self._flushed_rows = 0
        known = []
        for each in flushed:
            base = written.base(each)
            if (
                base is None
                or self._bases.setdefault(each.template.relation, base) is not base
                or written.images(each, frozenset()) is None
            ):
                self._keep(each)
            else:
                known.append(each)
        # Only now is it known which columns others have set, be it within this flush.
        for each in known:
            moved = self._moved(each.template.relation)
            images = None if moved is None else written.images(each, moved)
            gathered = None if images is None else self._gathered_of(each.template, self._imaged)
            if images is None or gathered is None:
                self._keep(each)
                continue
            gathered.add(each.parameters, each.lists)
            for one in images:
                gathered.add_images(one)

    def _moved(self, relation: Relation) -> set[str] | None:
        """The columns that statements without images have set; None if they may have brought other rows."""
        moved: set[str] = set()
        for template in self._gathered:
            if template.relation == relation and not template.inserts:
                if template.assigned is None:
                    return None
                moved |= template.assigned
        return moved

    def ended(self) -> None:
        """The transaction is over, and with it what a session has seen in it."""
        if self.sight is not None:
            self.sight.holds = False
            self.sight = None

    def take(self, database: str, epoch: int) -> WriteSet:
        """The writes of the transaction that ends now."""
        # A trigger that another connection has made meanwhile may have had a part in these writes.
        unknown = self.unknown or self.epoch != epoch
        self.seal()
        self.ended()
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
        self._imaged.clear()
        self._bases.clear()
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
        for gathered in (*self._gathered.values(), *self._imaged.values()):
            if gathered.template.relation not in self._whole:
                changes.setdefault(gathered.template.relation, []).append(gathered.change())
        folded = {relation: folded_changes(several) for relation, several in changes.items()}
        return {relation: several for relation, several in folded.items() if several is not None}
