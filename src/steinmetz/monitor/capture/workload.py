"""The workload as it is seen: slow runs and an even sample of the others, with parameters for running them again.

Called for runs slower than `WorkloadRecorder.floor_ns`, and for one in `WorkloadRecorder.every` of the others;
what a run stands for is counted accordingly, so that calls and times are right on average. Values of sensitive
columns are replaced as they come in: they are neither kept nor written to a file.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from steinmetz.monitor.advisor.workload import ParameterSet, Query, Workload
from steinmetz.monitor.analysis.naming import name_of
from steinmetz.monitor.analysis.redaction import REDACTED, Redaction
from steinmetz.monitor.capture.parameters import bound_parameters
from steinmetz.sql.engine import Execution
from steinmetz.sql.facts import StatementFacts, Verb

FLOOR_NS = 1_000_000
"""A run that takes longer is always looked at: that costs it less than one percent."""
SAMPLED_EVERY = 64
LOOKED_AT_FIRST = 1_000
"""So many runs are all looked at, so that a workload is known soon after the start."""
STATEMENTS = 500
SET_BYTES = 16_384
"""Larger sets of parameters are not kept."""
TOTAL_BYTES = 8_000_000
_STRINGS = re.compile(r"'(?:[^']|'')*'")
_MARKS = re.compile(r"\?|\$\d+|%s\b|%\(\w+\)s|(?<!:):[^\W\d]\w*")
_WINDOW = re.compile(r"\b(?:limit|offset)\s+\Z", re.IGNORECASE)
_RECORDED = (Verb.SELECT, Verb.INSERT, Verb.UPDATE, Verb.DELETE)


class WorkloadRecorder:
    """Keeps at most `STATEMENTS` statements and about `TOTAL_BYTES` of parameters; ``dropped`` and
    ``sets_dropped`` count what found no room.

    The caller counts ``skip`` down once for each run of a statement; `offer` is due when the run is slower than
    ``floor_ns`` or ``skip`` has come to 0.
    """

    __slots__ = (
        "_bytes",
        "_lock",
        "_looked_at",
        "_queries",
        "_redaction",
        "_secret",
        "dropped",
        "floor_ns",
        "sets_dropped",
        "skip",
    )  # fmt: skip

    def __init__(self, redaction: Redaction, floor_ns: int = FLOOR_NS) -> None:
        self._redaction = redaction
        self._lock = threading.Lock()
        self.floor_ns = floor_ns
        self.clear()

    def clear(self) -> None:
        self.skip = 1
        self.dropped = 0
        self.sets_dropped = 0
        self._looked_at = 0
        self._bytes = 0
        self._queries: dict[str, Query] = {}
        self._secret: dict[str, tuple[int | str, ...]] = {}

    def __len__(self) -> int:
        return len(self._queries)

    @property
    def every(self) -> int:
        """Of how many runs that are not slow one is looked at."""
        return 1 if self._looked_at < LOOKED_AT_FIRST else SAMPLED_EVERY

    def offer(self, facts: StatementFacts, execution: Execution) -> None:
        """A run that was slow, or whose turn it was. To be called while ``execution.context`` is valid."""
        duration_ns = execution.execute_ns + execution.fetch_ns
        is_slow = duration_ns > self.floor_ns
        runs = 1 if is_slow else self.every
        self._looked_at += 1
        if not is_slow:
            self.skip = self.every
        if facts.verb not in _RECORDED or execution.error is not None:
            return
        with self._lock:
            query = self._queries.get(facts.fingerprint) or self._new(facts, execution.statement, duration_ns)
            if query is None:
                return
            query.calls += runs
            query.total_ns += runs * duration_ns
            values, sets = execution.parameters, 1
            if execution.many and isinstance(values, list | tuple):
                sets, values = len(values), values[0] if values else ()
            if facts.verb is not Verb.SELECT:
                query.rows += runs * max(sets, execution.rows or 0)
            self._keep(query, execution, duration_ns, values, runs, sampled=not is_slow)

    def _new(self, facts: StatementFacts, statement: str, duration_ns: int) -> Query | None:
        """Room for one more statement, made by the one with the least time if that is less than this run's."""
        if len(self._queries) >= STATEMENTS:
            least = min(self._queries.values(), key=lambda query: query.total_ns)
            self.dropped += 1
            if least.total_ns >= duration_ns:
                return None
            del self._queries[least.fingerprint]
            self._bytes -= sum(_size(each.values) for each in (*least.parameter_sets, *least.samples))
        tables = frozenset(relation.name for relation in facts.reads | facts.writes)
        query = Query(facts.fingerprint, name_of(facts), statement, facts.verb, tables)
        self._queries[facts.fingerprint] = query
        return query

    def _keep(
        self, query: Query, execution: Execution, duration_ns: int, values: Any, runs: int, *, sampled: bool
    ) -> None:
        size = _size(values)
        if size > SET_BYTES or self._bytes + size > TOTAL_BYTES:
            self.sets_dropped += 1
            return
        before = sum(_size(each.values) for each in (*query.parameter_sets, *query.samples))
        shown = self._without_secrets(execution, values)
        query.offer(duration_ns, shown, execution.statement, runs=runs, sampled=sampled)
        self._bytes += sum(_size(each.values) for each in (*query.parameter_sets, *query.samples)) - before

    def _without_secrets(self, execution: Execution, values: Any) -> Any:
        """The values with another of the same length in place of each that belongs to a sensitive column."""
        places = self._secret.get(execution.statement)
        if places is None:
            places = self._places_of_secrets(execution, values)
            if len(self._secret) >= 4 * STATEMENTS:
                self._secret.clear()
            self._secret[execution.statement] = places
        if not places:
            return dict(values) if isinstance(values, Mapping) else tuple(values or ())
        if isinstance(values, Mapping):
            return {key: _filler(value) if key in places else value for key, value in values.items()}
        return tuple(_filler(value) if place in places else value for place, value in enumerate(values))

    def _places_of_secrets(self, execution: Execution, values: Any) -> tuple[int | str, ...]:
        parameters = bound_parameters(execution)
        text = execution.facts.text
        numbers = frozenset(_places_of_limits(execution.statement))
        named = isinstance(values, Mapping)
        return tuple(
            key
            for place, each in enumerate(parameters)
            if (key := each.label if named else place) not in numbers
            and self._redaction.shown(text, [each]).get(each.label) == REDACTED
        )

    def recorded(self) -> Workload:
        """What was seen so far: a copy that further runs do not change, most time first."""
        with self._lock:
            queries = [_copy(query) for query in self._queries.values()]
        queries.sort(key=lambda query: (-query.total_ns, query.fingerprint))
        return Workload(queries, self.dropped)


def _copy(query: Query) -> Query:
    def sets(kept: list[ParameterSet]) -> list[ParameterSet]:
        return [ParameterSet(each.duration_ns, each.values, each.sql, each.seen) for each in kept]

    copy = Query(
        query.fingerprint, query.name, query.sql, query.verb, query.tables, query.calls, query.total_ns, query.rows
    )
    copy.parameter_sets, copy.samples = sets(query.parameter_sets), sets(query.samples)
    copy.binds = dict(query.binds)
    return copy


def _size(values: Any) -> int:
    """About how many bytes the values take."""
    each = values.values() if isinstance(values, Mapping) else values or ()
    return 64 + sum(len(value) + 50 if isinstance(value, str | bytes) else 32 for value in each)


def _places_of_limits(statement: str) -> Iterator[int | str]:
    """The binds of LIMIT and OFFSET, by position or name: numbers of rows, which a plan depends on."""
    text = _STRINGS.sub("''", statement)
    for ordinal, mark in enumerate(_MARKS.finditer(text)):
        if not _WINDOW.search(text, 0, mark.start()):
            continue
        written = mark[0]
        if written[0] == "$":
            yield int(written[1:]) - 1
        elif written[0] in ":%" and written != "%s":
            yield written[1:] if written[0] == ":" else written[2:-2]
        else:
            yield ordinal


def _filler(value: Any) -> Any:
    match value:
        case None:
            return None
        case bool():
            return False
        case int():
            return 0
        case str():
            return "x" * len(value)
        case bytes():
            return b"x" * len(value)
        case _:
            return None
