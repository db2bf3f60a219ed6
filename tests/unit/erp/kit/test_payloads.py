from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.payloads import parsed
from steinmetz.erp.kit.schemas import Input


class Order(Input):
    item_name: Annotated[str, Field(max_length=5)]
    count: int = 1


def test_an_event_is_read_by_its_camel_case_names() -> None:
    assert parsed(Order, {"itemName": " Nut ", "count": 2}) == Order(item_name="Nut", count=2)


@pytest.mark.parametrize("payload", [(), (None,), ("x",), ([1],), (b"x",), ({"itemName": "x"}, {}), (5,)])
def test_anything_but_one_object_is_told_what_to_send(payload: tuple[Any, ...]) -> None:
    with pytest.raises(Unprocessable, match=r"Send one object with the fields itemName, count\."):
        parsed(Order, *payload)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "itemName"),
        ({"itemName": 5}, "itemName"),
        ({"itemName": b"x"}, "itemName"),
        ({"itemName": "longer"}, "itemName"),
        ({"itemName": "\ud800"}, "itemName"),
        ({"itemName": "x", "count": "2"}, "count"),
        ({"itemName": "x", "count": 2.0}, "count"),
        ({"itemName": "x", "count": True}, "count"),
        ({"itemName": "x", "price": 1}, "price"),
    ],
)
def test_a_wrong_field_is_named(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        parsed(Order, payload)
    assert refused.value.extra["errors"][0]["field"] == field
    assert refused.value.detail.startswith(f"{field}: ")


def test_no_more_of_a_clients_own_words_is_said_back_than_can_be_sent() -> None:
    with pytest.raises(Unprocessable) as refused:
        parsed(Order, {"itemName": "x", "\ud800" * 10_000: 1})
    assert len(refused.value.detail.encode()) < 500
