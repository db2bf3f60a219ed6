"""Which indexes a private copy, or a transaction that is rolled back, has at the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steinmetz.monitor.advisor.index import Index, quoted
from steinmetz.monitor.dialects.base import CannotExplain


@dataclass(frozen=True, slots=True)
class Standing:
    """An index that the original has, with the statement that makes it again."""

    index: Index
    ddl: str


class IndexSet:
    """Those of the original, some more, some less; only differences from the last set are made and dropped.

    ``execute(statement, name)`` raises `CannotExplain` where the engine refuses; ``created`` is told of each index
    that was made, so that it can be given statistics. Indexes of constraints are not in ``original``.
    """

    def __init__(
        self,
        original: Mapping[str, Standing],
        execute: Callable[[str, str], None],
        created: Callable[[Index], Any],
    ) -> None:
        self._original = dict(original)
        self._execute = execute
        self._created = created
        self._present = dict(original)

    def use(self, adding: Sequence[Index], without: Sequence[Index]) -> None:
        """Have exactly these. Raises `CannotExplain` for an index that cannot be made or left out."""
        wanted = dict(self._original)
        for index in without:
            if wanted.pop(index.shown_name, None) is None:
                reason = "it belongs to a constraint or is not there"
                raise CannotExplain(f"the index {index.shown_name} cannot be left out: {reason}")
        wanted |= {index.shown_name: Standing(index, index.ddl()) for index in adding}
        for name, standing in list(self._present.items()):
            if wanted.get(name) != standing:
                schema, dot, _ = standing.index.table.rpartition(".")
                self._execute(f"DROP INDEX {quoted(schema) if dot else ''}{dot}{quoted(name)}", name)
                del self._present[name]
        for name, standing in wanted.items():
            if name not in self._present:
                self._execute(standing.ddl, name)
                self._present[name] = standing
                self._created(standing.index)
