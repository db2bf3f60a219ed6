from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.lint import LintRules, lint
from steinmetz.erp.modules.catalog.rules import MAX_ID, Kind, slug
from steinmetz.erp.seed.catalogue import RULES, catalogue
from steinmetz.erp.seed.rows import CatalogRulesRow, FunctionNodeRow

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def nodes() -> list[FunctionNodeRow]:
    return [row for row in catalogue(11, NOW) if isinstance(row, FunctionNodeRow)]


def test_ten_thousand_nodes_over_eleven_areas(nodes: list[FunctionNodeRow]) -> None:
    areas = [node for node in nodes if node.parent_id is None]

    assert len(nodes) >= 15_000
    assert len(areas) == 11
    assert {node.area for node in nodes} == {area.id for area in areas}
    assert all(area.kind is Kind.CATEGORY and area.icon for area in areas)


def test_parents_come_first_and_ids_are_slugs_of_the_path(nodes: list[FunctionNodeRow]) -> None:
    seen: dict[str, FunctionNodeRow] = {}
    for node in nodes:
        assert node.id not in seen
        assert len(node.id) <= MAX_ID
        if node.parent_id is None:
            assert (node.id, node.depth) == (slug(node.title), 0)
        else:
            assert node.id == f"{node.parent_id}/{slug(node.title)}"
            assert node.depth == seen[node.parent_id].depth + 1
        seen[node.id] = node


def test_the_tree_obeys_its_own_rules(nodes: list[FunctionNodeRow]) -> None:
    assert lint(nodes, LintRules.of(RULES)).findings == []


def test_siblings_are_numbered_and_every_kind_occurs(nodes: list[FunctionNodeRow]) -> None:
    children = defaultdict(list)
    for node in nodes:
        children[node.parent_id].append(node)

    assert max(node.depth for node in nodes) + 1 == RULES["maxDepth"] == 6
    assert {str(node.kind) for node in nodes} == set(RULES["kinds"]["allowed"])
    for siblings in children.values():
        assert [node.position for node in siblings] == list(range(len(siblings)))


def test_some_branches_are_for_some_roles_only(nodes: list[FunctionNodeRow]) -> None:
    restricted = {node.title: node.min_role for node in nodes if node.min_role is not Role.CLERK}

    assert restricted["Benutzer und Rechte"] is Role.ADMIN
    assert restricted["Entgelt"] is Role.MANAGER
    assert restricted["Revision"] is Role.AUDITOR


def test_fewer_areas_are_the_first_ones_unchanged(nodes: list[FunctionNodeRow]) -> None:
    fewer = [row for row in catalogue(2, NOW) if isinstance(row, FunctionNodeRow)]

    assert fewer == nodes[: len(fewer)]
    assert {node.area for node in fewer} == {"dashboard", "vertrieb"}


def test_the_rules_document_comes_along() -> None:
    *_, last = catalogue(1, NOW)

    assert last == CatalogRulesRow(1, RULES, NOW)
