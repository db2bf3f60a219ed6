"""The envelopes of every success."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from pydantic import ValidationError

from steinmetz.erp.kit.answers import Answer, Listing, json_answer
from steinmetz.erp.kit.schemas import Schema


class Thing(Schema):
    due_date: dt.date
    at: dt.datetime


THING = Thing(due_date=dt.date(2026, 3, 2), at=dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC))


def test_finished_bytes_are_what_the_model_says() -> None:
    answer = json_answer([THING])
    assert answer.media_type == "application/json"
    assert json.loads(answer.body) == {
        "success": True,
        "data": [{"dueDate": "2026-03-02", "at": "2026-03-02T09:00:00Z"}],
    }
    Answer[list[Thing]].model_validate_json(answer.body)


def test_a_list_tells_its_place() -> None:
    with pytest.raises(ValidationError):
        Listing[Thing].model_validate({"data": []})
    Listing[Thing].model_validate({"data": [THING], "page": {"next": None, "total": 1}})
