"""What a case is, and where its marked lines are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steinmetz.sql import ScopeKind

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """``run`` takes one of ``session``, ``connection``, ``engine`` or ``sessions`` by the name of its parameter.

    ``lines`` are the markers of the lines to be found, none if the case is innocent; ``relationship`` is what the
    finding at the first of them must name; ``remedy`` a part of what it must advise. ``own_scopes``: the case
    opens its units of work itself.
    """

    name: str
    run: Callable[[Any], Any]
    lines: tuple[str, ...] = ()
    relationship: str | None = None
    remedy: str = ""
    kind: ScopeKind = ScopeKind.REQUEST
    own_scopes: bool = False

    @property
    def is_guilty(self) -> bool:
        return bool(self.lines)


CASES: list[Case] = []


def guilty(
    *more_lines: str, remedy: str, relationship: str | None = None, line: str = ""
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """``line`` defaults to the case's own name; ``more_lines`` are to be found as well."""

    def register(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
        lines = (line or run.__name__, *more_lines)
        CASES.append(Case(run.__name__, run, lines, relationship, remedy))
        return run

    return register


def innocent(
    *, kind: ScopeKind = ScopeKind.REQUEST, own_scopes: bool = False
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def register(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
        CASES.append(Case(run.__name__, run, kind=kind, own_scopes=own_scopes))
        return run

    return register


def marked_lines() -> dict[str, tuple[str, int]]:
    """Marker -> (file name, line)."""
    found: dict[str, tuple[str, int]] = {}
    for file in sorted(FOLDER.glob("*.py")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if match := re.search(r"# <- (\w+)$", line):
                assert match[1] not in found, f"two lines are marked {match[1]}"
                found[match[1]] = (file.name, number)
    return found
