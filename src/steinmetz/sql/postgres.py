"""What PostgreSQL knows of a statement: its catalogue, and which tables SQLAlchemy compiled into the text.

A statement that SQLAlchemy compiled names its tables while it is compiled (`naming_compiler`); any other text is
matched word by word against all relations, so that none is missed. Both are then closed over views, rules,
triggers, foreign-key actions, inheritance, policies, defaults and functions (`catalogue.py`).

The catalogue is read once, and again after DDL, on the connection that needs it; `SqlHook.prime` does so at start.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.sql.compiler import SQLCompiler

from steinmetz.sql.analysis import Event
from steinmetz.sql.catalogue import Catalogue
from steinmetz.sql.closure import Touch
from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.narrowing import Narrowing, Question
from steinmetz.sql.oracle import Oracle
from steinmetz.sql.postgres_catalogue import read_catalogue, schema_fingerprint
from steinmetz.sql.probe import Answer, analysable
from steinmetz.sql.session import BEGINNING, BLURRED, Seat
from steinmetz.sql.shape import Shape

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect, ExecutionContext
    from sqlalchemy.pool import PoolProxiedConnection

log = structlog.get_logger("steinmetz.sql")

_NAMES = "_steinmetz_names"
_TOUCHES_NOTHING = frozenset(
    {"set", "show", "reset", "listen", "unlisten", "notify", "lock", "discard", "checkpoint", "vacuum", "analyze",
     "cluster", "deallocate", "close", "load", "security", "prepare"}
)  # fmt: skip
_NAMED = frozenset(
    {
        "select",
        "values",
        "table",
        "with",
        "insert",
        "update",
        "delete",
        "merge",
        "truncate",
        "copy",
        "refresh",
        "declare",
        "explain",
    }
)  # fmt: skip_EXPANDED = re.compile(r"__\[POSTCOMPILE_")

_EXPANDED = re.compile(r"__\[POSTCOMPILE_")

SURPRISES = 1_000
"""Statements of which it is remembered that they wrote more than was predicted."""


class PostgresKnowledge:
    """The `steinmetz.sql.knowledge.Knowledge` of PostgreSQL engines."""

    sees_own_ddl = False
    rolls_back_ddl = True

    def __init__(self, database: str, dialect: Dialect) -> None:
        self.database = database
        self.narrowing = Narrowing()
        self.oracle = Oracle(database, lambda: self._catalogue, self.surprise)
        self.fingerprint = ""
        self._dialect = dialect
        self._style = dialect.paramstyle
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._generation = 0
        self._surprises: dict[str, frozenset[Relation]] = {}
        self.overrides: dict[str, Any] = {"statement_compiler": naming_compiler(dialect.statement_compiler)}

    # -- what names mean on a connection ------------------------------------------------------------------------

    def situation(self, connection: PoolProxiedConnection) -> Hashable:
        seat = _seat(self, connection)
        return BEGINNING if seat is None else seat.situation

    def changes_situation(
        self, shape: Shape, statement: str, parameters: Any, connection: PoolProxiedConnection
    ) -> bool:
        seat = _seat(self, connection) or Seat()
        if seat.situation == BLURRED and not seat.moved:
            return False  # it cannot become clearer
        if seat.moved:
            seat.moved = False
            return True
        driver = connection.dbapi_connection
        follows = seat.follow(shape, statement, parameters, autocommit=bool(getattr(driver, "autocommit", False)))
        if follows:
            _take(self, connection, seat)
        return follows

    def transaction_ended(self, connection: PoolProxiedConnection, *, committed: bool) -> None:
        seat = _seat(self, connection)
        if seat is not None:
            seat.ended(committed=committed)

    def stands_committed(self, connection: PoolProxiedConnection) -> bool:
        return False

    # -- the schema ---------------------------------------------------------------------------------------------

    def prime(self, connection: PoolProxiedConnection) -> None:
        self._read_catalogue(connection)

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._catalogue = None
        self.narrowing.forget()

    @property
    def catalogue(self) -> Catalogue | None:
        """What is known of the schema now; None until it is read again."""
        return self._catalogue

    # -- statements ---------------------------------------------------------------------------------------------

    def facts(
        self,
        shape: Shape,
        statement: str,
        parameters: Any,
        context: ExecutionContext | None,
        connection: PoolProxiedConnection,
    ) -> StatementFacts | None:
        if shape.several:
            return None
        if shape.head in _TOUCHES_NOTHING:
            return self._facts(shape, Touch())
        if shape.head in ("fetch", "move"):
            return self._facts(shape, Touch(reads_unknown=True))  # the cursor's relations were noted at DECLARE
        if shape.head not in _NAMED:
            return None
        seat = _seat(self, connection)
        session = BEGINNING if seat is None else seat.session
        key = statement if context is None or context.compiled is None else str(context.compiled.string)
        if session is not None and (found := self.narrowing.known(key, session)) is not None:
            return self._widened(found)
        names: Names | None = getattr(context.compiled, _NAMES, None) if context is not None else None
        known = self._catalogue
        catalogue = known or self._read_catalogue(connection)
        if known is not None and known.strangers(shape, relations=_relations(names, shape, known)):
            catalogue = self._read_catalogue(connection)  # made by others since it was read
        if catalogue is None:
            return None
        touch = catalogue.touched_by(shape, relations=_relations(names, shape, catalogue))
        _explain(shape, touch)
        facts = self._widened(self._facts(shape, touch))
        if touch.moves:
            seat = seat or Seat()
            seat.moved = seat.situation != BLURRED
            seat.blur()
            _take(self, connection, seat)
            return facts
        if session is not None and self.narrowing.is_attended:
            text = statement if _EXPANDED.search(key) else key
            if (asked := analysable(shape, text, style=self._style)) is not None:
                self.narrowing.offer(key, asked, shape, session, catalogue)
        return facts

    def narrowed(self, question: Question, answer: Answer) -> StatementFacts | None:
        """The facts that follow from the server's own analysis; None if it does not fit what is known."""
        catalogue, shape, analysis = question.catalogue, question.shape, answer.analysis
        if catalogue.lacks(analysis):
            return None
        if self._style != "numeric_dollar":
            # These drivers give the server the types of the values, and so may choose another overload.
            analysis.calls |= catalogue.functions_named(shape.called)
        touch = catalogue.touched_as(shape, analysis)
        if touch.moves:
            return None
        _explain(shape, touch)
        return replace(self._facts(shape, touch), columns=self._columns(catalogue, answer, touch))

    def surprise(self, facts: StatementFacts, written: frozenset[Relation]) -> StatementFacts:
        """The statement has been seen to write these as well; they are part of its facts from now on."""
        with self._lock:
            while len(self._surprises) >= SURPRISES:
                self._surprises.pop(next(iter(self._surprises)))
            self._surprises[facts.fingerprint] = self._surprises.get(facts.fingerprint, frozenset()) | written
        return self._widened(facts)

    def _widened(self, facts: StatementFacts) -> StatementFacts:
        more = self._surprises.get(facts.fingerprint) if self._surprises else None
        if more is None:
            return facts
        # Rows are told apart no more: what else the trigger does is not known.
        return replace(facts, writes=facts.writes | more, behind=facts.behind | more, direct={}, changes=None)

    def _facts(self, shape: Shape, touch: Touch) -> StatementFacts:
        return StatementFacts(
            shape.fingerprint,
            shape.text,
            shape.verb,
            self._named(touch.reads),
            self._named(touch.writes),
            reads_unknown=touch.reads_unknown,
            writes_unknown=touch.writes_unknown,
            direct={Relation(self.database, name): columns for name, columns in touch.direct.items()},
            behind=self._named(touch.behind),
        )

    def _columns(
        self, catalogue: Catalogue, answer: Answer, touch: Touch
    ) -> Mapping[Relation, frozenset[str]] | None:
        analysis = answer.analysis
        written = {oid: event for event, oid in analysis.writes | analysis.writes_alone}
        found: dict[Relation, frozenset[str]] = {}
        for oid in analysis.relations:
            entry = catalogue.entry(oid)
            if entry is None:
                continue
            if entry.shown in touch.writes:
                events = {event for event, each in analysis.writes | analysis.writes_alone if each == oid}
                certain = events == {Event.UPDATE} and entry.shown not in touch.behind
                numbers = analysis.assigned.get(oid) if certain else None
            else:
                numbers = analysis.columns.get(oid) if entry.shown not in touch.indirect else None
            if numbers is None or not catalogue.has_plain_columns(oid, written=oid in written):
                continue
            found[Relation(self.database, entry.shown)] = frozenset(answer.columns[oid, each] for each in numbers)
        return found or None

    def _named(self, names: set[str]) -> frozenset[Relation]:
        return frozenset(Relation(self.database, name) for name in names)

    def _read_catalogue(self, connection: PoolProxiedConnection) -> Catalogue | None:
        generation = self._generation
        try:
            fingerprint = schema_fingerprint(connection)  # first: what changes meanwhile is seen by the next look
            catalogue = read_catalogue(connection, self._dialect.default_schema_name or "public")
        except Exception as error:
            # In a failed transaction nothing can be read, and the statement at hand will fail as well.
            log.info(
                "The catalogue could not be read; statements are taken to touch anything",
                error=type(error).__name__,
            )
            return None
        with self._lock:
            if generation == self._generation:
                self._catalogue = catalogue
                self.fingerprint = fingerprint
        return catalogue


def _seat(knowledge: PostgresKnowledge, connection: PoolProxiedConnection) -> Seat | None:
    try:
        seat: Seat | None = connection.info.get(knowledge)
    except (AttributeError, NotImplementedError):
        return None  # the engine's own first look at the server, outside its pool
    return seat


def _take(knowledge: PostgresKnowledge, connection: PoolProxiedConnection, seat: Seat) -> None:
    with contextlib.suppress(AttributeError, NotImplementedError):
        connection.info[knowledge] = seat


def _explain(shape: Shape, touch: Touch) -> None:
    """Nothing, unless ``shape`` is an EXPLAIN."""
    if shape.head == "explain":
        touch.reads_unknown = True  # the statistics are what is read
        if shape.is_only_planned:
            touch.writes.clear()


def _relations(names: Names | None, shape: Shape, catalogue: Catalogue) -> frozenset[str] | None:
    """The names of the relations in a compiled statement; None if every word is in question."""
    if names is None or names.opaque:
        return None
    # A word that is a relation's name but none that was compiled is a column, unless no compiled one bears it.
    strays = {name for name in shape.identifiers if catalogue.knows(name)} - names.explained
    return frozenset(names.relations | strays)


class Names:
    """What a compiler rendered: relations, and the words that are columns, labels or CTEs."""

    __slots__ = ("explained", "opaque", "relations")

    def __init__(self) -> None:
        self.relations: set[str] = set()
        self.explained: set[str] = set()
        self.opaque = False


def naming_compiler(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """A subclass that leaves the names of the relations on the compiled object; costs only while compiling."""

    class NamingCompiler(compiler):  # type: ignore[valid-type,misc]  # the base is the dialect's own
        def _names(self) -> Names:
            names: Names | None = getattr(self, _NAMES, None)
            if names is None:
                names = Names()
                setattr(self, _NAMES, names)
            return names

        def visit_table(self, table: Any, *arguments: Any, **options: Any) -> Any:
            names = self._names()
            names.relations.add(str(table.name))
            names.explained.update(str(column.name) for column in table.c)
            return super().visit_table(table, *arguments, **options)

        def visit_cte(self, cte: Any, *arguments: Any, **options: Any) -> Any:
            text = super().visit_cte(cte, *arguments, **options)
            self._names().explained.add(str(cte.name))
            return text

        def visit_label(self, label: Any, *arguments: Any, **options: Any) -> Any:
            self._names().explained.add(str(label.name))
            return super().visit_label(label, *arguments, **options)

        def visit_textclause(self, textclause: Any, *arguments: Any, **options: Any) -> Any:
            self._names().opaque = True
            return super().visit_textclause(textclause, *arguments, **options)

        def visit_column(self, column: Any, *arguments: Any, **options: Any) -> Any:
            if column.is_literal and any(letter.isalpha() for letter in str(column.name)):
                self._names().opaque = True
            return super().visit_column(column, *arguments, **options)

    NamingCompiler.__name__ = compiler.__name__
    return NamingCompiler
