"""What is wrong with the catalogue by its own rules document; pure. Findings are told, nothing is mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from steinmetz.erp.modules.catalog.rules import MAX_STEP, Kind

MAX_FINDINGS = 1_000
"""Of each rule; the rest is counted."""


class Linted(Protocol):
    """What is looked at of a node."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def depth(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LintRules:
    """The parts of the rules document that a tree can be held against."""

    max_levels: int = 6
    max_children: int = 12
    max_step: int = MAX_STEP
    allowed_kinds: frozenset[str] = frozenset(Kind)
    described_kinds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, document: dict[str, Any]) -> LintRules:
        """From the document's ``maxDepth``, ``order.groupOverflowLimit``, ``idPolicy.slug.maxLen``,
        ``kinds.allowed`` and ``validation.requireMetaForKinds``; what it does not say has a default.

        Raises `ValueError` naming a part that cannot be used.
        """
        return cls(
            max_levels=_number(document, 6, "maxDepth"),
            max_children=_number(document, 12, "order", "groupOverflowLimit"),
            max_step=_number(document, MAX_STEP, "idPolicy", "slug", "maxLen"),
            allowed_kinds=_words(document, frozenset(Kind), "kinds", "allowed"),
            described_kinds=_words(document, frozenset(), "validation", "requireMetaForKinds"),
        )


def _part(document: dict[str, Any], path: Sequence[str]) -> Any:
    part: Any = document
    for step in path:
        if not isinstance(part, dict):
            raise ValueError(f"{'.'.join(path)}: {step} is sought in what is not an object")
        if step not in part:
            return None
        part = part[step]
    return part


def _number(document: dict[str, Any], default: int, *path: str) -> int:
    part = _part(document, path)
    if part is None:
        return default
    if type(part) is not int or part < 1:
        raise ValueError(f"{'.'.join(path)} is a whole number from 1, not {part!r}")
    return part


def _words(document: dict[str, Any], default: frozenset[str], *path: str) -> frozenset[str]:
    part = _part(document, path)
    if part is None:
        return default
    if not isinstance(part, list) or not all(isinstance(word, str) for word in part):
        raise ValueError(f"{'.'.join(path)} is a list of words, not {part!r}")
    return frozenset(part)


@dataclass(frozen=True, slots=True)
class Finding:
    """A node that breaks a rule."""

    rule: str
    node_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    findings: list[Finding]
    counts: dict[str, int]
    """Findings by rule, those beyond `MAX_FINDINGS` included."""


def lint(nodes: Iterable[Linted], rules: LintRules) -> Report:
    """Hold every node against ``rules``; parents come before their children."""
    findings: list[Finding] = []
    counts: Counter[str] = Counter()

    def find(rule: str, node_id: str, message: str) -> None:
        counts[rule] += 1
        if counts[rule] <= MAX_FINDINGS:
            findings.append(Finding(rule, node_id, message))

    children: Counter[str] = Counter()
    first_so_titled: dict[tuple[str | None, str], str] = {}
    kind_of: dict[str, Kind] = {}
    for node in nodes:
        kind_of[node.id] = node.kind
        step = node.id.rpartition("/")[2]
        if node.kind not in rules.allowed_kinds:
            find("kind", node.id, f"The kind {node.kind} is not among those allowed.")
        if node.depth >= rules.max_levels:
            find("depth", node.id, f"It lies on level {node.depth + 1}; {rules.max_levels} are allowed.")
        if len(step) > rules.max_step:
            find("step", node.id, f"The last step of its id has {len(step)} characters, not {rules.max_step}.")
        if node.title != " ".join(node.title.split()):
            find("title", node.id, "Its title has superfluous blanks.")
        if node.kind in rules.described_kinds and not node.description:
            find("description", node.id, f"A {node.kind} needs a description.")
        twin = first_so_titled.setdefault((node.parent_id, node.title.casefold()), node.id)
        if twin != node.id:
            find("twin", node.id, f"{twin} beside it has the same title.")
        if node.parent_id is not None:
            children[node.parent_id] += 1
    for parent_id, count in children.items():
        if count > rules.max_children:
            find("crowd", parent_id, f"{count} nodes lie directly below it; {rules.max_children} are allowed.")
        if kind_of.get(parent_id) is Kind.ITEM:
            find("item", parent_id, f"It is an item, and {count} nodes lie below it.")
    return Report(findings, dict(counts))
