"""The catalogue is held against its own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from steinmetz.erp.modules.catalog.lint import MAX_FINDINGS, LintRules, lint
from steinmetz.erp.modules.catalog.rules import Kind


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None = None
    title: str = "Titel"
    description: str = ""
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
