"""What a plan comes to: what is created, changed, moved, deleted or kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.planning.nodes import Stored, Wanted
from steinmetz.erp.modules.catalog.planning.places import longest_rise
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS, Kind


@dataclass(frozen=True, slots=True)
class Change:
    """New values for a node that there is. ``is_new_version``: they are its own, and not only where it stands."""

    id: str
    parent_id: str | None
    area: str
    title: str
    icon: str
    kind: Kind
    position: int
    depth: int
    source_key: str | None
    is_new_version: bool


@dataclass(slots=True)
class Plan:
    """What is to be done, in this order: create (parents first), change, delete."""

    wanted: list[Wanted]
    created: list[Wanted] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Ids of nodes with another title, icon or kind."""
    moved: list[str] = field(default_factory=list)
    """Ids of nodes with another parent, or another place among the siblings they had."""
    pushed: list[str] = field(default_factory=list)
    """Ids of nodes that made room for others; their version stays."""
    deleted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Ids of nodes that the file has no more, with nodes of others below."""

    def __bool__(self) -> bool:
        return bool(self.created or self.changes or self.deleted)

    @property
    def touched(self) -> list[str]:
        """Ids of the stored nodes that are changed, moved or deleted."""
        return list(dict.fromkeys([*self.changed, *self.moved, *self.deleted]))


def kept_and_deleted(gone: Sequence[Stored], parent_of: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """Of the nodes that the file has no more: those with a lasting node below them, and the others."""
    doomed = {row.id for row in gone}
    kept: set[str] = set()
    for node_id, parent_id in parent_of.items():
        if node_id in doomed:
            continue
        while parent_id in doomed and parent_id not in kept:
            kept.add(parent_id)
            parent_id = parent_of[parent_id]
    return [row.id for row in gone if row.id in kept], [row.id for row in gone if row.id not in kept]


def compare(made: Plan, stored: Sequence[Stored], parent_of: Mapping[str, str | None], findings: Findings) -> None:
    """Fill in what is created and changed, and who else goes where his parent goes."""
    rises: dict[str | None, list[Wanted]] = defaultdict(list)
    for each in made.wanted:
        if each.stored is not None and each.stored.parent_id == each.parent_id:
            rises[each.parent_id].append(each)
    in_order: set[str] = set()
    for children in rises.values():
        rise = longest_rise([each.stored.position for each in children if each.stored is not None])
        in_order.update(children[place].id for place in rise)
    for each in made.wanted:
        row, entry = each.stored, each.entry
        if row is None:
            made.created.append(each)
            continue
        is_changed = (row.title, row.icon, row.kind) != (entry.title, entry.icon, each.kind)
        is_moved = row.parent_id != each.parent_id or each.id not in in_order
        is_pushed = not is_moved and row.position != each.position
        made.changed += [each.id] if is_changed else []
        made.moved += [each.id] if is_moved else []
        made.pushed += [each.id] if is_pushed else []
        is_elsewhere = (row.depth, row.area, row.source_key) != (entry.depth, each.area, each.key)
        if is_changed or is_moved or is_pushed or is_elsewhere:
            made.changes.append(
                Change(
                    each.id,
                    each.parent_id,
                    each.area,
                    entry.title,
                    entry.icon,
                    each.kind,
                    each.position,
                    entry.depth,
                    each.key,
                    is_changed or is_moved,
                )
            )
    made.changes += _followers(made, stored, parent_of, findings)


def _followers(
    made: Plan, stored: Sequence[Stored], parent_of: Mapping[str, str | None], findings: Findings
) -> list[Change]:
    """Nodes that are not the file's, below nodes that are: their depth and area are their parents' doing."""
    deleted = set(made.deleted)
    place = {each.id: (each.entry.depth, each.area) for each in made.wanted}
    below: dict[str, list[Stored]] = defaultdict(list)
    for row in stored:
        if row.parent_id is not None and row.id not in place and row.id not in deleted:
            below[row.parent_id].append(row)
    changes = []
    waiting = list(place.items())
    while waiting:
        parent_id, (depth, area) = waiting.pop()
        for row in below[parent_id]:
            if depth + 1 >= MAX_LEVELS:
                reason = (
                    f"{row.id}, which is not the file's, would lie deeper than {MAX_LEVELS} levels. Move it first."
                )
                findings.error(Code.TOO_DEEP, 0, reason, row.id)
                continue
            if (row.depth, row.area) != (depth + 1, area):
                changes.append(
                    Change(
                        row.id,
                        row.parent_id,
                        area,
                        row.title,
                        row.icon,
                        row.kind,
                        row.position,
                        depth + 1,
                        row.source_key,
                        is_new_version=False,
                    )
                )
            waiting.append((row.id, (depth + 1, area)))
    return changes
