"""The catalogue is held against its own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from steinmetz.erp.modules.catalog.lint import MAX_FINDINGS, LintRules, lint
from steinmetz.erp.modules.catalog.rules import Kind, Naming


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None = None
    title: str = "Titel"
    description: str = ""
    icon: str = ""
    kind: Kind = Kind.GROUP
    depth: int = 0


def broken(rules: LintRules, *nodes: Node) -> list[tuple[str, str]]:
    return [(finding.rule, finding.node_id) for finding in lint(nodes, rules).findings]


RULES = LintRules(max_levels=2, max_children=2, max_step=5)


def test_a_tidy_tree_has_no_findings() -> None:
    assert broken(RULES, Node("a"), Node("a/1", "a", "Eins", depth=1), Node("a/2", "a", "Zwei", depth=1)) == []


@pytest.mark.parametrize(
    ("rules", "node", "rule"),
    [
        (LintRules(allowed_kinds=frozenset({"group"})), Node("a", kind=Kind.REPORT), "kind"),
        (RULES, Node("a/b/c", "a/b", depth=2), "depth"),
        (RULES, Node("a/laenger", "a"), "step"),
        (RULES, Node("a", title="Zwei  Wörter"), "title"),
        (LintRules(described_kinds=frozenset({"report"})), Node("a", kind=Kind.REPORT), "description"),
    ],
)
def test_a_node_that_breaks_a_rule_is_found(rules: LintRules, node: Node, rule: str) -> None:
    assert broken(rules, node) == [(rule, node.id)]


BY_ICON = LintRules(kind_of_icon={"🎯": Kind.WORKFLOW}, leaf_is_item=True, ascii_only=True)


@pytest.mark.parametrize(
    ("node", "rules_broken"),
    [
        (Node("a", icon="🎯", kind=Kind.CATEGORY), []),  # of an area, the icon says nothing
        (Node("a/b", "a", icon="🎯", kind=Kind.ITEM, depth=1), ["icon"]),
        (Node("a/b", "a", icon="🎯️", kind=Kind.WORKFLOW, depth=1), []),
        (Node("a/日", "a", kind=Kind.ITEM, depth=1), ["ascii"]),
        (Node("a/b", "a", kind=Kind.GROUP, depth=1), ["leaf"]),
    ],
)
def test_kinds_by_icon_and_ids_in_ascii_if_the_rules_ask_for_them(node: Node, rules_broken: list[str]) -> None:
    assert [rule for rule, _ in broken(BY_ICON, node)] == rules_broken


def test_twins_are_found_among_siblings_only() -> None:
    nodes = [Node("a", title="Lager"), Node("b", title="LAGER"), Node("a/c", "a", title="Lager")]
    assert broken(RULES, *nodes) == [("twin", "b")]


def test_crowds_and_items_with_children_are_found() -> None:
    below = [Node(f"a/{number}", "a", str(number), depth=1) for number in range(3)]
    assert broken(RULES, Node("a", kind=Kind.ITEM), *below) == [("crowd", "a"), ("item", "a")]


def test_findings_are_bounded_and_all_counted() -> None:
    report = lint((Node(f"n{number}", title=f"{number} ") for number in range(MAX_FINDINGS + 5)), RULES)
    assert len(report.findings) == MAX_FINDINGS
    assert report.counts == {"title": MAX_FINDINGS + 5}


def test_rules_are_read_from_their_document() -> None:
    document: dict[str, Any] = {
        "maxDepth": 4,
        "order": {"groupOverflowLimit": 3},
        "idPolicy": {"slug": {"maxLen": 10}},
        "kinds": {"allowed": ["group"]},
        "validation": {"requireMetaForKinds": ["report"]},
        "pii": {"whatever": True},
    }
    assert LintRules.of(document) == LintRules(4, 3, 10, frozenset({"group"}), frozenset({"report"}))
    assert LintRules.of({}) == LintRules()


def test_what_nodes_are_made_by_is_read_from_the_document() -> None:
    document: dict[str, Any] = {
        "itemIfNoChildren": True,
        "emojiKindMap": {"🏛️": "record", "🎯": "workflow"},
        "idPolicy": {"preferExplicitId": False, "slug": {"asciiOnly": True, "maxLen": 3}},
        "kinds": {"default": "dataset", "allowed": ["dataset", "workflow", "record"]},
        "order": {"strategy": "weightThenAlpha"},
    }
    assert LintRules.of(document).kind_of_icon == {}
    rules = LintRules.of({**document, "emojiAsKind": True})
    assert rules.kind_by_icon("🏛") is rules.kind_by_icon("🏛️") is Kind.RECORD
    assert rules.kind_of("🎯", is_area=False, is_leaf=True) is Kind.WORKFLOW
    assert rules.kind_of("🎯", is_area=True, is_leaf=False) is Kind.DATASET  # categories are not allowed
    assert rules.kind_of("", is_area=False, is_leaf=True) is Kind.DATASET  # nor are items
    assert (rules.sorts, rules.explicit_ids) == (True, False)
    assert rules.naming == Naming(max_step=8, ascii_only=True)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"maxDepth": "viele"}, "maxDepth"),
        ({"maxDepth": 0}, "maxDepth"),
        ({"order": []}, "order.groupOverflowLimit"),
        ({"kinds": {"allowed": "group"}}, "kinds.allowed"),
    ],
)
def test_rules_that_make_no_sense_are_named(document: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LintRules.of(document)
