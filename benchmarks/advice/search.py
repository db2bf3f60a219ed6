"""The best set of indexes for a case, found by trying all: at most two indexes of at most three columns.

What a set is worth is measured, never estimated: each statement is run with each of its parameters, the mean
counted as often as the statement is called. A set is allowed if no read gets more than a tenth worse for any
parameters, and no write for finding its rows. SQLite: every set is measured, for a plan seen before is not run
again. PostgreSQL: every set is ranked by the planner's costs, the most promising are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from benchmarks.advice.case import Case
from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.monitor.dialects.base import CannotExplain, Proof, WhatIf
from steinmetz.sql.facts import Verb

MOST_INDEXES = 2
WORSE = 1.10
SLACK = 3.0
"""Steps that do not count as worse: below it a ratio says nothing."""
ENTRY_COST = 1.0
"""For ranking: PostgreSQL's planner charges a write nothing for the indexes that it keeps up."""

Indexes = tuple[Index, ...]
Works = list[list[float]]
"""By statement, by its parameters."""


@dataclass(frozen=True, slots=True)
class Form:
    """How much is tried. ``pairs_of``: pairs on one table are of so many of the best single ones, 0 for all;
    ``run``: sets that are run on PostgreSQL."""

    pairs_of: int
    run: int


EXHAUSTIVE = Form(pairs_of=0, run=24)
BRIEF = Form(pairs_of=8, run=8)


@dataclass(slots=True)
class Measure:
    """Sets of indexes on one case, each measured once."""

    workload: Workload
    what_if: WhatIf
    proof: Proof
    counts_steps: bool
    """Whether the what-if's cost is the work itself, as on SQLite."""
    _works: dict[frozenset[Index], Works] = field(default_factory=dict)

    def estimated(self, indexes: Indexes) -> float:
        """The workload's cost as the what-if has it; infinite for a set that harms."""
        works = [
            [
                self.what_if.plan(query.text_of(each), each.values, adding=indexes).cost
                for each in query.parameter_sets
            ]
            for query in self.workload.queries
        ]
        total = _total(self.workload, works)
        if not self.counts_steps:
            total += sum(
                query.calls * ENTRY_COST * sum(index.table in query.tables for index in indexes)
                for query in self.workload.writes
            )
        return total

    def works(self, indexes: Indexes) -> Works:
        """What each statement takes when it is run."""
        key = frozenset(indexes)
        if key not in self._works:
            self._works[key] = [
                [
                    self.proof.run(query.text_of(each), each.values, adding=indexes).steps
                    for each in query.parameter_sets
                ]
                for query in self.workload.queries
            ]
        return self._works[key]

    def total(self, indexes: Indexes) -> float:
        return _total(self.workload, self.works(indexes))

    def harmed(self, indexes: Indexes) -> list[str]:
        """The statements that get more than a tenth worse for some parameters."""
        harmed = []
        for query, before, after in zip(self.workload.queries, self.works(()), self.works(indexes), strict=True):
            worse = any(new > WORSE * old + SLACK for old, new in zip(before, after, strict=True))
            if worse and (query.verb is Verb.SELECT or self._finds_by(query, indexes)):
                harmed.append(query.name)
        return harmed

    def _finds_by(self, query: Query, indexes: Indexes) -> bool:
        """Whether a write finds its rows by one of them. If not, it only keeps them up: that is in the total."""
        names = {index.shown_name for index in indexes}
        return any(
            names & self.what_if.plan(query.text_of(each), each.values, adding=indexes).indexes
            for each in query.parameter_sets
        )


@dataclass(frozen=True, slots=True)
class Best:
    """The best set with its work, and how many sets were tried."""

    indexes: Indexes
    total: float
    tried: int


def best_set(case: Case, measure: Measure, engine: str, form: Form) -> Best:
    """Try all; without any index is one of them."""
    tried = _sets(case.indexes(engine), form, lambda index: _rank(measure, (index,)))
    ranked = [(_rank(measure, indexes), indexes) for indexes in tried]
    ranked.sort(key=lambda each: (each[0], len(each[1]), each[1]))
    best = Best((), measure.total(()), len(ranked) + 1)
    for _, indexes in ranked[: form.run]:
        total = measure.total(indexes)
        if total < best.total and not measure.harmed(indexes):
            best = Best(indexes, total, best.tried)
    return best


def single_best(measure: Measure, case: Case, engine: str) -> Indexes:
    """What an advisor of one column would say: the one that the planner likes best."""
    alone = [index for index in case.indexes(engine) if len(index.columns) == 1]
    ranked = sorted((_rank(measure, (index,)), (index,)) for index in alone)
    if not ranked or ranked[0][0] >= _rank(measure, ()):
        return ()
    return ranked[0][1]


def _rank(measure: Measure, indexes: Indexes) -> float:
    try:
        return measure.estimated(indexes)
    except CannotExplain:
        return float("inf")


def _sets(singles: Sequence[Index], form: Form, rank: Callable[[Index], float]) -> Iterator[Indexes]:
    """Each single index, then the pairs.

    An index may be worth nothing but beside another, so pairs of short ones on two tables, and of single columns,
    are tried whatever each is worth alone.
    """
    for index in singles:
        yield (index,)
    preferred = set(sorted(singles, key=rank)[: form.pairs_of]) if form.pairs_of else set(singles)
    for one, other in combinations(singles, MOST_INDEXES):
        if one.table == other.table and one.columns[0] == other.columns[0] and _begins(one, other):
            continue
        longest = max(len(one.columns), len(other.columns))
        short = longest == 1 or (one.table != other.table and longest == 2)
        if short or (one in preferred and other in preferred):
            yield (one, other)


def _begins(one: Index, other: Index) -> bool:
    """Whether the columns of one are the first of the other, which then does its work."""
    shorter, longer = sorted((one.columns, other.columns), key=len)
    return longer[: len(shorter)] == shorter


def _total(workload: Workload, works: Works) -> float:
    return sum(query.calls * sum(row) / len(row) for query, row in zip(workload.queries, works, strict=True))
