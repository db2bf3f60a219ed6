"""The tree as a caller sees it, made from rows that know their parents; pure.

Rows come ordered by depth, position and id. A row is seen if its own role and those of all its ancestors allow it;
what lies below an unseen row is not there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from steinmetz.erp.kit.roles import Role, may_read


class Row(Protocol):
    """What the tree needs to know of a node."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def min_role(self) -> Role: ...


class TitledRow(Row, Protocol):
    """What is shown of a node in the tree."""

    @property
    def title(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def version(self) -> int: ...


R = TypeVar("R", bound=Row)


def seen_by(role: Role, rows: Iterable[R]) -> Iterator[R]:
    """The rows that ``role`` sees; ``rows`` hold every ancestor of a row before it."""
    seen: set[str] = set()
    for row in rows:
        if may_read(role, row.min_role) and (row.parent_id is None or row.parent_id in seen):
            seen.add(row.id)
            yield row


def grown(rows: Iterable[TitledRow], levels: int) -> list[dict[str, Any]]:
    """Nested nodes, ``levels`` deep. Rows one level deeper are counted as ``childCount`` and not shown.

    Nodes of the deepest level have no ``children``; those above have a list, which may be empty.
    """
    roots: list[dict[str, Any]] = []
    by_id: dict[str, dict[str, Any]] = {}
    for row in rows:
        parent = by_id.get(row.parent_id) if row.parent_id is not None else None
        if parent is not None:
            parent["childCount"] += 1
        if row.depth >= levels:
            continue
        node = _shown(row)
        if row.depth < levels - 1:
            node["children"] = []
        by_id[row.id] = node
        if parent is None:
            roots.append(node)
        else:
            parent["children"].append(node)
    return roots


def _shown(row: TitledRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "parentId": row.parent_id,
        "title": row.title,
        "icon": row.icon,
        "kind": row.kind,
        "depth": row.depth,
        "position": row.position,
        "version": row.version,
        "childCount": 0,
    }
