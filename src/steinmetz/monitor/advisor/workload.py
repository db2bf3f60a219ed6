"""What an application asks of its database: statements, how often, for how long, and with which parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from steinmetz.sql.facts import Verb

PARAMETER_SETS_KEPT = 5
"""Sets of parameters remembered for each statement: its slowest ones. They stay in memory, for running again."""
SAMPLES_KEPT = 3
"""Further sets, sampled evenly from all runs, so that those with little to find are among them."""
BINDS_WATCHED = 12
"""Bound values of one statement that are watched for being always the same."""


@dataclass(slots=True)
class ParameterSet:
    """The values one run was given, in the driver's own form, and how long it took.

    ``sql`` is the text that takes them, where it is not the query's own (an IN list of another length); ``seen``
    says about how many runs had these values.
    """

    duration_ns: int
    values: Any = field(repr=False)
    sql: str = field(default="", repr=False)
    seen: int = 1


@dataclass(slots=True)
class BindUse:
    """The value that one bind mostly has: ``hits`` of ``runs`` runs had it."""

    value: Any = field(default=None, repr=False)
    hits: int = 0
    runs: int = 0

    def note(self, value: Any, runs: int) -> None:
        self.runs += runs
        if self.hits and type(value) is type(self.value) and value == self.value:
            self.hits += runs
        elif self.hits * 2 < self.runs:
            self.value, self.hits = value, runs

    @property
    def share(self) -> float:
        return self.hits / self.runs if self.runs else 0.0


@dataclass(slots=True)
class Query:
    """One statement of the workload. ``sql`` is a text that the driver takes, with its placeholders.

    ``rows`` are those that its runs have written, about. ``binds`` tells by bind (position from 0, or name) what
    value it mostly has.
    """

    fingerprint: str
    name: str
    sql: str
    verb: Verb
    tables: frozenset[str]
    calls: int = 0
    total_ns: int = 0
    rows: int = 0
    parameter_sets: list[ParameterSet] = field(default_factory=list, repr=False)
    samples: list[ParameterSet] = field(default_factory=list, repr=False)
    binds: dict[int | str, BindUse] = field(default_factory=dict, repr=False)
    offered: int = 0

    def offer(self, duration_ns: int, values: Any, sql: str = "", *, runs: int = 1, sampled: bool = False) -> None:
        """Keep the parameters if this run is among the slowest, or by an even chance if it is ``sampled``.

        ``runs`` is how many runs this one stands for. Equal values are kept once.
        """
        sql = "" if sql == self.sql else sql
        self._watch(values, sql, runs)
        for kept in (*self.parameter_sets, *self.samples):
            if kept.sql == sql and kept.values == values:
                kept.seen += runs
                kept.duration_ns = max(kept.duration_ns, duration_ns)
                return
        slowest = self.parameter_sets
        if len(slowest) < PARAMETER_SETS_KEPT or duration_ns > slowest[-1].duration_ns:
            slowest.append(ParameterSet(duration_ns, values, sql, runs))
            slowest.sort(key=lambda each: each.duration_ns, reverse=True)
            del slowest[PARAMETER_SETS_KEPT:]
        elif sampled:
            self.offered += 1
            place = self._place()
            if len(self.samples) < SAMPLES_KEPT:
                self.samples.append(ParameterSet(duration_ns, values, sql, runs))
            elif place < SAMPLES_KEPT:
                self.samples[place] = ParameterSet(duration_ns, values, sql, runs)

    def _place(self) -> int:
        """Vitter's algorithm R (1985), its chance taken from a multiplicative hash of the count."""
        return (self.offered * 2_654_435_761 % 2**32) * self.offered >> 32

    def _watch(self, values: Any, sql: str, runs: int) -> None:
        if sql:
            return  # the binds of an IN list of another length are others
        named = values.items() if isinstance(values, Mapping) else enumerate(values or ())
        for key, value in named:
            use = self.binds.get(key)
            if use is None:
                if len(self.binds) >= BINDS_WATCHED:
                    break
                use = self.binds[key] = BindUse()
            use.note(value if isinstance(value, bool | int | str) and _is_short(value) else None, runs)

    def sets(self) -> list[ParameterSet]:
        """All that are kept, slowest first; one without values if the statement has none or none was kept."""
        return [*self.parameter_sets, *self.samples] or [ParameterSet(0, ())]

    def text_of(self, parameters: ParameterSet) -> str:
        return parameters.sql or self.sql


def _is_short(value: bool | int | str) -> bool:
    return not isinstance(value, str) or len(value) <= 64


@dataclass(slots=True)
class Workload:
    """The statements of a stretch of time. ``dropped`` statements found no room."""

    queries: list[Query]
    dropped: int = 0

    @property
    def reads(self) -> Iterable[Query]:
        return (query for query in self.queries if query.verb is Verb.SELECT)

    @property
    def writes(self) -> Iterable[Query]:
        return (query for query in self.queries if query.verb is not Verb.SELECT)

    @property
    def calls(self) -> int:
        return sum(query.calls for query in self.queries)
