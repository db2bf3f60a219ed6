"""What a file says of the tree, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from steinmetz.erp.modules.catalog.rules import Kind

MAX_NODES = 20_000
"""Of one file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A node as a file has it; its place in the list of entries is what others call it by."""

    line: int
    parent: int | None
    """The entry it lies below, always an earlier one; None for an area."""
    depth: int
    """Areas: 0."""
    icon: str
    title: str
    own_id: str | None = None
    """The id that the file itself gives it."""
    kind: Kind | None = None
    """If the file says it."""


@dataclass(slots=True)
class Outline:
    """Parents before their children, siblings in order."""

    entries: list[Entry] = field(default_factory=list)
    malformed: int = 0
    """Malformed branches."""


def parents_of_any(entries: Sequence[Entry]) -> set[int]:
    """The entries that have children."""
    return {entry.parent for entry in entries if entry.parent is not None}
