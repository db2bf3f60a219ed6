"""Pydantic's models as schemas: as strict as JSON in, by their aliases out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from steinmetz.realtime.errors import PayloadError
from steinmetz.realtime.events.pydantic import MAX_FLAWS, PydanticSchema


class Level(StrEnum):
    INFO = "info"


class Order(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    item_name: Annotated[str, Field(max_length=5)]
    count: int = 1
    level: Level = Level.INFO
    day: date | None = None


class Heard(BaseModel):
    """What is told."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    at_once: datetime
    currency: str = "EUR"
    edited_at: datetime | None = Field(default=None, exclude_if=lambda value: value is None)


class Other(BaseModel):
    x: int


class Picture(BaseModel):
    name: str
    data: bytes


AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_payload_is_read_into_an_instance_as_json_has_it() -> None:
    read = PydanticSchema(Order).read({"itemName": "Nut", "count": 2, "level": "info", "day": "2026-03-02"})
    assert read == Order(item_name="Nut", count=2, level=Level.INFO, day=date(2026, 3, 2))


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "itemName"),
        ({"itemName": 5}, "itemName"),
        ({"itemName": b"x"}, "itemName"),
        ({"itemName": "longer"}, "itemName"),
        ({"itemName": "\ud800"}, "itemName"),
        ({"itemName": "x", "count": "2"}, "count"),
        ({"itemName": "x", "count": 2.5}, "count"),
        ({"itemName": "x", "count": True}, "count"),
        ({"itemName": "x", "level": "warn"}, "level"),
        ({"itemName": "x", "day": 20_000}, "day"),
        ({"itemName": "x", "price": 1}, "price"),
        (None, ""),
        ("x", ""),
        ([1], ""),
        (b"x", ""),
    ],
)
def test_a_wrong_field_is_named(payload: Any, field: str) -> None:
    with pytest.raises(PayloadError) as refused:
        PydanticSchema(Order).read(payload)
    assert refused.value.flaws[0].field == field
    assert str(refused.value).startswith(f"{field}: " if field else "Input should")


def test_no_more_of_a_senders_own_words_is_said_back_than_can_be_sent() -> None:
    with pytest.raises(PayloadError) as refused:
        PydanticSchema(Order).read({"itemName": "x", "\ud800" * 10_000: 1})
    assert len(str(refused.value).encode()) < 500


def test_flaws_are_bounded_in_number() -> None:
    with pytest.raises(PayloadError) as refused:
        PydanticSchema(Order).read({f"f{number}": 1 for number in range(1_000)})
    assert len(refused.value.flaws) == MAX_FLAWS


def test_a_value_is_not_repeated() -> None:
    with pytest.raises(PayloadError) as refused:
        PydanticSchema(Order).read({"itemName": "s3cret-and-long"})
    assert "s3cret" not in repr(refused.value.flaws)


def test_an_instance_is_written_by_its_aliases_without_what_excludes_itself() -> None:
    schema = PydanticSchema(Heard)
    assert schema.write(Heard(at_once=AT)) == {"atOnce": "2026-03-02T09:00:00Z", "currency": "EUR"}
    assert schema.write(Heard(at_once=AT, edited_at=AT))["editedAt"] == "2026-03-02T09:00:00Z"


def test_anything_else_is_checked_and_goes_out_as_it_is() -> None:
    schema = PydanticSchema(Heard)
    told = {"atOnce": "2026-03-02T09:00:00Z"}
    assert schema.write(told) is told


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"at_once": "2026-03-02T09:00:00Z"},
        {"atOnce": 1_772_442_000},
        {"atOnce": "2026-03-02T09:00:00Z", "more": 1},
        {"atOnce": "2026-03-02T09:00:00Z", "currency": None},
        "x",
        Other(x=1),
        {"atOnce": Other(x=1)},
    ],
)
def test_what_does_not_fit_is_not_written(payload: Any) -> None:
    with pytest.raises(PayloadError):
        PydanticSchema(Heard).write(payload)


def test_a_union_is_written_whichever_it_is() -> None:
    schema = PydanticSchema(Heard | Other)
    assert schema.write(Other(x=1)) == schema.write({"x": 1}) == {"x": 1}
    with pytest.raises(PayloadError):
        schema.write({"x": 1, "currency": "EUR"})


def test_instances_within_what_python_has_are_written_too() -> None:
    told = {"atOnce": "2026-03-02T09:00:00Z", "currency": "EUR"}
    assert PydanticSchema(list[Heard]).write([Heard(at_once=AT)]) == [told]
    assert PydanticSchema(dict[str, Heard]).write({"x": Heard(at_once=AT)}) == {"x": told}


def test_bytes_stay_bytes_both_ways() -> None:
    schema = PydanticSchema(Picture)
    assert schema.read({"name": "x", "data": b"\xff"}) == Picture(name="x", data=b"\xff")
    assert schema.write(Picture(name="x", data=b"\xff")) == {"name": "x", "data": b"\xff"}


def test_what_is_always_sent_is_required_of_what_is_sent_only() -> None:
    schema = PydanticSchema(Heard)
    assert schema.json_schema(sent=True)["required"] == ["atOnce", "currency"]
    assert schema.json_schema(sent=False)["required"] == ["atOnce"]
