"""The cases as they stand in ``tests/contract/advisor_cases/cases.toml``, and their statements for each engine."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

from benchmarks.advice.company import CASES, as_sqlite
from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.sql.facts import Verb

MAX_COLUMNS = 3
CALL_NS = 1_000_000
"""What each call is said to have taken: the searcher and the advisor weigh by calls alone."""

_NAME = re.compile(r"(?<![:\w]):([a-z]\w*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, called so often an hour, with the parameters it is run with."""

    sql: str
    calls: int
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def verb(self) -> Verb:
        word = self.sql.split(maxsplit=1)[0].lower()
        return Verb.SELECT if word == "with" else Verb(word)

    def rendered(self, engine: str, parameters: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """Text and values as the engine's driver takes them: ``?`` or ``$1``, for a list one for each value."""
        values: list[Any] = []

        def mark(match: re.Match[str]) -> str:
            value = parameters[match[1]]
            marks = []
            for each in value if isinstance(value, list) else [value]:
                values.append(as_sqlite(each) if engine == "sqlite" else each)
                marks.append("?" if engine == "sqlite" else f"${len(values)}")
            return ", ".join(marks)

        text = _NAME.sub(mark, self.sql)
        return text, tuple(values)


@dataclass(frozen=True, slots=True)
class Case:
    """Statements on the company's tables. ``keys``: by table, what indexes may be made of."""

    name: str
    why: str
    setup: tuple[str, ...]
    statements: tuple[Statement, ...]
    keys: Mapping[str, tuple[str, ...]]
    engine_keys: Mapping[str, Mapping[str, tuple[str, ...]]]

    def workload(self, engine: str, tables: Sequence[str]) -> Workload:
        """As the monitor would hand it to the advisor."""
        queries = []
        for number, statement in enumerate(self.statements, 1):
            text, _ = statement.rendered(engine, statement.parameters[0])
            words = set(re.findall(r"\w+", statement.sql))
            query = Query(
                fingerprint=f"{self.name} {number}",
                name=f"{self.name} {number}",
                sql=text,
                verb=statement.verb,
                tables=frozenset(words & set(tables)),
                calls=statement.calls,
                total_ns=statement.calls * CALL_NS,
                rows=0 if statement.verb is Verb.SELECT else statement.calls,
            )
            for parameters in statement.parameters:
                sql, values = statement.rendered(engine, parameters)
                query.offer(CALL_NS, values, sql, runs=max(1, statement.calls // len(statement.parameters)))
            queries.append(query)
        return Workload(queries)

    def indexes(self, engine: str) -> list[Index]:
        """Every index of at most three of the keys, in every order."""
        keys = {**self.keys, **self.engine_keys.get(engine, {})}
        return [
            Index(table, tuple(columns))
            for table, written in keys.items()
            for length in range(1, MAX_COLUMNS + 1)
            for columns in permutations([_key(word) for word in written], length)
            if len({column.name for column in columns}) == length
        ]


@cache
def cases() -> tuple[Case, ...]:
    """All of them, in the order in which they are written."""
    return tuple(_cases(tomllib.loads((CASES / "cases.toml").read_text())["case"]))


def _cases(written: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    for case in written:
        yield Case(
            case["name"],
            case["why"],
            tuple(case.get("setup", ())),
            tuple(Statement(each["sql"], each["calls"], tuple(each["parameters"])) for each in case["statement"]),
            _keys(case.get("keys", {})),
            {engine: _keys(case.get(f"keys_{engine}", {})) for engine in ("sqlite", "postgres")},
        )


def _keys(written: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {table: tuple(keys) for table, keys in written.items()}


def _key(written: str) -> IndexColumn:
    """``column``, ``column DESC``, ``f(column)``, ``column COLLATE NOCASE`` or ``column text_pattern_ops``."""
    name, _, more = written.partition(" ")
    descending = more == "DESC"
    return IndexColumn(name, descending, "(" in name, "" if descending else more)
