"""What one statement touches besides what it names: the closure over a database's catalogue.

A value and its queries: a `Catalogue` is made from rows that `postgres.py` has read, and knows nothing of how.
Names are matched without their schemas, so neither search_path nor role can lead past it. Where the catalogue
cannot tell (dynamic SQL, foreign tables, functions in other languages) the answer is "perhaps anything".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from steinmetz.sql.facts import Columns, Stored
from steinmetz.sql.shape import Shape, shape_of


class Kind(StrEnum):
    """pg_class.relkind, as far as statements can name it."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED = "m"
    FOREIGN = "f"
    SEQUENCE = "S"


class Event(StrEnum):
    """What happens to a relation; triggers, rules and foreign keys answer to some and not to others."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"


@dataclass(frozen=True, slots=True)
class Entry:
    """One relation; ``shown`` is its name as facts tell it."""

    oid: int
    name: str
    kind: Kind
    shown: str


@dataclass(frozen=True, slots=True)
class Function:
    """One function outside pg_catalog. ``body`` is its source where that is SQL or PL/pgSQL.

    ``oid`` is negative, see `Edges`.

    ``as_attribute`` says that it takes one row, so that ``t.f`` calls it without a parenthesis.
    """

    oid: int
    name: str
    language: str
    immutable: bool
    body: str
    as_attribute: bool = False


Write = tuple[Event, int]
"""An event and the oid of the relation that it happens to."""


class Edges:
    """Who reaches whom, by oid; the oids of functions are negative, as they are counted apart from relations'.

    What is built in has no entry and touches nothing.
    """

    def __init__(self) -> None:
        self.views: dict[int, set[int]] = defaultdict(set)  # view -> what its query names
        self.instead: set[Write] = set()  # the events that a view answers by an INSTEAD OF trigger
        self.triggers: dict[Write, set[int]] = defaultdict(set)  # -> functions
        self.rules: dict[Write, set[int]] = defaultdict(set)  # -> what their actions name
        self.actions: dict[Write, set[Write]] = defaultdict(set)  # of a referenced relation -> of the referring
        self.children: dict[int, set[int]] = defaultdict(set)  # parent -> partitions, heirs
        self.defaults: dict[int, set[int]] = defaultdict(set)  # relation -> functions
        self.policies: dict[int, set[int]] = defaultdict(set)  # relation -> what they name
        self.calls: dict[int, set[int]] = defaultdict(set)  # function -> recorded dependencies
        self.ambient: set[int] = set()  # functions behind operators, casts, domains and aggregates
        self.stored: dict[int, dict[str, Stored]] = defaultdict(dict)  # relation -> columns that compare exactly
        self.computed: dict[int, set[str]] = defaultdict(set)  # relation -> columns that follow from others
        self.rewritten: set[int] = set()  # relations with triggers that may change a row before it is written


@dataclass(slots=True)
class Touch:
    """What is touched, as far as it is known."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    reads_unknown: bool = False
    writes_unknown: bool = False
    direct: dict[str, Columns] = field(default_factory=dict)
    """What is read (if anything is written: what is written) because the statement names it, and not otherwise."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a text names: oids that it reads, writes and calls, and whether it may do more."""

    reads: frozenset[int]
    writes: frozenset[Write]
    calls: frozenset[int]
    reads_unknown: bool
    writes_unknown: bool


_EVENTS = {
    "insert": (Event.INSERT,),
    "copy": (Event.INSERT,),
    "refresh": (Event.INSERT,),
    "update": (Event.UPDATE,),
    "delete": (Event.DELETE,),
    "truncate": (Event.TRUNCATE,),
    "merge": (Event.INSERT, Event.UPDATE, Event.DELETE),
}
# Built-in functions that run SQL given as text, or read what has no relation.
_RUNS_TEXT = ("query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml", "ts_stat",
              "ts_rewrite", "lo_", "loread", "lowrite", "dblink")  # fmt: skip
_READABLE = frozenset({"sql", "plpgsql"})


class Catalogue:
    """The relations and functions of one database at one moment."""

    def __init__(self, entries: Iterable[Entry], functions: Iterable[Function], edges: Edges) -> None:
        self._entries = {entry.oid: entry for entry in entries}
        self._functions = {function.oid: function for function in functions}
        self._edges = edges
        self._relations_named: dict[str, set[int]] = defaultdict(set)
        for entry in self._entries.values():
            self._relations_named[entry.name].add(entry.oid)
        self._functions_named: dict[str, set[int]] = defaultdict(set)
        self._attributes_named: dict[str, set[int]] = defaultdict(set)
        for function in self._functions.values():
            self._functions_named[function.name].add(function.oid)
            if function.as_attribute:
                self._attributes_named[function.name].add(function.oid)
        self._bodies: dict[int, _Seen] = {}

    def knows(self, name: str) -> bool:
        return name in self._relations_named

    def touched_by(self, shape: Shape, *, relations: frozenset[str] | None = None) -> Touch:
        """What a statement touches.

        ``relations`` are the names of what it reads, where that is known better than by its words.
        """
        return self._closure(self._seen(shape, relations))

    def strangers(self, shape: Shape, *, relations: frozenset[str] | None = None) -> set[str]:
        """Names that stand where a relation must, but are none: made by others since the catalogue was read."""
        names = (shape.targets - shape.called) | {name for _, name in shape.written} | (relations or frozenset())
        return {name for name in names if not self.knows(name) and not _is_system(name)}

    # -- what a text names --------------------------------------------------------------------------------------

    def _seen(self, shape: Shape, relations: frozenset[str] | None = None) -> _Seen:
        names = shape.identifiers if relations is None else relations | shape.targets
        matched = self._named(self._relations_named, names)
        written = set(self._writes(shape))
        calls = self._named(self._functions_named, shape.called) | self._named(
            self._attributes_named, shape.identifiers
        )
        lost = self.strangers(shape, relations=relations)
        runs_text = any(name.startswith(_RUNS_TEXT) for name in shape.called)
        system = any(_is_system(name) and name not in shape.called for name in shape.identifiers)
        writes_unknown = runs_text or any(not self.knows(name) for _, name in shape.written)
        if shape.opaque and not {"insert", "update", "delete", "merge", "truncate"}.isdisjoint(shape.identifiers):
            writes_unknown = True
        return _Seen(
            reads=frozenset(matched),
            writes=frozenset(written),
            calls=frozenset(calls),
            reads_unknown=bool(lost) or runs_text or system,
            writes_unknown=writes_unknown,
        )

    def _writes(self, shape: Shape) -> Iterator[Write]:
        for act, name in shape.written:
            events = _EVENTS[act]
            if act == "insert" and "conflict" in shape.identifiers:
                events = (Event.INSERT, Event.UPDATE)  # ON CONFLICT DO UPDATE
            for oid in self._relations_named.get(name, ()):
                yield from ((event, oid) for event in events)

    @staticmethod
    def _named(index: dict[str, set[int]], names: frozenset[str]) -> set[int]:
        few, many = (names, index) if len(names) < len(index) else (index, names)
        return {oid for name in few if name in many for oid in index[name]}

    def _body(self, function: Function) -> _Seen:
        """What a function's source names, read once."""
        seen = self._bodies.get(function.oid)
        if seen is None:
            seen = self._bodies[function.oid] = self._seen_in(function)
        return seen

    def _seen_in(self, function: Function) -> _Seen:
        if function.language not in _READABLE:
            # IMMUTABLE is the promise not to look at the database.
            unknown = not function.immutable
            return _Seen(frozenset(), frozenset(), frozenset(), unknown, unknown)
        shape = shape_of(function.body)
        seen = self._seen(shape)
        dynamic = function.language == "plpgsql" and "execute" in shape.identifiers
        return _Seen(
            seen.reads,
            seen.writes,
            seen.calls | frozenset(self._edges.calls.get(function.oid, ())),
            seen.reads_unknown or dynamic,
            seen.writes_unknown or dynamic,
        )

    # -- what follows from it -----------------------------------------------------------------------------------

    def _closure(self, seen: _Seen) -> Touch:
        touch = Touch(reads_unknown=seen.reads_unknown, writes_unknown=seen.writes_unknown)
        reads, writes, calls = set[int](), set[Write](), set(seen.calls) | self._edges.ambient
        for oid in seen.reads:
            _sort(self._read(oid, touch), reads, calls)
        for write in seen.writes:
            self._write(write, touch, writes, calls)
        read: set[int] = set()
        written: set[Write] = set()
        called: set[int] = set()
        while True:
            if fresh := reads - read:
                read |= fresh
                for oid in fresh:
                    _sort(self._read(oid, touch), reads, calls)
            elif happened := writes - written:
                written |= happened
                for write in happened:
                    self._write(write, touch, writes, calls)
            elif new := calls - called:
                called |= new
                for oid in new:
                    self._call(oid, touch, reads, writes, calls)
            else:
                named = {oid for _, oid in seen.writes} if touch.writes else set(seen.reads)
                touch.direct = self._direct(named, {oid for _, oid in written} if touch.writes else read)
                return touch

    def _direct(self, named: set[int], reached: set[int]) -> dict[str, Columns]:
        """The tables of ``named`` that nothing else reaches, and what is known of their columns."""
        entries = [entry for oid in named - reached if (entry := self._entries.get(oid)) is not None]
        edges = self._edges
        return {
            entry.shown: Columns(edges.stored.get(entry.oid, {}), frozenset(edges.computed.get(entry.oid, ())))
            for entry in entries
            if entry.kind in (Kind.TABLE, Kind.PARTITIONED, Kind.MATERIALIZED)
        }

    def _read(self, oid: int, touch: Touch) -> set[int]:
        """Note that a relation is read; returns what is read or called thereby."""
        entry = self._entries.get(oid)
        if entry is None:
            return set()
        if entry.kind is Kind.VIEW:
            return self._edges.views.get(oid, set())
        touch.reads.add(entry.shown)
        touch.reads_unknown = touch.reads_unknown or entry.kind in (Kind.FOREIGN, Kind.SEQUENCE)
        return self._edges.children.get(oid, set()) | self._edges.policies.get(oid, set())

    def _write(self, write: Write, touch: Touch, writes: set[Write], calls: set[int]) -> None:
        """Note that a relation is written to, and what is written or called thereby."""
        event, oid = write
        entry = self._entries.get(oid)
        if entry is None:
            return
        edges = self._edges
        if entry.kind is Kind.VIEW:
            if write not in edges.instead:
                writes.update((event, behind) for behind in edges.views.get(oid, ()) if behind > 0)
        elif entry.kind is not Kind.SEQUENCE:
            touch.writes.add(entry.shown)
        if oid in edges.rewritten or write in edges.rules:
            writes.add(write)  # what is written is not what the statement says
        writes.update(edges.actions.get(write, ()))
        events = [event]
        if entry.kind is Kind.PARTITIONED and event is Event.UPDATE:
            events = [Event.INSERT, Event.UPDATE, Event.DELETE]  # a row may move to another partition
        writes.update((each, child) for child in edges.children.get(oid, ()) for each in events)
        # The actions of a rule are known by what they name, not by what they do to it.
        writes.update((each, named) for named in edges.rules.get(write, ()) if named > 0 for each in Event)
        for called in (edges.triggers.get(write, ()), edges.defaults.get(oid, ()), edges.rules.get(write, ())):
            calls.update(function for function in called if function < 0)

    def _call(self, oid: int, touch: Touch, reads: set[int], writes: set[Write], calls: set[int]) -> None:
        """Note that a function is called, and what its body reads, writes and calls."""
        function = self._functions.get(oid)
        if function is None:
            return
        seen = self._body(function)
        touch.reads_unknown = touch.reads_unknown or seen.reads_unknown
        touch.writes_unknown = touch.writes_unknown or seen.writes_unknown
        reads |= seen.reads
        writes |= seen.writes
        _sort(seen.calls, reads, calls)


def _sort(reached: Iterable[int], reads: set[int], calls: set[int]) -> None:
    """Divide what was reached into relations and functions."""
    for oid in reached:
        (reads if oid > 0 else calls).add(oid)


def _is_system(name: str) -> bool:
    return (name.startswith("pg_") and name != "pg_catalog") or name == "information_schema"
