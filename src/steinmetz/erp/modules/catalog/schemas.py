"""The catalogue as it looks from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from steinmetz.erp.kit.fields import Text, Version, unchanged
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.catalog.formats.findings import Code, Severity
from steinmetz.erp.modules.catalog.formats.lines import MAX_FILE_BYTES
from steinmetz.erp.modules.catalog.formats.reading import Format
from steinmetz.erp.modules.catalog.rules import MAX_ID, Kind
from steinmetz.realtime import Event
from steinmetz.realtime.events import EVERYBODY

NodeId = Annotated[Text, Field(min_length=1, max_length=MAX_ID)]
Title = Annotated[Text, Field(min_length=1, max_length=200)]
Description = Annotated[Text, Field(max_length=2000)]
Icon = Annotated[Text, Field(max_length=16)]
MAX_NAME = 200
MAX_FILES = 50
"""Of one import over HTTP."""
IMPORT_EXAMPLE = {"name": "_7_Lager.md", "text": "## 📦 Lager\n\n├── 🏷️ Bestand\n└── 🚚 Versand\n"}

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
    source: str | None
    """The file that made it; an import of that file gives it the file's title, icon, kind and place again."""
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


class ImportFindingView(Schema):
    """An odd place of a file; docs/howto/import-a-catalogue.md explains each ``code``."""

    code: Code
    severity: Severity
    line: int
    """From 1; 0 is the file as a whole."""
    reason: str
    text: str
    """What stands there, shortened."""
    node_id: str | None


class FileReport(Schema):
    """What became of a file, or would become of it in a dry run. Of a refused one, nothing."""

    name: str
    format: Format
    nodes: int
    malformed: int = 0
    """Malformed branches; each is a finding, and its title a node."""
    created: int = 0
    changed: int = 0
    """Nodes with another title, icon or kind; of a rules file 1 if it puts other rules in force."""
    moved: int = 0
    """Nodes with another parent, or another place among their siblings."""
    deleted: int = 0
    kept: int = 0
    """Nodes that are no more in the file, and stay for what others have put below them."""
    ids: dict[str, list[str]] = Field(default_factory=dict)
    """The first hundred ids of each kind of change."""
    refused: ImportFindingView | None = None
    """The first error; the file has changed nothing."""
    findings: list[ImportFindingView] = Field(default_factory=list)
    finding_counts: dict[str, int] = Field(default_factory=dict)
    """Findings by code, including those beyond the first hundred of each."""


class ImportView(Schema):
    dry_run: bool
    files: list[FileReport]


class Reloaded(Schema):
    """Read the catalogue again."""

    loaded_at: datetime


class ChangedNode(Schema):
    """What the node is now, for those who see it."""

    function: NodeView


class GoneNode(Schema):
    """For those who saw it and no longer do."""

    deleted: str


UPDATE = Event(
    "catalog:update",
    ChangedNode | GoneNode,
    rooms=("role:{role}",),
    about="A node was created, changed, moved or deleted",
)
RELOAD = Event(
    "catalog:reload",
    Reloaded,
    rooms=(EVERYBODY, "role:{role}"),
    about="Rules or much of the tree have changed: read the catalogue again",
)


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


class ImportFileInput(Input):
    model_config = example(**IMPORT_EXAMPLE)

    name: Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
    """Its ending says its format; one that begins with ``_0_REGELN`` is a rules file."""
    text: Annotated[str, Field(max_length=MAX_FILE_BYTES)]


class ImportInput(Input):
    """Files of a catalogue as text."""

    model_config = example(files=[IMPORT_EXAMPLE])

    files: Annotated[list[ImportFileInput], Field(min_length=1, max_length=MAX_FILES)]


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
