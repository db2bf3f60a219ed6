"""The rules document, and what is wrong with the catalogue by it; pure. Findings are told, nothing is mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from steinmetz.erp.modules.catalog.rules import MAX_STEP, MIN_STEP, Kind, Naming

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
    def icon(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def depth(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LintRules:
    """The parts of the rules document that nodes are made by and a tree can be held against."""

    max_levels: int = 6
    max_children: int = 12
    max_step: int = MAX_STEP
    allowed_kinds: frozenset[str] = frozenset(Kind)
    described_kinds: frozenset[str] = frozenset()
    default_kind: Kind = Kind.GROUP
    kind_of_icon: Mapping[str, Kind] = field(default_factory=dict)
    """Icons without variation selectors; empty unless ``emojiAsKind`` is true."""
    leaf_is_item: bool = False
    ascii_only: bool = False
    explicit_ids: bool = True
    """An id that a file gives a node is taken."""
    sorts: bool = False
    """It asks for another order than that of the file: by weight, then by title."""

    @classmethod
    def of(cls, document: dict[str, Any]) -> LintRules:
        """From the document's ``maxDepth``, ``itemIfNoChildren``, ``emojiAsKind``, ``emojiKindMap``, ``order``
        (``groupOverflowLimit``, ``strategy``), ``idPolicy`` (``preferExplicitId``, ``slug.maxLen``,
        ``slug.asciiOnly``), ``kinds`` (``allowed``, ``default``) and ``validation.requireMetaForKinds``; what it
        does not say has a default.

        Raises `ValueError` naming a part that cannot be used.
        """
        return cls(
            max_levels=_number(document, 6, "maxDepth"),
            max_children=_number(document, 12, "order", "groupOverflowLimit"),
            max_step=_number(document, MAX_STEP, "idPolicy", "slug", "maxLen"),
            allowed_kinds=_words(document, frozenset(Kind), "kinds", "allowed"),
            described_kinds=_words(document, frozenset(), "validation", "requireMetaForKinds"),
            default_kind=_kind(_part(document, ("kinds", "default")), "kinds.default") or Kind.GROUP,
            kind_of_icon=_kind_of_icon(document) if _flag(document, False, "emojiAsKind") else {},
            leaf_is_item=_flag(document, False, "itemIfNoChildren"),
            ascii_only=_flag(document, False, "idPolicy", "slug", "asciiOnly"),
            explicit_ids=_flag(document, True, "idPolicy", "preferExplicitId"),
            sorts=_part(document, ("order", "strategy")) not in (None, "position"),
        )

    @property
    def naming(self) -> Naming:
        return Naming(min(max(self.max_step, MIN_STEP), MAX_STEP), self.ascii_only)

    def kind_by_icon(self, icon: str) -> Kind | None:
        return self.kind_of_icon.get(without_selectors(icon)) if icon else None

    def kind_of(self, icon: str, *, is_area: bool, is_leaf: bool) -> Kind:
        """The kind of a node of which nobody has said it."""
        if is_area:
            wanted = Kind.CATEGORY
        elif (by_icon := self.kind_by_icon(icon)) is not None:
            wanted = by_icon
        else:
            wanted = Kind.ITEM if is_leaf and self.leaf_is_item else self.default_kind
        return wanted if wanted in self.allowed_kinds else self.default_kind


def without_selectors(icon: str) -> str:
    """Icons are compared so: whether ⚙ or ⚙️ is written depends on the keyboard."""
    return icon.replace("\ufe0f", "").replace("\ufe0e", "")


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


def _flag(document: dict[str, Any], default: bool, *path: str) -> bool:
    part = _part(document, path)
    if part is None:
        return default
    if not isinstance(part, bool):
        raise ValueError(f"{'.'.join(path)} is true or false, not {part!r}")
    return part


def _kind(word: Any, where: str) -> Kind | None:
    if word is None:
        return None
    if not isinstance(word, str) or word not in set(Kind):
        raise ValueError(f"{where} is one of {', '.join(Kind)}, not {word!r}")
    return Kind(word)


def _kind_of_icon(document: dict[str, Any]) -> dict[str, Kind]:
    part = _part(document, ("emojiKindMap",))
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise ValueError(f"emojiKindMap is an object, not {part!r}")
    found = {without_selectors(icon): _kind(word, f"emojiKindMap.{icon}") for icon, word in part.items()}
    return {icon: kind for icon, kind in found.items() if kind is not None}


@dataclass(frozen=True, slots=True)
class Finding:
    """A node that breaks a rule."""

    rule: str
    node_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Findings by rule, those beyond `MAX_FINDINGS` included."""

    def add(self, finding: Finding) -> None:
        self.counts[finding.rule] += 1
        if self.counts[finding.rule] <= MAX_FINDINGS:
            self.findings.append(finding)


def lint(nodes: Iterable[Linted], rules: LintRules) -> Report:
    """Hold every node against ``rules``; parents come before their children."""
    report = Report()

    def find(rule: str, node_id: str, message: str) -> None:
        report.add(Finding(rule, node_id, message))

    children: Counter[str] = Counter()
    first_so_titled: dict[tuple[str | None, str], str] = {}
    kind_of: dict[str, Kind] = {}
    for node in nodes:
        kind_of[node.id] = node.kind
        step = node.id.rpartition("/")[2]
        if node.kind not in rules.allowed_kinds:
            find("kind", node.id, f"The kind {node.kind} is not among those allowed.")
        if node.depth and (by_icon := rules.kind_by_icon(node.icon)) not in (None, node.kind):
            find("icon", node.id, f"Its icon stands for the kind {by_icon}; it is a {node.kind}.")
        if node.depth >= rules.max_levels:
            find("depth", node.id, f"It lies on level {node.depth + 1}; {rules.max_levels} are allowed.")
        if len(step) > rules.max_step:
            find("step", node.id, f"The last step of its id has {len(step)} characters, not {rules.max_step}.")
        if rules.ascii_only and not step.isascii():
            find("ascii", node.id, "The last step of its id holds letters that are not ASCII.")
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
    if rules.leaf_is_item:
        for node_id, kind in kind_of.items():
            if kind is rules.default_kind and kind is not Kind.ITEM and not children[node_id]:
                find("leaf", node_id, f"Nothing lies below it, so it should be an item; it is a {kind}.")
    return report
