"""The audit log and operators' questions as the outside sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from steinmetz.cache.response_cache import Order
from steinmetz.erp.kit.fields import Moment, Text
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.system.rules import Outcome
from steinmetz.live.install import ALERT_EVENT, ALERT_ROOM
from steinmetz.monitor.analysis.alerting import Measure, Severity
from steinmetz.realtime import Event


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


class SignInEntryView(Schema):
    id: int
    at: datetime
    user_id: int | None
    """Null: no user has the e-mail address that was tried."""
    user_name: str
    outcome: Outcome
    detail: str
    address: str
    user_agent: str
    request_id: str


class MaintenanceView(Schema):
    enabled: bool
    message: str
    until: datetime | None
    """The announced end; it is switched off within two minutes after it."""
    since: datetime | None
    """When it was last switched on or off; null if never."""
    by: str | None


class MaintenanceNotice(Schema):
    """Whether writing is switched off, and until when."""

    enabled: bool
    message: str
    until: datetime | None


class MaintenanceInput(Input):
    model_config = example(enabled=True, message="Neue Version", until="2026-03-02T22:00:00+01:00")

    enabled: bool
    message: Annotated[Text, StringConstraints(max_length=500)] = ""
    until: Moment | None = None


class ChoreView(Schema):
    name: str
    when: str
    """``daily``, or ``every 5 min``."""
    due_at: datetime
    tried_at: datetime | None
    done_at: datetime | None
    duration_ms: int
    changed: int
    """Records changed by the last run that succeeded."""
    failures: int
    """Runs that have failed since then."""
    error: str


PathText = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=2000)]


class InvalidateInput(Input):
    """What to drop: exactly one of these."""

    model_config = example(path="/api/invoices")

    path: PathText | None = None
    """This path, all its queries and everything below it."""
    tag: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Answers of routes marked `cached(tags=...)` with it."""
    pattern: PathText | None = None
    """Paths with `*` for one segment and, at the end, `**` for the rest, such as `/api/invoices/*/pdf`."""
    everything: bool = False

    @model_validator(mode="after")
    def _one(self) -> InvalidateInput:
        if [self.path, self.tag, self.pattern].count(None) != (3 if self.everything else 2):
            raise ValueError("give exactly one of path, tag, pattern and everything")
        return self


class CacheCommandInput(Input):
    """What a command needs: `drop` to invalidate, `limit` and `order` to list."""

    model_config = example(limit=20, order="saved")

    drop: InvalidateInput | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    order: Order = Order.HITS


class HeardAlert(Schema):
    """An alert of the query monitor: raised (``active``) or, with the same id, ``resolved``."""

    id: str
    kind: Measure
    subject: str
    severity: Severity
    state: Literal["active", "resolved"]
    value: float
    threshold: float
    message: str
    since: datetime
    at: datetime
    times: int


MAINTENANCE = Event(
    "system:maintenance", MaintenanceNotice, about="Maintenance was switched on or off, or changed"
)
ALERT = Event(
    ALERT_EVENT, HeardAlert, rooms=(ALERT_ROOM,), about="An alert of the query monitor was raised or is resolved"
)
