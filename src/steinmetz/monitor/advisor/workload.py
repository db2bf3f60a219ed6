"""What an application asks of its database: statements, how often, for how long, and with which parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from steinmetz.sql.facts import Verb

PARAMETER_SETS_KEPT = 5
"""Sets of parameters remembered for each statement: its slowest ones. They stay in memory, for running again."""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """The values one run was given, in the driver's own form, and how long it took."""

    duration_ns: int
    values: Any = field(repr=False)


@dataclass(slots=True)
class Query:
    """One statement of the workload. ``sql`` is a text that the driver takes, with its placeholders."""

    fingerprint: str
    name: str
    sql: str
    verb: Verb
    tables: frozenset[str]
    calls: int = 0
    total_ns: int = 0
    parameter_sets: list[ParameterSet] = field(default_factory=list, repr=False)

    def offer(self, duration_ns: int, values: Any) -> None:
        """Keep the parameters if this run is among the slowest."""
        kept = self.parameter_sets
        if len(kept) == PARAMETER_SETS_KEPT and duration_ns <= kept[-1].duration_ns:
            return
        kept.append(ParameterSet(duration_ns, values))
        kept.sort(key=lambda each: each.duration_ns, reverse=True)
        del kept[PARAMETER_SETS_KEPT:]


@dataclass(slots=True)
class Workload:
    """The statements of a stretch of time."""

    queries: list[Query]

    @property
    def reads(self) -> Iterable[Query]:
        return (query for query in self.queries if query.verb is Verb.SELECT)

    @property
    def writes(self) -> Iterable[Query]:
        return (query for query in self.queries if query.verb is not Verb.SELECT)
