"""The tree of business functions, and the rules it is linted by.

The search index lives beside the table (FTS5 with triggers on SQLite, a generated ``tsvector`` column on
PostgreSQL);
the migrations make it, `repository` asks it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.rules import Kind


class FunctionNode(Base):
    __tablename__ = "function_nodes"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("min_role", Role),
        Index("ix_function_nodes_parent_position", "parent_id", "position"),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Stable slug of the path, e.g. ``finanzen/kennzahlen/umsatz``."""
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("function_nodes.id", ondelete="CASCADE"), default=None
    )
    area: Mapped[str] = mapped_column(String(64), index=True)
    """Slug of the business area, the first step of the path."""
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    icon: Mapped[str] = mapped_column(String(16), default="")
    kind: Mapped[Kind] = mapped_column(word(Kind), default=Kind.GROUP)
    min_role: Mapped[Role] = mapped_column(word(Role), default=Role.CLERK)
    """Who may see it, and all below it: this role and those that read as it."""
    position: Mapped[int] = mapped_column(default=0)
    depth: Mapped[int] = mapped_column(default=0)
    source: Mapped[str | None] = mapped_column(String(200), default=None)
    """The name of the file that made it and owns its title, icon, kind and place; None if a person made it."""
    source_key: Mapped[str | None] = mapped_column(String(1024), default=None)
    """By which the file finds it again: its path in the file, or the id that the file gives it."""
    updated_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class CatalogRules(Base):
    """The one rules document of the catalogue."""

    __tablename__ = "catalog_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    loaded_at: Mapped[datetime] = mapped_column(Instant)


class CatalogSource(Base):
    """A file that nodes came from, and what was odd about them when it was imported last."""

    __tablename__ = "catalog_sources"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    nodes: Mapped[int]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Those on nodes that were mended: ``{code, line, reason, nodeId}``."""
    imported_at: Mapped[datetime] = mapped_column(Instant)
