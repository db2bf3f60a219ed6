"""A made-up company's tables, filled from a seed: skewed, correlated, with gaps, the same on both engines.

The tables and how each column is filled stand in ``tests/contract/advisor_cases/company.toml``. What fills them:

=================  ============================================================================================
serial             1, 2, 3, ...
block N            the row's number by N: runs of N rows are alike
spread N           1 to N by a hash of the row's number; neighbours differ
zipf N             1 to N, the first most often (Zipf's law, exponent 1)
even N             1 to N, all as often
choice a:9 b:1     words by weight
ref TABLE          a row of an earlier table, all as often; ``ref TABLE zipf`` the first most often
same COLUMN of T   what the row of T, named by this table's column ``T_id``, has there
moment DAYS        a second within so many days from 2024, rising with the row's number, with jitter
day DAYS           a date within so many days from 2024
text PATTERN       ``{n}`` is the row's number, ``{k}`` one of 50 numbers
maybe P FILL       NULL in all but a share P
when C=V FILL      NULL unless the column C of this row has the value V
=================  ============================================================================================
"""

from __future__ import annotations

import tomllib
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

CASES = Path(__file__).resolve().parents[2] / "tests" / "contract" / "advisor_cases"
SEED = 20_260_302
_START = datetime(2024, 1, 1)
_WORDS = 50

Row = dict[str, Any]
Fill = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class FilledTable:
    """One table: its DDL for each engine and its rows."""

    name: str
    columns: tuple[str, ...]
    sqlite_ddl: str
    postgres_ddl: str
    rows: Sequence[tuple[Any, ...]]


def company(scale: float) -> tuple[FilledTable, ...]:
    """All tables, ``scale`` times as large as written."""
    written = tomllib.loads((CASES / "company.toml").read_text())
    kept: dict[str, list[Row]] = {}
    tables = []
    for name, table in written["table"].items():
        random = Random(f"{SEED} {name}")
        count = max(1, round(table["rows"] * (scale if table.get("grows", True) else 1)))
        kept[name] = list(_rows(table["columns"], count, random, kept))
        columns = tuple(table["columns"])
        tables.append(
            FilledTable(
                name,
                columns,
                _ddl(name, table, "sqlite"),
                _ddl(name, table, "postgres"),
                [tuple(row[column] for column in columns) for row in kept[name]],
            )
        )
    return tuple(tables)


def as_sqlite(value: Any) -> Any:
    """A value as SQLAlchemy's dialect stores it: dates and moments are texts."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


_TYPES = {
    "sqlite": {"moment": "DATETIME", "day": "DATE", "text": "TEXT", "int": "INTEGER"},
    "postgres": {"moment": "timestamp", "day": "date", "text": "text", "int": "integer"},
}


def _ddl(name: str, table: Mapping[str, Any], engine: str) -> str:
    parts = []
    for column, (kind, _, *more) in table["columns"].items():
        parts.append(" ".join([column, _TYPES[engine][kind], *more]))
    parts += table.get("constraints", [])
    return f"CREATE TABLE {name} ({', '.join(parts)})"


def _rows(
    columns: Mapping[str, Sequence[str]], count: int, random: Random, kept: Mapping[str, list[Row]]
) -> Iterator[Row]:
    state = _Filling(count, random, kept)
    fills = {name: state.fill(written[1]) for name, written in columns.items()}
    for number in range(1, count + 1):
        state.number = number
        row: Row = {}
        for name, fill in fills.items():
            row[name] = fill(row)
        yield row


class _Filling:
    """One table while it is filled."""

    def __init__(self, count: int, random: Random, kept: Mapping[str, list[Row]]) -> None:
        self.number = 0
        self._count = count
        self._random = random
        self._kept = kept

    def fill(self, written: str) -> Fill:
        kind, _, rest = written.partition(" ")
        return getattr(self, f"_{kind}")(rest)  # type: ignore[no-any-return]

    def _serial(self, _: str) -> Fill:
        return lambda row: self.number

    def _block(self, size: str) -> Fill:
        return lambda row: self.number // int(size) + 1

    def _spread(self, most: str) -> Fill:
        return lambda row: self.number * 48_271 % int(most) + 1

    def _even(self, most: str) -> Fill:
        return lambda row: self._random.randint(1, int(most))

    def _zipf(self, most: str) -> Fill:
        bounds = list(accumulate(1 / place for place in range(1, int(most) + 1)))
        return lambda row: bisect(bounds, self._random.random() * bounds[-1]) + 1

    def _choice(self, weighted: str) -> Fill:
        pairs = [word.rpartition(":") for word in weighted.split()]
        words, bounds = [pair[0] for pair in pairs], list(accumulate(float(pair[2]) for pair in pairs))
        return lambda row: words[bisect(bounds, self._random.random() * bounds[-1])]

    def _ref(self, table: str) -> Fill:
        name, _, how = table.partition(" ")
        many = len(self._kept[name])
        return self._zipf(str(many)) if how == "zipf" else self._even(str(many))

    def _same(self, what: str) -> Fill:
        column, _, table = what.split()
        rows = self._kept[table]
        return lambda row: rows[row[f"{table.removesuffix('s')}_id"] - 1][column]

    def _moment(self, days: str) -> Fill:
        step = float(days) * 86_400 / self._count
        return lambda row: _START + timedelta(seconds=int(step * (self.number + self._random.random() * 20)))

    def _day(self, days: str) -> Fill:
        return lambda row: (_START + timedelta(days=self._random.randrange(int(days)))).date()

    def _text(self, pattern: str) -> Fill:
        return lambda row: pattern.format(n=self.number, k=self._random.randrange(_WORDS))

    def _maybe(self, rest: str) -> Fill:
        share, _, inner = rest.partition(" ")
        fill = self.fill(inner)
        return lambda row: fill(row) if self._random.random() < float(share) else None

    def _when(self, rest: str) -> Fill:
        condition, _, inner = rest.partition(" ")
        column, _, value = condition.partition("=")
        fill = self.fill(inner)
        return lambda row: fill(row) if str(row[column]) == value else None
