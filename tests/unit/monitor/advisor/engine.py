"""A database made up for the advisor's tests: it plans and works by a plain model of B-trees, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.advisor.predicates import read
from steinmetz.monitor.advisor.reading import Kind, Reading
from steinmetz.monitor.advisor.workload import Query
from steinmetz.monitor.dialects.base import CannotExplain, Column, Plan, Table, Work
from steinmetz.sql.facts import Verb


def table(name: str, rows: int, /, indexes: Sequence[Index] = (), **distinct: float) -> Table:
    """A table with an ``id`` and a column for each keyword, which has so many distinct values."""
    columns = {"id": Column("id", "INTEGER", False, rows)}
    columns |= {each: Column(each, "INTEGER", False, count) for each, count in distinct.items()}
    return Table(name, rows, columns, tuple(indexes), ("id",))


def index(table: str, *columns: str, name: str = "", unique: bool = False, where: str = "") -> Index:
    """``-created`` is descending."""
    keys = tuple(IndexColumn(column.lstrip("-"), column.startswith("-")) for column in columns)
    return Index(table, keys, where, name=name, unique=unique)


def query(
    sql: str, *sets: Any, calls: int = 1_000, rows: int = 0, name: str = "", tables: str = "orders"
) -> Query:
    """A statement of the workload, each of whose runs took a millisecond."""
    verb = Verb(sql.split(None, 1)[0].lower())
    made = Query(
        name or sql, name or sql, sql, verb, frozenset(tables.split()), calls, calls * 10**6, rows or calls
    )
    for values in sets:
        made.offer(10**6, values)
    return made


@dataclass
class Engine:
    """The ports `WhatIf` and `Proof` over made-up tables.

    A row looked at costs 1. An index is walked down for 4, then costs 2 for each row found in it. ``rare`` are
    values that no row has: for them only running, not planning, knows better. ``refused`` are parts of statements
    that cannot be explained.
    """

    known: Mapping[str, Table]
    rare: frozenset[Any] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    ran: int = 0

    def tables(self) -> Mapping[str, Table]:
        return self.known

    def plan(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Plan:
        self.asked += 1
        cost, used = self._best(sql, adding, without)
        return Plan(f"{sorted(used)}", "", cost, used)

    def run(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Work:
        self.ran += 1
        cost, used = self._best(sql, adding, without)
        if self.rare & set(values or ()):
            cost = self._cost_of_nothing(sql, [each for each in adding if each.shown_name in used])
        return Work(cost, cost / 1000, 0)

    def size_bytes(self, index: Index) -> int:
        return self.known[index.table].rows * 16 * len(index.columns)

    def _best(self, sql: str, adding: Sequence[Index], without: Sequence[Index]) -> tuple[float, frozenset[str]]:
        for part, reason in self.refused.items():
            if part in sql:
                raise CannotExplain(reason)
        reading = read(sql, "sqlite", {name: frozenset(each.columns) for name, each in self.known.items()})
        total, used = 0.0, set[str]()
        for occurrence in reading.occurrences:
            known = self.known[occurrence.table]
            there = [each for each in known.indexes if each not in without]
            choices = [(self._scan(reading, occurrence.table), "")]
            choices += [
                (self._by_index(reading, each), each.shown_name)
                for each in (*there, *adding)
                if each.table == occurrence.table
            ]
            cost, name = min(choices)
            total += cost
            used |= {name} - {""}
        return total or 1.0, frozenset(used)

    def _place(self, reading: Reading, name: str) -> Any:
        return next(each for each in reading.occurrences if each.table == name)

    def _scan(self, reading: Reading, name: str) -> float:
        terms = {term.key for branch in self._place(reading, name).branches for term in branch}
        return 4.0 if "id" in terms else float(self.known[name].rows)

    def _by_index(self, reading: Reading, index: Index) -> float:
        place, known = self._place(reading, index.table), self.known[index.table]
        exact = {
            term.key
            for branch in place.branches
            for term in branch
            if term.kind in (Kind.EQUAL, Kind.IN, Kind.JOIN)
        }
        rows = float(known.rows)
        rest = list(index.columns)
        while rest and rest[0].name in exact:
            rows /= known.columns[rest.pop(0).name].distinct or 1
        orders = bool(place.order) and [each.name for each in rest[:1]] == [place.order[0].key]
        if len(rest) == len(index.columns) and not orders:
            return known.rows * 2.0
        if place.limited and orders:
            found = exact - {column.name for column in index.columns}
            scattered = 1.0
            for column in found:
                scattered *= known.columns[column].distinct or 1
            return 4 + 2 * min(rows, 20 * scattered)
        sorting = 2.0 if place.order and not orders else 1.0
        return 4 + 2 * rows * sorting

    def _cost_of_nothing(self, sql: str, used: Sequence[Index]) -> float:
        """No row is found: at once by an index on what is asked for, else after looking at all of them."""
        reading = read(sql, "sqlite", {name: frozenset(each.columns) for name, each in self.known.items()})
        total = 0.0
        for occurrence in reading.occurrences:
            exact = {term.key for branch in occurrence.branches for term in branch}
            mine = [each for each in used if each.table == occurrence.table]
            rows = self.known[occurrence.table].rows
            total += min(
                (4.0 if each.columns[0].name in exact else 2.0 * rows for each in mine), default=float(rows)
            )
        return total
