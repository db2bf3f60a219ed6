"""Who sees which node."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.planning.nodes import Stored
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS


def visible_to(sees: Callable[[Role], bool], rows: Iterable[Stored]) -> Callable[[str], bool]:
    """Whether somebody sees a stored node: its own lowest role and those of all its ancestors allow it."""
    by_id = {row.id: row for row in rows}
    known: dict[str | None, bool] = {None: True}

    def is_visible(node_id: str) -> bool:
        way: list[str] = []
        current: str | None = node_id
        while current not in known and len(way) <= 2 * MAX_LEVELS:
            assert current is not None
            way.append(current)
            current = by_id[current].parent_id if current in by_id else None
        for step in reversed(way):
            parent_id = by_id[step].parent_id if step in by_id else None
            known[step] = known.get(parent_id, False) and (step not in by_id or sees(by_id[step].min_role))
        return known[node_id]

    return is_visible
