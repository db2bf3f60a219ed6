"""Sight is by all ancestors."""

from __future__ import annotations

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.planning.visibility import visible_to
from tests.unit.erp.modules.catalog.planning.catalogues import Node


def test_sight_is_by_all_ancestors() -> None:
    nodes = [
        Node("a", None, "a"),
        Node("a/b", "a", "b", min_role=Role.ADMIN),
        Node("a/b/c", "a/b", "c"),
        Node("a/d", "a", "d"),
    ]
    is_visible = visible_to(lambda role: role is not Role.ADMIN, nodes)
    assert [is_visible(each.id) for each in nodes] == [True, False, False, True]
