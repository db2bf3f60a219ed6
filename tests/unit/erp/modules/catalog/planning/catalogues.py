"""A catalogue that takes files in, in memory: what the tests of planning change and look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.jsonl import read_jsonl
from steinmetz.erp.modules.catalog.formats.markdown import read_markdown
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.planning.changes import Plan
from steinmetz.erp.modules.catalog.planning.plan import plan, wanted_of
from steinmetz.erp.modules.catalog.rules import Kind
from tests.unit.erp.modules.catalog.formats.trees import Tree, drawn

FILE = "_7_Lager.md"

STOCK = ("Lager", ".Bestand", "..Artikel", "..Zählung", ".Versand", "..Ausgang")


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None
    title: str
    area: str = "lager"
    icon: str = ""
    kind: Kind = Kind.GROUP
    min_role: Role = Role.CLERK
    position: int = 0
    depth: int = 0
    source: str | None = None
    source_key: str | None = None
    version: int = 1


class Catalogue:
    """A stored catalogue, and what each import has found."""

    def __init__(self, *nodes: Node, rules: LintRules | None = None) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.rules = rules or LintRules()
        self.findings = Findings()

    def take(self, text: str, name: str = FILE) -> Plan:
        """Import a file whose lines are indented by blanks, or JSONL."""
        self.findings = Findings()
        read = read_jsonl if name.endswith(".jsonl") else read_markdown
        outline = read(name, text.encode(), self.findings)
        assert self.findings.first_error is None, self.findings.first_error
        wanted = wanted_of(outline, self.rules)
        made = plan(name, wanted, list(self.nodes.values()), self.rules, self.findings)
        if self.findings.first_error is None:
            self._apply(made, name)
        return made

    def _apply(self, made: Plan, name: str) -> None:
        for each in made.created:
            assert each.id not in self.nodes
            assert each.parent_id is None or each.parent_id in self.nodes, "parents come first"
            self.nodes[each.id] = Node(
                each.id, each.parent_id, each.entry.title, each.area, each.entry.icon, each.kind,
                position=each.position, depth=each.entry.depth, source=name, source_key=each.key,
            )  # fmt: skip
        for change in made.changes:
            before = self.nodes[change.id]
            self.nodes[change.id] = replace(
                before, parent_id=change.parent_id, area=change.area, title=change.title, icon=change.icon,
                kind=change.kind, position=change.position, depth=change.depth, source_key=change.source_key,
                version=before.version + change.is_new_version,
            )  # fmt: skip
        doomed = set(made.deleted)
        assert all(node.id in doomed for node in self.nodes.values() if node.parent_id in doomed)
        for node_id in made.deleted:
            del self.nodes[node_id]

    def change(self, node_id: str, **values: Any) -> None:
        """By hand."""
        self.nodes[node_id] = replace(self.nodes[node_id], **values)

    def add(self, node_id: str, parent_id: str, **values: Any) -> None:
        """By hand."""
        above = self.nodes[parent_id]
        self.nodes[node_id] = Node(node_id, parent_id, node_id, above.area, depth=above.depth + 1, **values)

    def shape(self, name: str | None = FILE) -> list[Tree]:
        """What the file of this name has made (None: all), in the order in which it is shown."""

        def below(parent_id: str | None) -> tuple[Tree, ...]:
            children = [node for node in self.nodes.values() if node.parent_id == parent_id]
            children = [node for node in children if name is None or node.source == name]
            children.sort(key=lambda node: (node.position, node.id))
            return tuple(Tree(node.icon, node.title, below(node.id)) for node in children)

        return list(below(None))

    def by_hand(self) -> dict[str, tuple[str | None, str, int]]:
        made = (node for node in self.nodes.values() if node.source is None)
        return {node.id: (node.parent_id, node.title, node.version) for node in made}

    def ids(self) -> set[str]:
        return set(self.nodes)

    def codes(self) -> list[Code]:
        return [each.code for each in self.findings.shown]


def counts(made: Plan) -> tuple[int, int, int, int, int]:
    """Created, changed, moved, pushed, deleted."""
    return len(made.created), len(made.changed), len(made.moved), len(made.pushed), len(made.deleted)


def tree(*lines: str) -> str:
    """``.`` per level below the heading: "Lager", ".Bestand", "..Artikel"."""

    def grown(at: int, level: int) -> tuple[tuple[Tree, ...], int]:
        found = []
        while at < len(lines) and len(lines[at]) - len(lines[at].lstrip(".")) == level:
            title = lines[at].lstrip(".")
            below, at = grown(at + 1, level + 1)
            found.append(Tree("", title, below))
        return tuple(found), at

    return "".join(drawn(area) for area in grown(0, 0)[0])
