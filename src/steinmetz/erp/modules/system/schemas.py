"""The audit log and operators' questions as the outside sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from steinmetz.erp.kit.schemas import Input, Schema, example


class AuditView(Schema):
    id: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    entity: str
    entity_id: str
    summary: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str


class InvalidateInput(Input):
    """What to drop."""

    model_config = example(path="/api/invoices")

    path: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=2000)]
    """This path, all its queries and everything below it."""
