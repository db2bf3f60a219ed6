"""Jobs and items as they look from outside."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, computed_field

from steinmetz.erp.kit.fields import Text
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.batch import rules
from steinmetz.erp.modules.batch.rules import JobStatus
from steinmetz.realtime import Event


class JobRow(Schema):
    """A job in a list: what everybody may know of it."""

    id: int
    kind: str
    status: JobStatus
    owner_id: int | None
    owner_name: str
    is_cancelling: bool
    attempt: int
    total: int
    done: int
    failed: int
    cancelled: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def percent(self) -> int:
        return 0 if self.status is JobStatus.QUEUED else rules.percent(self.done + self.failed, self.total)


class JobView(JobRow):
    """The whole job; what was asked for and why it failed are for its owner, managers and auditors."""

    parameters: dict[str, Any] | None
    error: str | None
    has_download: bool


class ItemView(Schema):
    position: int
    status: JobStatus
    payload: dict[str, Any]
    error: str
    attempts: int
    """How often it was begun."""


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(parameters, allow_nan=False, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no text") from None
    except (ValueError, RecursionError):
        raise ValueError("not what JSON can hold") from None
    if len(text) > rules.MAX_PARAMETER_CHARS:
        raise ValueError(f"longer than {rules.MAX_PARAMETER_CHARS} characters")
    return parameters


class JobInput(Input):
    """A new job: which kind, and the parameters of that kind."""

    kind: Annotated[Text, Field(min_length=1, max_length=40)]
    parameters: Annotated[dict[str, Any], AfterValidator(_plain)] = Field(default_factory=dict)

    model_config = example(
        kind="customers.import",
        parameters={"csv": "externalNumber;name;city\n4711;Aalener Apparatebau GmbH;Aalen"},
    )


class JobProgress(Schema):
    """``done`` counts items that failed, too; within an attempt it never runs backwards."""

    job_id: int
    done: int
    total: int
    percent: int
    attempt: int


class JobResult(Schema):
    status: JobStatus
    total: int
    done: int
    failed: int
    cancelled: int
    attempt: int


class JobComplete(Schema):
    """The job is over, after its last progress."""

    job_id: int
    result: JobResult


class JobError(Schema):
    """An item has failed."""

    job_id: int
    item: int
    """Its position, from 1."""
    error: str


ROOMS = ("user:{id}", f"{rules.WATCH_ROOMS}{{id}}")
PROGRESS = Event("batch:progress", JobProgress, rooms=ROOMS, newest_by="jobId", about="Items have ended")
COMPLETE = Event("batch:complete", JobComplete, rooms=ROOMS, about="The job is over")
ERROR = Event("batch:error", JobError, rooms=ROOMS, about="An item has failed; the first 100 of an attempt")
