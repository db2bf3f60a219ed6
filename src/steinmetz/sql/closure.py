"""All that happens because of one statement: from what it does by itself, along the edges of the schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from steinmetz.sql.analysis import Analysis, Event, Write
from steinmetz.sql.facts import Columns
from steinmetz.sql.schema import Edges, Entry, Kind


class Schema(Protocol):
    """Where relations and the bodies of functions are looked up."""

    def entry(self, oid: int) -> Entry | None:
        """The relation; None for one of the system, or unknown."""

    def body(self, oid: int) -> Seen | None:
        """What the source of a function does; None for what is built in."""


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
    direct: dict[str, Columns] = field(default_factory=dict)
    """What is read (if anything is written: what is written) because the statement names it, and not otherwise."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a text names: oids that it reads, writes and calls, and whether it may do more."""

    done: Analysis
    reads_unknown: bool = False
    writes_unknown: bool = False
    moves: bool = False


class Closure:
    """Follows what a statement does by itself to all that happens because of it."""

    def __init__(self, catalogue: Schema, edges: Edges) -> None:
        self._catalogue = catalogue
        self._edges = edges
        self._touch = Touch()
        self._reads: set[int] = set()
        self._writes: set[tuple[Write, bool]] = set()  # and whether the statement itself does it
        self._calls: set[int] = set()

    def of(self, seen: Seen, ambient: set[int]) -> Touch:
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
                if touch.writes:
                    writes = done.writes | done.writes_alone
                    plain = {oid for event, oid in writes if (event, oid) not in self._edges.rules}
                    named = plain - self._edges.rewritten - {oid for (_, oid), _ in written}
                else:
                    named = (done.reads | done.reads_alone) - read
                touch.direct = self._direct(named)
                return touch

    def _direct(self, named: set[int]) -> dict[str, Columns]:
        """The tables of ``named``, and what is known of their columns."""
        edges = self._edges
        return {
            entry.shown: Columns(edges.stored.get(oid, {}), frozenset(edges.computed.get(oid, ())))
            for oid in named
            if (entry := self._catalogue.entry(oid)) is not None
            and entry.kind in (Kind.TABLE, Kind.PARTITIONED, Kind.MATERIALIZED)
        }

    def _read(self, oid: int, *, itself: bool = True, heirs: bool = True) -> None:
        """Note that a relation is read, and what is read or called thereby."""
        entry = self._catalogue.entry(oid)
        if entry is None:
            return
        if entry.kind is Kind.VIEW:
            sort(self._edges.views.get(oid, ()), self._reads, self._calls)
            return
        self._touch.reads.add(entry.shown)
        if not itself:
            self._touch.indirect.add(entry.shown)
        if entry.kind in (Kind.FOREIGN, Kind.SEQUENCE):
            self._touch.reads_unknown = True
        sort(self._edges.policies.get(oid, ()), self._reads, self._calls)
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
            sort(edges.views.get(oid, ()), self._reads, self._calls)  # REFRESH runs its query
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
        sort(behind, self._reads, self._calls)  # to find its rows, or to check them (WITH CHECK OPTION)
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
        sort(edges.conditions.get(oid, ()), self._reads, self._calls)
        sort(edges.policies.get(oid, ()), self._reads, self._calls)

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


def sort(reached: Iterable[int], reads: set[int], calls: set[int]) -> None:
    """Divide what was reached into relations and functions."""
    for oid in reached:
        (reads if oid > 0 else calls).add(oid)
