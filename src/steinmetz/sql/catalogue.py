"""What one statement touches besides what it names: the closure over a database's catalogue.

A value and its queries: a `Catalogue` is made from rows that `postgres.py` has read, and knows nothing of how.
Names are matched without their schemas, so neither search_path nor role can lead past it. Where the catalogue
cannot tell (dynamic SQL, foreign tables, functions in other languages) the answer is "perhaps anything".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum

from steinmetz.sql.analysis import Analysis, Event, Write
from steinmetz.sql.shape import Shape, shape_of


class Kind(StrEnum):
    """pg_class.relkind, as far as statements can name it."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED = "m"
    FOREIGN = "f"
    SEQUENCE = "S"


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

    ``as_attribute`` says that it takes one row, so that ``t.f`` calls it without a parenthesis. ``analysis`` is
    there if the server keeps the body analysed (BEGIN ATOMIC).
    """

    oid: int
    name: str
    language: str
    immutable: bool
    body: str
    as_attribute: bool = False
    analysis: Analysis | None = None


class Edges:
    """Who reaches whom, by oid; the oids of functions are negative, as they are counted apart from relations'.

    What is built in has no entry and touches nothing.
    """

    def __init__(self) -> None:
        self.views: dict[int, set[int]] = defaultdict(set)  # view -> what its query names
        self.replaced: set[Write] = set()  # what an INSTEAD OF trigger or an INSTEAD rule does otherwise
        self.triggers: dict[Write, set[int]] = defaultdict(set)  # -> functions
        self.if_assigned: dict[tuple[int, int], set[int] | None] = {}  # UPDATE OF: relation, function -> columns
        self.rules: dict[Write, Analysis] = {}  # -> what their actions do
        self.actions: dict[Write, set[Write]] = defaultdict(set)  # of a referenced relation -> of the referring
        self.keys: dict[tuple[int, int], set[int]] = defaultdict(set)  # referenced, referring -> columns
        self.children: dict[int, set[int]] = defaultdict(set)  # parent -> partitions, heirs
        self.defaults: dict[int, set[int]] = defaultdict(set)  # relation -> functions
        self.checks: dict[int, set[int]] = defaultdict(set)  # relation -> functions
        self.conditions: dict[int, set[int]] = defaultdict(set)  # relation -> what its triggers' WHEN names
        self.policies: dict[int, set[int]] = defaultdict(set)  # relation -> what they name
        self.calls: dict[int, set[int]] = defaultdict(set)  # function -> recorded dependencies
        self.ambient: set[int] = set()  # functions behind operators, casts, domains and aggregates
        self.transition: dict[int, set[str]] = defaultdict(set)  # function -> transition tables of its triggers
        self.generated: set[int] = set()  # relations with generated columns
        self.revised: set[Write] = set()  # whose rows a BEFORE trigger may change


@dataclass(slots=True)
class Touch:
    """What is touched, as far as it is known.

    ``behind`` are the relations that are written, or whose rows are revised, by others than the statement itself:
    triggers, rules, foreign keys, functions. ``indirect`` are those that are read by others than itself. ``moves``
    says that names may mean something else on the connection afterwards (a function that sets search_path).
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    reads_unknown: bool = False
    writes_unknown: bool = False
    behind: set[str] = field(default_factory=set)
    indirect: set[str] = field(default_factory=set)
    moves: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a text names: oids that it reads, writes and calls, and whether it may do more."""

    done: Analysis
    reads_unknown: bool = False
    writes_unknown: bool = False
    moves: bool = False


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
# Built-in functions that look at the size or the state of relations that they are given by name.
_LOOKS_AT_STATE = ("pg_relation_", "pg_table_", "pg_total_relation_", "pg_indexes_", "pg_database_size",
                   "pg_stat_", "pg_sequence_", "pg_read_", "pg_ls_", "pg_get_", "pg_lock_")  # fmt: skip
_EXECUTES = re.compile(r"\bexecute\b", re.IGNORECASE)
_EXECUTES_DATA = re.compile(
    r"\bexecute\s+(?:(?:pg_catalog\.)?format\s*\()?\s*[eE]?(?:'|\$\w*\$)\s*"
    r"(?:select|with|insert|update|delete|merge|truncate|lock|refresh|notify)\b",
    re.IGNORECASE,
)
FIRST_OWN_OID = 16_384
"""What is below belongs to the system."""
_READABLE = frozenset({"sql", "plpgsql"})
_MOVES_NAMES = re.compile(
    r"\bset\s+(local\s+|session\s+)?(role|authorization|search_path|schema)\b"
    r"|\bset_config\b|\btemp(orary)?\b|\bpg_temp|\bdiscard\b|\breset\b",
    re.IGNORECASE,
)


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

    def entry(self, oid: int) -> Entry | None:
        return self._entries.get(oid)

    def lacks(self, analysis: Analysis) -> bool:
        """Whether a relation has been made since this was read."""
        return any(oid >= FIRST_OWN_OID and oid not in self._entries for oid in analysis.relations)

    @property
    def tables(self) -> dict[int, str]:
        """What can hold rows of its own, by oid."""
        return {
            oid: entry.shown for oid, entry in self._entries.items() if entry.kind in (Kind.TABLE, Kind.FOREIGN)
        }

    def touched_by(self, shape: Shape, *, relations: frozenset[str] | None = None) -> Touch:
        """What a statement touches.

        ``relations`` are the names of what it reads, where that is known better than by its words.
        """
        return Closure(self, self._edges).of(self._seen(shape, relations), self._edges.ambient)

    def touched_as(self, shape: Shape, analysis: Analysis) -> Touch:
        """What a statement touches that the server itself has analysed."""
        looks = any(name.startswith((*_RUNS_TEXT, *_LOOKS_AT_STATE)) for name in shape.called)
        runs = any(name.startswith(_RUNS_TEXT) for name in shape.called)
        strange = any(oid not in self._entries for oid in analysis.relations)  # a catalogue of the system
        return Closure(self, self._edges).of(_Seen(analysis, looks or strange, runs), set())

    def functions_named(self, names: frozenset[str]) -> set[int]:
        return self._named(self._functions_named, names)

    def has_plain_columns(self, oid: int, *, written: bool) -> bool:
        """Whether nothing but the statement decides which columns of this relation are read, or assigned."""
        entry = self._entries.get(oid)
        if entry is None or entry.kind is not Kind.TABLE or self._edges.children.get(oid):
            return False
        if written:
            return oid not in self._edges.generated and (Event.UPDATE, oid) not in self._edges.revised
        return not self._edges.policies.get(oid)

    def strangers(self, shape: Shape, *, relations: frozenset[str] | None = None) -> set[str]:
        """Names that stand where a relation must, but are none: made by others since the catalogue was read."""
        names = (shape.targets - shape.called) | {name for _, name in shape.written} | (relations or frozenset())
        return {name for name in names if not self.knows(name) and not _is_system(name)}

    # -- what a text names --------------------------------------------------------------------------------------

    def _seen(
        self, shape: Shape, relations: frozenset[str] | None = None, local: AbstractSet[str] = frozenset()
    ) -> _Seen:
        names = shape.identifiers if relations is None else relations | shape.targets
        calls = self._named(self._functions_named, shape.called) | self._named(
            self._attributes_named, shape.identifiers
        )
        done = Analysis(
            reads=self._named(self._relations_named, names), writes=set(self._writes(shape)), calls=calls
        )
        lost = self.strangers(shape, relations=relations) - local
        runs_text = any(name.startswith(_RUNS_TEXT) for name in shape.called)
        looks = any(name.startswith(_LOOKS_AT_STATE) for name in shape.called)
        system = any(_is_system(name) and name not in shape.called for name in shape.identifiers)
        writes_unknown = runs_text or any(not self.knows(name) for _, name in shape.written)
        if shape.opaque and not {"insert", "update", "delete", "merge", "truncate"}.isdisjoint(shape.identifiers):
            writes_unknown = True
        return _Seen(done, bool(lost) or runs_text or looks or system, writes_unknown)

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

    def body(self, oid: int) -> _Seen | None:
        """What the source of a function does, read once; None for what is built in."""
        seen = self._bodies.get(oid)
        if seen is None:
            if (function := self._functions.get(oid)) is not None:
                seen = self._bodies[oid] = self._seen_in(function)
            elif recorded := self._edges.calls.get(oid):  # an aggregate
                seen = self._bodies[oid] = _Seen(Analysis(calls={each for each in recorded if each < 0}))
        return seen

    def _seen_in(self, function: Function) -> _Seen:
        recorded = set(self._edges.calls.get(function.oid, ()))
        if function.language not in _READABLE:
            # IMMUTABLE is the promise not to look at the database.
            unknown = not function.immutable
            return _Seen(Analysis(calls=recorded), unknown, unknown, unknown)
        if function.analysis is not None:
            function.analysis.calls |= {oid for oid in recorded if oid < 0}
            return _Seen(function.analysis)
        shape = shape_of(function.body)
        seen = self._seen(shape, local=self._edges.transition.get(function.oid, set()))
        _sort(recorded, seen.done.reads, seen.done.calls)
        seen.done.calls |= self._edges.ambient
        if function.language == "plpgsql" and "execute" in shape.identifiers:
            return _Seen(seen.done, True, True, moves=_moves_names(function.body))
        return replace(seen, moves=_moves_names(function.body))


class Closure:
    """Follows what a statement does by itself to all that happens because of it."""

    def __init__(self, catalogue: Catalogue, edges: Edges) -> None:
        self._catalogue = catalogue
        self._edges = edges
        self._touch = Touch()
        self._reads: set[int] = set()
        self._writes: set[tuple[Write, bool]] = set()  # and whether the statement itself does it
        self._calls: set[int] = set()

    def of(self, seen: _Seen, ambient: set[int]) -> Touch:
        touch = self._touch
        done = seen.done
        touch.reads_unknown, touch.writes_unknown = seen.reads_unknown, seen.writes_unknown
        self._calls |= done.calls | ambient
        for oid in done.reads | done.reads_alone:
            self._read(oid, heirs=oid in done.reads)
        for write in done.writes | done.writes_alone:
            self._write(write, True, heirs=write in done.writes, assigned=done.assigned.get(write[1]))
        read: set[int] = set()
        written: set[tuple[Write, bool]] = set()
        called: set[int] = set()
        while True:
            if fresh := self._reads - read:
                read |= fresh
                for oid in fresh:
                    self._read(oid, itself=False)
            elif happened := self._writes - written:
                written |= happened
                for write, itself in happened:
                    self._write(write, itself)
            elif new := self._calls - called:
                called |= new
                for oid in new:
                    self._call(oid)
            else:
                return touch

    def _read(self, oid: int, *, itself: bool = True, heirs: bool = True) -> None:
        """Note that a relation is read, and what is read or called thereby."""
        entry = self._catalogue.entry(oid)
        if entry is None:
            return
        if entry.kind is Kind.VIEW:
            _sort(self._edges.views.get(oid, ()), self._reads, self._calls)
            return
        self._touch.reads.add(entry.shown)
        if not itself:
            self._touch.indirect.add(entry.shown)
        if entry.kind in (Kind.FOREIGN, Kind.SEQUENCE):
            self._touch.reads_unknown = True
        _sort(self._edges.policies.get(oid, ()), self._reads, self._calls)
        if heirs:
            self._reads |= self._edges.children.get(oid, set())

    def _write(self, write: Write, itself: bool, *, heirs: bool = True, assigned: set[int] | None = None) -> None:
        """Note that a relation is written to, and what is read, written and called thereby.

        ``assigned`` are the columns that an UPDATE sets, where they are known.
        """
        event, oid = write
        entry = self._catalogue.entry(oid)
        if entry is None:
            return
        edges = self._edges
        if write in edges.rules:
            self._do(edges.rules[write])
        if entry.kind is Kind.VIEW:
            self._write_view(write, itself)
        elif entry.kind is Kind.MATERIALIZED:
            self._touch.writes.add(entry.shown)
            _sort(edges.views.get(oid, ()), self._reads, self._calls)  # REFRESH runs its query
        elif entry.kind is not Kind.SEQUENCE and write not in edges.replaced:
            self._touch.writes.add(entry.shown)
            if not itself or write in edges.revised:
                self._touch.behind.add(entry.shown)
            self._follow(write, itself, heirs, None if oid in edges.generated else assigned)
        else:
            self._read(oid, itself=False)  # an INSTEAD rule looks for its rows
        for function in edges.triggers.get(write, ()):
            columns = edges.if_assigned.get((oid, function))
            if (
                event is not Event.UPDATE
                or assigned is None
                or columns is None
                or oid in edges.generated
                or not columns.isdisjoint(assigned)
            ):
                self._calls.add(function)

    def _write_view(self, write: Write, itself: bool) -> None:
        event, oid = write
        behind = self._edges.views.get(oid, set())
        _sort(behind, self._reads, self._calls)  # to find its rows, or to check them (WITH CHECK OPTION)
        if write not in self._edges.replaced:
            self._writes.update(((event, each), itself) for each in behind if each > 0)

    def _follow(self, write: Write, itself: bool, heirs: bool, assigned: set[int] | None) -> None:
        """Foreign keys, partitions and heirs, defaults, checks and policies."""
        event, oid = write
        edges = self._edges
        fixed = assigned if event is Event.UPDATE and write not in edges.revised else None
        for action in edges.actions.get(write, ()):
            if fixed is None or not edges.keys[oid, action[1]].isdisjoint(fixed):
                self._writes.add((action, False))
        if heirs:
            events = [event]
            entry = self._catalogue.entry(oid)
            if entry is not None and entry.kind is Kind.PARTITIONED and event is Event.UPDATE:
                events = [Event.INSERT, Event.UPDATE, Event.DELETE]  # a row may move to another partition
            if entry is None or entry.kind is Kind.PARTITIONED or event is not Event.INSERT:
                self._writes.update(
                    ((each, child), itself) for child in edges.children.get(oid, ()) for each in events
                )
        if event in (Event.INSERT, Event.UPDATE):
            self._calls |= edges.defaults.get(oid, set()) | edges.checks.get(oid, set())
        _sort(edges.conditions.get(oid, ()), self._reads, self._calls)
        _sort(edges.policies.get(oid, ()), self._reads, self._calls)

    def _call(self, oid: int) -> None:
        """Note that a function is called, and what its body reads, writes and calls."""
        seen = self._catalogue.body(oid)
        if seen is not None:
            self._touch.reads_unknown |= seen.reads_unknown
            self._touch.writes_unknown |= seen.writes_unknown
            self._touch.moves |= seen.moves
            self._do(seen.done)

    def _do(self, done: Analysis) -> None:
        self._reads |= done.reads | done.reads_alone
        self._writes.update((write, False) for write in done.writes | done.writes_alone)
        self._calls |= done.calls


def _sort(reached: Iterable[int], reads: set[int], calls: set[int]) -> None:
    """Divide what was reached into relations and functions."""
    for oid in reached:
        (reads if oid > 0 else calls).add(oid)


def _moves_names(body: str) -> bool:
    """Whether a function may leave its caller's session with another search_path, role or temporary table."""
    return (
        _MOVES_NAMES.search(body) is not None
        or len(_EXECUTES.findall(body)) > len(_EXECUTES_DATA.findall(body))  # what begins in a variable may be SET
    )


def _is_system(name: str) -> bool:
    return (name.startswith("pg_") and name != "pg_catalog") or name == "information_schema"
