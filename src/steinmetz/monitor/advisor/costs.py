"""What each statement would cost under a set of indexes: the engine's own estimate, asked once a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from steinmetz.monitor.advisor.index import Index, quoted
from steinmetz.monitor.advisor.predicates import read
from steinmetz.monitor.advisor.reading import Columns, Kind, Reading, Unreadable
from steinmetz.monitor.advisor.workload import ParameterSet, Query
from steinmetz.monitor.dialects.base import CannotExplain, Plan, Table, WhatIf
from steinmetz.sql.facts import Verb

Indexes = frozenset[Index]
NO_INDEXES: Indexes = frozenset()
SETS_ASKED = 4
"""Parameter sets for which plans are asked while searching; all of them are asked of the final choice."""


@dataclass(slots=True)
class Statement:
    """A statement of the workload, as far as it was understood."""

    query: Query
    tables: frozenset[str]
    reading: Reading | None = None
    unreadable: str = ""
    unexplained: str = ""
    is_implied: bool = False
    """The look-up of a foreign key that a DELETE makes and no plan shows; it is never run by itself."""
    sets: list[ParameterSet] = field(default_factory=list)
    """Those that the plans tell apart."""

    @property
    def writes(self) -> str:
        """The table it writes, empty if none or unknown."""
        if self.reading is not None:
            return self.reading.writes
        return next(iter(self.tables)) if self.query.verb is not Verb.SELECT and len(self.tables) == 1 else ""

    def changes(self, index: Index) -> bool:
        """Whether its rows have to be changed in ``index``, too."""
        if self.writes != index.table:
            return False
        assigned = self.reading.assigned if self.reading is not None else None
        if self.query.verb is not Verb.UPDATE or assigned is None:
            return True
        words = [column.name for column in index.columns] + [*index.include, index.where]
        return any(name in word for name in assigned for word in words)


def understood(queries: Iterable[Query], tables: Mapping[str, Table], dialect: str) -> list[Statement]:
    """The statements that touch known tables, each read if it can be."""
    columns: Columns = {name: frozenset(table.columns) for name, table in tables.items()}
    statements = []
    for query in queries:
        statement = Statement(query, frozenset(query.tables & set(tables)))
        try:
            statement.reading = read(query.sql, dialect, columns)
        except Unreadable as reason:
            statement.unreadable = str(reason)
        else:
            named = {occurrence.table for occurrence in statement.reading.occurrences}
            statement.tables |= named | ({statement.reading.writes} - {""})
        if not statement.tables:
            continue
        statements.append(statement)
        keys = list(referring(statement, tables))
        statement.tables |= {table for table, _ in keys}
        if dialect.startswith("postgres"):
            statements += [_look_up(statement, table, names) for table, names in keys]
    return statements


def referring(statement: Statement, tables: Mapping[str, Table]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The foreign keys that a DELETE looks for rows by: those that refer to its table, and on where it cascades.

    An index on them makes it faster, though it is on another table and in no plan.
    """
    if statement.query.verb is not Verb.DELETE or not statement.writes:
        return
    waiting, seen = [statement.writes], {statement.writes}
    while waiting:
        deleted = waiting.pop()
        for name, table in sorted(tables.items()):
            for key in table.foreign_keys:
                if key.table == deleted:
                    yield name, key.columns
                    if name not in seen:
                        seen.add(name)
                        waiting.append(name)


def _look_up(statement: Statement, table: str, names: tuple[str, ...]) -> Statement:
    """PostgreSQL's cost of a DELETE leaves it out."""
    condition = " AND ".join(f"{quoted(name)} = ${place}" for place, name in enumerate(names, 1))
    query = statement.query
    name = f"{query.name}: rows of {table} by {', '.join(names)}"
    sql = f"SELECT 1 FROM {'.'.join(quoted(part) for part in table.split('.'))} WHERE {condition}"
    implied = Query(f"{query.fingerprint}:{table}:{names}", name, sql, Verb.SELECT, frozenset({table}))
    implied.calls, implied.total_ns = max(query.calls, query.rows), query.total_ns
    implied.parameter_sets = [ParameterSet(0, None)]
    return Statement(implied, frozenset({table}), is_implied=True)


class Costs:
    """Plans by statement, parameters and indexes. ``asked`` counts the questions to the engine."""

    def __init__(self, what_if: WhatIf, statements: Sequence[Statement]) -> None:
        self.asked = 0
        self._what_if = what_if
        self._plans: dict[tuple[str, str, int, Indexes, Indexes], Plan] = {}
        self._reckless: dict[tuple[str, Index], bool] = {}
        self._sizes: dict[Index, int] = {}
        self._values: dict[int, object] = {}
        self.statements = [statement for statement in statements if self._prepare(statement)]

    def _prepare(self, statement: Statement) -> bool:
        """Keep only parameters whose plans differ; a statement that cannot be explained says why."""
        if statement.query.verb is Verb.INSERT and not (statement.reading and statement.reading.occurrences):
            statement.sets = statement.query.sets()[:1]
            return True  # it finds nothing, so no index makes it faster
        told: dict[tuple[str, float], ParameterSet] = {}
        try:
            for parameters in statement.query.sets():
                plan = self.plan(statement, parameters, NO_INDEXES)
                kept = told.setdefault((plan.hash, round(plan.cost, 2)), parameters)
                if kept is not parameters:
                    kept.seen += parameters.seen
        except CannotExplain as reason:
            statement.unexplained = str(reason)
            return False
        if len(told) > SETS_ASKED:
            by_cost = sorted(told.items(), key=lambda item: item[0][1])
            by_use = sorted(told.items(), key=lambda item: -item[1].seen)
            picked = dict([by_cost[0], by_cost[-1], *by_use])
            told = dict(list(picked.items())[:SETS_ASKED])
        statement.sets = list(told.values())
        return True

    def plan(
        self, statement: Statement, parameters: ParameterSet, adding: Indexes, without: Indexes = NO_INDEXES
    ) -> Plan:
        """Raises `CannotExplain`."""
        relevant = frozenset(index for index in adding if index.table in statement.tables)
        gone = frozenset(index for index in without if index.table in statement.tables)
        text = statement.query.text_of(parameters)
        self._values[id(parameters)] = parameters  # its id stays its own
        key = (statement.query.fingerprint, text, id(parameters), relevant, gone)
        if (known := self._plans.get(key)) is not None:
            return known
        self.asked += 1
        plan = self._what_if.plan(text, parameters.values, adding=sorted(relevant), without=sorted(gone))
        self._plans[key] = plan
        return plan

    def of(self, statement: Statement, adding: Indexes, without: Indexes = NO_INDEXES) -> float:
        """The mean cost of one run, over its parameters as often as they were seen; 0 for a plain INSERT."""
        if statement.query.verb is Verb.INSERT and not (statement.reading and statement.reading.occurrences):
            return 0.0
        runs = sum(parameters.seen for parameters in statement.sets)
        costs = (
            parameters.seen * self.plan(statement, parameters, adding, without).cost
            for parameters in statement.sets
        )
        return sum(costs) / max(1, runs)

    def used(self, statement: Statement, adding: Indexes) -> frozenset[str]:
        """The names of the indexes that its plans use."""
        if statement.query.verb is Verb.INSERT and not (statement.reading and statement.reading.occurrences):
            return frozenset()
        names: frozenset[str] = frozenset()
        for parameters in statement.sets:
            names |= self.plan(statement, parameters, adding).indexes
        return names

    def size_bytes(self, index: Index) -> int:
        if index not in self._sizes:
            try:
                self._sizes[index] = self._what_if.size_bytes(index)
            except CannotExplain:
                self._sizes[index] = 0
        return self._sizes[index]

    def is_reckless(self, statement: Statement, index: Index) -> bool:
        """Whether ``index`` only gives the order of a LIMIT, and not the rows that are asked for.

        Then it is read until enough rows have been found, to its end if there are few: the estimate holds for
        values that many rows have, and is far too low for those that hardly any has.
        """
        key = (statement.query.fingerprint, index)
        if key not in self._reckless:
            self._reckless[key] = _is_reckless(statement, index)
        return self._reckless[key]


def _is_reckless(statement: Statement, index: Index) -> bool:
    if statement.reading is None:
        return False
    first = index.columns[0].name
    found = False
    for occurrence in statement.reading.occurrences:
        if occurrence.table != index.table or not occurrence.limited:
            continue
        if not occurrence.order or occurrence.order[0].key != first:
            continue
        for branch in occurrence.branches:
            exact = {term.key for term in branch if term.kind in (Kind.EQUAL, Kind.IS_NULL)}
            narrowed = {term.key for term in branch}
            if exact and first not in narrowed and not any(key in index.where for key in exact):
                found = True
    return found
