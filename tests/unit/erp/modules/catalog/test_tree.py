"""The tree as a role sees it."""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.tree import grown, seen_by


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None = None
    min_role: Role = Role.CLERK
    depth: int = 0
    title: str = ""
    icon: str = ""
    kind: str = "group"
    position: int = 0
    version: int = 1


ROWS = [
    Node("a"),
    Node("b", min_role=Role.MANAGER),
    Node("a/1", "a", depth=1),
    Node("a/2", "a", Role.ADMIN, depth=1),
    Node("b/1", "b", depth=1),
    Node("a/1/x", "a/1", depth=2),
    Node("a/2/x", "a/2", depth=2),
]


def seen(role: Role) -> list[str]:
    return [row.id for row in seen_by(role, ROWS)]


def test_what_lies_below_an_unseen_node_is_not_there() -> None:
    assert seen(Role.CLERK) == ["a", "a/1", "a/1/x"]
    assert seen(Role.MANAGER) == seen(Role.AUDITOR) == ["a", "b", "a/1", "b/1", "a/1/x"]
    assert seen(Role.ADMIN) == [row.id for row in ROWS]


def test_one_level_counts_the_next() -> None:
    areas = grown(ROWS, 1)
    assert [(each["id"], each["childCount"]) for each in areas] == [("a", 2), ("b", 1)]
    assert all("children" not in each for each in areas)


def test_two_levels_nest_and_count_the_third() -> None:
    first, second = grown(ROWS, 2)
    assert [(each["id"], each["childCount"]) for each in first["children"]] == [("a/1", 1), ("a/2", 1)]
    assert [each["id"] for each in second["children"]] == ["b/1"]


def test_a_leaf_above_the_deepest_level_has_an_empty_list() -> None:
    leaf = grown(ROWS, 3)[1]["children"][0]
    assert (leaf["id"], leaf["children"], leaf["childCount"]) == ("b/1", [], 0)
