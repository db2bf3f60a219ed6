"""Reads the PostgreSQL corpus: what each statement must be found to touch (the format is told in postgres.sql)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "postgres.sql"
_VERDICT = re.compile(
    r"-- reads (?P<reads>.*?)(?: writes (?P<writes>.*?))?(?: also (?P<also>.*?) \((?P<why>.+)\))?"
)


@dataclass(frozen=True)
class Verdict:
    """What a statement touches, and whether it is right to say "perhaps anything".

    ``also`` names the relations that are found too much, which is known and counts against the precision.
    """

    reads: frozenset[str]
    writes: frozenset[str] = frozenset()
    reads_unknown: bool = False
    writes_unknown: bool = False
    also: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    statement: str
    verdict: Verdict
    first: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        return self.statement[:100]


def postgres_cases() -> list[Case]:
    found: list[Case] = []
    source, verdict, first = "", None, []
    for line in _FILE.read_text().splitlines():
        if line.startswith("-- source: "):
            source = line.removeprefix("-- source: ")
        elif line.startswith("-- first "):
            first.append(line.removeprefix("-- first "))
        elif match := _VERDICT.fullmatch(line):
            verdict = _verdict(match["reads"], match["writes"] or "-", match["also"] or "-")
        elif line and not line.startswith("--"):
            assert verdict is not None, f"postgres.sql: what does this touch? {line}"
            found.append(Case(line, verdict, tuple(first), source))
            verdict, first = None, []
    return found


def _verdict(reads: str, writes: str, also: str) -> Verdict:
    read, written = reads.split(), writes.split()
    return Verdict(
        frozenset(read) - {"-", "?"},
        frozenset(written) - {"-", "?"},
        "?" in read,
        "?" in written,
        frozenset(also.split()) - {"-"},
    )
