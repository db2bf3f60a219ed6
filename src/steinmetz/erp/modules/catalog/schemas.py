"""The catalogue as it looks from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from steinmetz.erp.kit.fields import Text, Version, unchanged
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.catalog.rules import MAX_ID, Kind

NodeId = Annotated[Text, Field(min_length=1, max_length=MAX_ID)]
Title = Annotated[Text, Field(min_length=1, max_length=200)]
Description = Annotated[Text, Field(max_length=2000)]
Icon = Annotated[Text, Field(max_length=16)]
Position = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class NodeView(Schema):
    """A node by itself; also the ``function`` of ``catalog:update``."""

    id: str
    parent_id: str | None
    area: str
    title: str
    description: str
    icon: str
    kind: Kind
    min_role: Role
    position: int
    depth: int
    updated_at: datetime
    version: int


class Step(Schema):
    """A node on the way to another."""

    id: str
    title: str


class NodeDetail(NodeView):
    """A node with the way to it and how many nodes lie directly below it, as far as the caller sees them."""

    trail: list[Step]
    """Its ancestors, the area first."""
    child_count: int


class ChildView(NodeView):
    child_count: int


class TreeNode(Schema):
    """A node in the tree; the deepest level asked for has no ``children``."""

    id: str
    parent_id: str | None
    title: str
    icon: str
    kind: Kind
    depth: int
    position: int
    version: int
    child_count: int
    children: list[TreeNode] | None = None


class MenuEntry(Schema):
    id: str
    title: str
    icon: str
    children: list[MenuEntry]


class Hit(Schema):
    """A node that was found, and where it lies."""

    id: str
    parent_id: str | None
    area: str
    title: str
    description: str
    icon: str
    kind: Kind
    version: int
    trail: list[Step]


class RulesView(Schema):
    document: dict[str, Any]
    loaded_at: datetime | None
    """Null for the rules of the house, which hold as long as no others were loaded."""


class FindingView(Schema):
    rule: str
    node_id: str
    message: str


class LintView(Schema):
    findings: list[FindingView]
    counts: dict[str, int]
    """Findings by rule, including those beyond the first thousand."""


class Reloaded(Schema):
    loaded_at: datetime


class Deleted(Schema):
    deleted: str
    nodes: int
    """How many there were, with all below."""


class NodeInput(Input):
    """A new node. Its id is made from its parent's and its title, once and for good."""

    model_config = example(
        parentId="finanzen",
        title="Liquiditätsplanung",
        description="Ein- und Auszahlungen der nächsten dreizehn Wochen",
        icon="💶",
        kind="group",
        minRole="manager",
    )

    parent_id: NodeId | None = None
    """Null for a new area."""
    title: Title
    description: Description = ""
    icon: Icon = ""
    kind: Kind = Kind.GROUP
    min_role: Role = Role.CLERK
    position: Position | None = None
    """Among its siblings; last if left out."""


class NodePatch(Input):
    """What is left out stays as it is."""

    model_config = example(version=2, title="Liquidität", minRole="clerk")

    version: Version
    title: Title = unchanged()
    description: Description = unchanged()
    icon: Icon = unchanged()
    kind: Kind = unchanged()
    min_role: Role = unchanged()


class NodeMove(Input):
    """Another place in the tree."""

    model_config = example(version=2, parentId="finanzen", position=0)

    version: Version
    parent_id: NodeId | None
    """Null to make it an area."""
    position: Position | None = None
    """Among its new siblings; last if left out."""
