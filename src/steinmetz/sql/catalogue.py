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
from dataclasses import replace

from steinmetz.sql.analysis import Analysis, Event, Write
from steinmetz.sql.closure import Closure, Seen, Touch, sort
from steinmetz.sql.schema import Edges, Entry, Function, Kind
from steinmetz.sql.shape import Shape, shape_of

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
        self._bodies: dict[int, Seen] = {}

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
        return Closure(self, self._edges).of(Seen(analysis, looks or strange, runs), set())

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
    ) -> Seen:
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
        return Seen(done, bool(lost) or runs_text or looks or system, writes_unknown)

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

    def body(self, oid: int) -> Seen | None:
        """What the source of a function does, read once; None for what is built in."""
        seen = self._bodies.get(oid)
        if seen is None:
            if (function := self._functions.get(oid)) is not None:
                seen = self._bodies[oid] = self._seen_in(function)
            elif recorded := self._edges.calls.get(oid):  # an aggregate
                seen = self._bodies[oid] = Seen(Analysis(calls={each for each in recorded if each < 0}))
        return seen

    def _seen_in(self, function: Function) -> Seen:
        recorded = set(self._edges.calls.get(function.oid, ()))
        if function.language not in _READABLE:
            # IMMUTABLE is the promise not to look at the database.
            unknown = not function.immutable
            return Seen(Analysis(calls=recorded), unknown, unknown, unknown)
        if function.analysis is not None:
            function.analysis.calls |= {oid for oid in recorded if oid < 0}
            return Seen(function.analysis)
        shape = shape_of(function.body)
        seen = self._seen(shape, local=self._edges.transition.get(function.oid, set()))
        sort(recorded, seen.done.reads, seen.done.calls)
        seen.done.calls |= self._edges.ambient
        if function.language == "plpgsql" and "execute" in shape.identifiers:
            return Seen(seen.done, True, True, moves=_moves_names(function.body))
        return replace(seen, moves=_moves_names(function.body))


def _moves_names(body: str) -> bool:
    """Whether a function may leave its caller's session with another search_path, role or temporary table."""
    return (
        _MOVES_NAMES.search(body) is not None
        or len(_EXECUTES.findall(body)) > len(_EXECUTES_DATA.findall(body))  # what begins in a variable may be SET
    )


def _is_system(name: str) -> bool:
    return (name.startswith("pg_") and name != "pg_catalog") or name == "information_schema"
