"""Reads the corpus files: statements with what they must be found to read and to write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_NOTE = re.compile(r"-- reads (?P<reads>.*?)(?: writes (?P<writes>.*))?")


@dataclass(frozen=True)
class Case:
    statement: str
    reads: frozenset[str]
    writes: frozenset[str]

    def __str__(self) -> str:
        return self.statement[:60]


def cases(name: str) -> list[Case]:
    """The statements of ``name``.sql; ``-`` stands for none, ``?`` for unknown."""
    found: list[Case] = []
    note = None
    for line in (HERE / f"{name}.sql").read_text().splitlines():
        if match := _NOTE.fullmatch(line):
            note = match
        elif line and not line.startswith("--"):
            assert note is not None, f"{name}.sql: what does this touch? {line}"
            found.append(Case(line, _names(note["reads"]), _names(note["writes"] or "-")))
            note = None
    return found


def schema(name: str) -> str:
    return (HERE / f"{name}_schema.sql").read_text()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split()) - {"-"}


def shown(value: object) -> str:
    """A test's id: the same in every process, which a set's own order is not."""
    return ",".join(sorted(map(str, value))) or "-" if isinstance(value, set | frozenset) else str(value)[:40]
