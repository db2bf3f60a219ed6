"""The tree of business functions: who sees what of it, and how it changes.

A node is seen by the roles that may read its ``min_role`` and those of all its ancestors; for everybody else it
does not exist. Sockets hear of a change by the same rule: those whose role sees the node are told what it is now,
those whose role saw it before and no longer does are told that it is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit import patches
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.kit.roles import Role, may_read
from steinmetz.erp.modules.catalog import lint, repository, rules, tree
from steinmetz.erp.modules.catalog.lint import Finding, LintRules, Report
from steinmetz.erp.modules.catalog.models import CatalogRules, FunctionNode
from steinmetz.erp.modules.catalog.schemas import (
    RELOAD,
    UPDATE,
    ChangedNode,
    ChildView,
    Deleted,
    GoneNode,
    Hit,
    NodeDetail,
    NodeInput,
    NodeMove,
    NodePatch,
    NodeView,
    Reloaded,
    RulesView,
    Step,
)
from steinmetz.erp.modules.system.service import audit

MENU_LEVELS = 2
MAX_PUSHED = 50
MAX_OFFSET = 10_000
"""Who has turned so many pages of a search wants other words."""

HOUSE_RULES: dict[str, Any] = {
    "version": 1,
    "locale": "de",
    "maxDepth": 6,
    "kinds": {"default": "group", "allowed": [kind.value for kind in rules.Kind]},
    "order": {"groupOverflowLimit": 12},
    "idPolicy": {"slug": {"maxLen": rules.MAX_STEP, "dedupe": True}, "idCase": "kebab"},
}
"""The rules of a catalogue that has none of its own."""


# Reading


async def levels(unit: Unit, count: int) -> list[dict[str, Any]]:
    """The upper ``count`` levels of the tree as the caller sees it; see `schemas.TreeNode`."""
    return await _levels(unit, count)


async def _levels(unit: Unit, count: int, *, versions: bool = True) -> list[dict[str, Any]]:
    rows: Any = await repository.rows_to_level(unit.session, count, versions=versions)
    return tree.grown(tree.seen_by(unit.actor.role, rows), count)


async def menu(unit: Unit) -> list[dict[str, Any]]:
    """Areas and their groups; see `schemas.MenuEntry`."""

    def entry(node: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": node["id"],
            "title": node["title"],
            "icon": node["icon"],
            "children": [entry(child) for child in node.get("children", ())],
        }

    return [entry(node) for node in await _levels(unit, MENU_LEVELS, versions=False)]


@dataclass(frozen=True, slots=True)
class Way:
    """The nodes from an area down to a node, both included."""

    steps: list[Step]
    min_roles: list[Role]

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who sees the node at its end."""
        return rules.roles_that_see(self.min_roles)


NOWHERE = Way([], [])
"""The way to what would lie above an area."""


async def _way(unit: Unit, node_id: str) -> Way | None:
    """None if there is no such node, or none that the caller sees."""
    found = (await repository.ways_to(unit.session, [node_id])).get(node_id, [])
    way = Way([Step(id=step_id, title=title) for step_id, title, _ in found], [role for *_, role in found])
    return way if found and unit.actor.role in way.roles else None


async def node(unit: Unit, node_id: str) -> NodeDetail:
    """Raises `NotFound`, also for a node that the caller's role does not see."""
    way = await _way(unit, node_id)
    found = await repository.node(unit.session, node_id)
    if way is None or found is None:
        raise NotFound("function", node_id)
    counts = await repository.child_counts(unit.session, [node_id], unit.actor.role)
    own = NodeView.model_validate(found)
    return NodeDetail(**dict(own), trail=way.steps[:-1], child_count=counts.get(node_id, 0))


async def children(unit: Unit, node_id: str) -> list[ChildView]:
    """The nodes directly below, in order. Raises `NotFound`."""
    if await _way(unit, node_id) is None:
        raise NotFound("function", node_id)
    found = await repository.children(unit.session, node_id, unit.actor.role)
    counts = await repository.child_counts(unit.session, [each.id for each in found], unit.actor.role)
    return [ChildView(**dict(NodeView.model_validate(each)), child_count=counts.get(each.id, 0)) for each in found]


async def search(unit: Unit, text: str, paging: PageQuery) -> tuple[list[Hit], str | None, int]:
    """Nodes that hold a word beginning with each word of ``text``, the best first; next cursor; total."""
    words = rules.search_words(text)
    if not words:
        return [], None, 0
    place = paging.after(int)
    offset = min(max(place[0], 0), MAX_OFFSET) if place else 0
    rows, total = await repository.search(unit.session, words, unit.actor.role, offset=offset, limit=paging.limit)
    ways = await repository.ways_to(unit.session, [row.id for row in rows])
    hits = [
        Hit(
            **row._mapping,
            trail=[Step(id=step_id, title=title) for step_id, title, _ in ways.get(row.id, [])[:-1]],
        )
        for row in rows
    ]
    end = offset + len(rows)
    return hits, encode_cursor(end) if end < total and end <= MAX_OFFSET else None, total


async def rules_document(unit: Unit) -> RulesView:
    found = await repository.rules(unit.session)
    if found is None:
        return RulesView(document=HOUSE_RULES, loaded_at=None)
    return RulesView.model_validate(found)


async def findings(unit: Unit) -> Report:
    """What is wrong with the nodes that the caller sees, and what was with them in the files that they came from.

    Raises `Unprocessable` for rules that make no sense."""
    held_against = _lint_rules((await rules_document(unit)).document)
    rows: Any = await repository.every_row(unit.session)
    seen = list(tree.seen_by(unit.actor.role, rows))
    report = lint.lint(seen, held_against)
    ids = {row.id for row in seen}
    for name, of_file in await repository.source_findings(unit.session):
        for each in of_file:
            if each["nodeId"] in ids:
                place = f"{name}, line {each['line']}" if each["line"] else name
                report.add(Finding(each["code"], each["nodeId"], f"{place}: {each['reason']}"))
    return report


def _lint_rules(document: dict[str, Any]) -> LintRules:
    try:
        return LintRules.of(document)
    except ValueError as error:
        raise Unprocessable(f"The rules document cannot be used: {error}.", "document") from None


# Changing


async def create(unit: Unit, data: NodeInput) -> NodeView:
    """A new node. Raises `Unprocessable`."""
    await repository.lock_tree(unit.session)
    _require_own(unit, data.min_role)
    above = await _place_below(unit, data.parent_id, height=1)
    parent_id = data.parent_id
    naming = _lint_rules((await rules_document(unit)).document).naming
    taken = await repository.ids_beginning(unit.session, rules.id_stem(parent_id, data.title, naming))
    node_id = rules.node_id(parent_id, data.title, taken, naming)
    if node_id is None:
        raise Unprocessable("The ids on the way to it are so long that there is no room for another.", "parentId")
    position, pushed = await repository.make_room(unit.session, parent_id, data.position)
    created = FunctionNode(
        id=node_id,
        area=await _area_below(unit, parent_id, node_id),
        depth=len(above.steps),
        updated_at=unit.now,
        **data.model_dump(exclude={"position"}),
        position=position,
    )
    unit.session.add(created)
    await unit.session.flush()
    view = NodeView.model_validate(created)
    told = _told(created) | _pushed(pushed)
    audit.record(unit, "function.create", "function", node_id, created.title, after=told)
    _announce(unit, view, before=(), after=rules.roles_that_see([*above.min_roles, created.min_role]))
    _announce_pushed(unit, pushed, above)
    return view


def _require_own(unit: Unit, min_role: Role) -> None:
    if not may_read(unit.actor.role, min_role):
        raise Unprocessable(f"You could not see it yourself if it asked for the role {min_role}.", "minRole")


async def _place_below(unit: Unit, parent_id: str | None, *, height: int) -> Way:
    """The way to a parent below which ``height`` levels shall lie. Raises `Unprocessable`."""
    way = NOWHERE if parent_id is None else await _way(unit, parent_id)
    if way is None:
        raise Unprocessable(f"There is no function {parent_id}.", "parentId")
    if len(way.steps) + height > rules.MAX_LEVELS:
        raise Unprocessable(f"The tree has at most {rules.MAX_LEVELS} levels.", "parentId")
    return way


async def _area_below(unit: Unit, parent_id: str | None, node_id: str) -> str:
    parent = None if parent_id is None else await repository.node(unit.session, parent_id)
    return rules.area_of_root(node_id) if parent is None else parent.area


def _announce(unit: Unit, view: NodeView, *, before: tuple[Role, ...], after: tuple[Role, ...]) -> None:
    """Tell those who see the node what it is now, and those who saw it before and no longer do that it is gone."""
    if after:
        unit.publish(announcement(UPDATE, ChangedNode(function=view), _rooms(after)))
    if gone := tuple(role for role in before if role not in after):
        unit.publish(announcement(UPDATE, GoneNode(deleted=view.id), _rooms(gone)))


def _announce_pushed(unit: Unit, pushed: Sequence[FunctionNode], above: Way) -> None:
    """Siblings that made room have another position now; if they are many, everybody reads the tree again."""
    if len(pushed) > MAX_PUSHED:
        unit.publish(announcement(RELOAD, Reloaded(loaded_at=unit.now)))
        return
    for sibling in pushed:
        seen_by = rules.roles_that_see([*above.min_roles, sibling.min_role])
        _announce(unit, NodeView.model_validate(sibling), before=(), after=seen_by)


def _rooms(roles: tuple[Role, ...]) -> tuple[str, ...]:
    return tuple(f"role:{role}" for role in roles)


async def _to_change(unit: Unit, node_id: str, version: int) -> tuple[FunctionNode, Way]:
    """The node, locked, as the caller has read it, and the way to it. Raises `NotFound`, `Conflict`."""
    found = await repository.node_to_change(unit.session, node_id)
    way = await _way(unit, node_id)
    if found is None or way is None:
        raise NotFound("function", node_id)
    if found.version != version:
        raise _conflict(found, "The function was changed meanwhile.")
    return found, way


def _told(node: FunctionNode) -> dict[str, Any]:
    """The node as it stands, for the audit log; version and instant are bookkeeping."""
    return NodeView.model_validate(node).model_dump(mode="json", by_alias=True, exclude={"version", "updated_at"})


def _pushed(siblings: Sequence[FunctionNode]) -> dict[str, Any]:
    """For the audit log: how many siblings made room, and have another position now."""
    return {"pushed": len(siblings)} if siblings else {}


def _conflict(current: FunctionNode, detail: str) -> Conflict:
    return Conflict(detail, NodeView.model_validate(current).model_dump(mode="json", by_alias=True))


async def change(unit: Unit, node_id: str, patch: NodePatch) -> NodeView:
    """Change what the patch names; the id stays. Raises `NotFound`, `Conflict`, `Unprocessable`."""
    await repository.lock_tree(unit.session)  # a move meanwhile would change who sees it
    changed, way = await _to_change(unit, node_id, patch.version)
    wanted = patches.wanted_by(patch)
    if "min_role" in wanted:
        _require_own(unit, wanted["min_role"])
    before = _told(changed)
    if not patches.differing(changed, wanted):
        return NodeView.model_validate(changed)
    patches.apply(changed, wanted)
    changed.updated_at = unit.now
    await unit.session.flush()
    view = NodeView.model_validate(changed)
    differences = audit.differences(before, _told(changed))
    audit.record(unit, "function.change", "function", node_id, changed.title, *differences)
    seen_now = rules.roles_that_see([*way.min_roles[:-1], changed.min_role])
    _announce(unit, view, before=way.roles, after=seen_now)
    return view


async def move(unit: Unit, node_id: str, data: NodeMove) -> NodeView:
    """Give a node, with all below it, another parent; its id stays.

    Raises `NotFound`, `Conflict`, `Unprocessable` (also for a parent that lies below the node).
    """
    await repository.lock_tree(unit.session)
    moved, way = await _to_change(unit, node_id, data.version)
    subtree = await repository.below(unit.session, node_id)
    ids = {row.id for row in subtree}
    if data.parent_id in ids:
        raise Unprocessable("A function cannot lie below itself.", "parentId")
    height = max(row.depth for row in subtree) - moved.depth + 1
    above = await _place_below(unit, data.parent_id, height=height)
    before = _told(moved)
    area = await _area_below(unit, data.parent_id, node_id)
    position, pushed = await repository.make_room(unit.session, data.parent_id, data.position)
    await repository.lower(unit.session, ids - {node_id}, len(above.steps) - moved.depth, area)
    moved.parent_id, moved.position = data.parent_id, position
    moved.depth, moved.area = len(above.steps), area
    moved.updated_at = unit.now
    await unit.session.flush()
    view = NodeView.model_validate(moved)
    told = _told(moved) | _pushed([each for each in pushed if each is not moved])
    audit.record(unit, "function.move", "function", node_id, moved.title, *audit.differences(before, told))
    _announce(unit, view, before=way.roles, after=rules.roles_that_see([*above.min_roles, moved.min_role]))
    _announce_pushed(unit, [each for each in pushed if each is not moved], above)
    return view


async def delete(unit: Unit, node_id: str, version: int, *, with_below: bool, dry_run: bool = False) -> Deleted:
    """Delete a node, and with ``with_below`` everything below it. Raises `NotFound`, `Conflict`, `Forbidden`.

    ``dry_run`` deletes nothing: it says how many it would be, or raises why not.
    """
    await repository.lock_tree(unit.session)
    doomed, way = await _to_change(unit, node_id, version)
    subtree = await repository.below(unit.session, node_id)
    if len(subtree) > 1 and not with_below:
        raise _conflict(doomed, f"{len(subtree) - 1} functions lie below it: delete with recursive=true.")
    for row in subtree:
        if not may_read(unit.actor.role, row.min_role):
            raise Forbidden(row.min_role, f"Something below it needs the role {row.min_role}.")
    if dry_run:
        return Deleted(deleted=node_id, nodes=len(subtree))
    before = _told(doomed) | {"nodes": len(subtree)}
    await repository.delete(unit.session, doomed)
    audit.record(unit, "function.delete", "function", node_id, doomed.title, before=before)
    unit.publish(announcement(UPDATE, GoneNode(deleted=node_id), _rooms(way.roles)))
    return Deleted(deleted=node_id, nodes=len(subtree))


async def reload(unit: Unit) -> Reloaded:
    """Check the rules document, put it in force anew, and tell everybody to read the catalogue again.

    Raises `Unprocessable` for a document that makes no sense.
    """
    found = await repository.rules_to_change(unit.session)
    if found is None:
        found = CatalogRules(id=repository.RULES_ID, document=HOUSE_RULES, loaded_at=unit.now)
        unit.session.add(found)
    _lint_rules(found.document)
    before = {"loadedAt": found.loaded_at}
    found.loaded_at = unit.now
    await unit.session.flush()
    audit.record(unit, "catalog.reload", "catalog", repository.RULES_ID, "", before, {"loadedAt": unit.now})
    reloaded = Reloaded(loaded_at=unit.now)
    unit.publish(announcement(RELOAD, reloaded))
    return reloaded
