"""Nodes as they are stored, and as a file wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.formats.outline import Entry
from steinmetz.erp.modules.catalog.rules import Kind

STEP_NUMBER = "~"
"""Before the number of a sibling of the same step in a key; no slug holds it."""


class Stored(Protocol):
    """What is looked at of a node in the catalogue."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def area(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def min_role(self) -> Role: ...
    @property
    def position(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def source(self) -> str | None: ...
    @property
    def source_key(self) -> str | None: ...


@dataclass(slots=True)
class Wanted:
    """A node as the file wants it."""

    entry: Entry
    key: str
    """Distinct within the file."""
    step: str
    """Its own part of the key."""
    kind: Kind
    id: str = ""
    parent_id: str | None = None
    area: str = ""
    position: int = 0
    stored: Stored | None = None
    """The node that it is already."""
