from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from steinmetz.erp.kit.fields import Moment, Reference
from steinmetz.erp.kit.schemas import Input, example


class Line(Input):
    amount: Annotated[int, Field(ge=0)]
    vat: Literal[19, 7, 0] = 19
    kind: Literal["a", "b"] = "a"


class Order(Input):
    model_config = example(isOpen=True)

    is_open: bool = False
    factor: float = 1.0
    day: dt.date | None = None
    at: Moment | None = None
    customer_id: Reference | None = None
    lines: list[Line] = Field(default_factory=list)
    more: dict[str, Line] = Field(default_factory=dict)


@pytest.mark.parametrize(
    "body",
    [
        {"isOpen": "0"},
        {"isOpen": 1},
        {"isOpen": "true"},
        {"factor": "1"},
        {"factor": True},
        {"day": 0},
        {"day": "0"},
        {"day": "2026-03-02T00:00:00"},
        {"day": 1.5},
        {"at": 0},
        {"at": "0"},
        {"at": "1e9"},
        {"customerId": "1"},
        {"lines": [{"amount": "1"}]},
        {"lines": [{"amount": True}]},
        {"lines": [{"amount": 1.0}]},
        {"lines": [{"amount": 1, "vat": False}]},
        {"lines": [{"amount": 1, "vat": 19.0}]},
        {"lines": [{"amount": -1}]},
        {"more": {"x": {"amount": "1"}}},
        {"unknown": 1},
    ],
)
def test_what_only_looks_like_the_type_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate(body)


def test_what_is_of_the_type_is_taken() -> None:
    body = {
        "isOpen": True,
        "factor": 2,
        "day": "2026-03-02",
        "at": "2026-03-02T10:00:00+01:00",
        "customerId": 1,
        "lines": [{"amount": 1, "vat": 0, "kind": "b"}],
    }
    order = Order.model_validate(body)
    assert (order.is_open, order.factor, order.day) == (True, 2.0, dt.date(2026, 3, 2))
    assert order.at == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    assert order.lines == [Line(amount=1, vat=0, kind="b")]
    assert Order(day=dt.date(2026, 3, 2), at=order.at).day == order.day


def test_the_document_shows_types_and_example_as_ever() -> None:
    schema = Order.model_json_schema()
    assert schema["examples"] == [{"isOpen": True}]
    assert schema["properties"]["isOpen"]["type"] == "boolean"
    assert {"format": "date", "type": "string"} in schema["properties"]["day"]["anyOf"]
    assert {"format": "date-time", "type": "string"} in schema["properties"]["at"]["anyOf"]
    assert schema["$defs"]["Line"]["properties"]["vat"]["enum"] == [19, 7, 0]
