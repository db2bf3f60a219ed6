"""Schemas of many sources in one document."""

from __future__ import annotations

from typing import Any

from steinmetz.realtime.events.definitions import Definitions

TEXT = {"type": "string"}


def user(**properties: Any) -> dict[str, Any]:
    return {"title": "User", "type": "object", "properties": {"name": {"title": "Name", **TEXT}, **properties}}


def within(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": "Message",
        "type": "object",
        "properties": {"user": {"$ref": "#/$defs/User"}},
        "$defs": {"User": told},
    }


def test_what_has_a_name_stands_once_and_is_referred_to() -> None:
    definitions = Definitions()
    for _ in range(2):
        assert definitions.add(within(user())) == {"$ref": "#/components/schemas/Message"}
    assert definitions.add(user()) == {"$ref": "#/components/schemas/User"}
    assert definitions.schemas == {
        "Message": {
            "title": "Message",
            "type": "object",
            "properties": {"user": {"$ref": "#/components/schemas/User"}},
        },
        "User": {"title": "User", "type": "object", "properties": {"name": TEXT}},
    }


def test_two_of_one_name_get_numbers_and_so_does_who_refers_to_them() -> None:
    definitions = Definitions(lambda name: name)
    first, second = within(user()), within(user(id={"type": "integer"}))
    assert definitions.add(first) == {"$ref": "Message"}
    assert definitions.add(second) == {"$ref": "Message2"}
    assert definitions.schemas["Message2"]["properties"] == {"user": {"$ref": "User2"}}
    assert definitions.schemas["Message2"]["title"] == "Message2"
    assert definitions.add(first) == {"$ref": "Message"}
    assert sorted(definitions.schemas) == ["Message", "Message2", "User", "User2"]


def test_what_refers_to_itself_is_no_trouble() -> None:
    node = {
        "$defs": {"Node": {"title": "Node", "type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        "$ref": "#/$defs/Node",
    }
    definitions = Definitions(lambda name: name)
    assert definitions.add(node) == definitions.add(node) == {"$ref": "Node"}
    assert definitions.schemas["Node"]["properties"] == {"next": {"$ref": "Node"}}


def test_fields_called_title_and_values_are_left_alone() -> None:
    schema = {
        "title": "Book",
        "type": "object",
        "properties": {"title": {"title": "Title", **TEXT}},
        "examples": [{"title": "x", "$ref": "#/no"}],
        "default": {"title": "x"},
    }
    definitions = Definitions()
    definitions.add(schema)
    book = definitions.schemas["Book"]
    assert book["properties"] == {"title": TEXT}
    assert book["examples"] == schema["examples"]
    assert book["default"] == schema["default"]


def test_what_draft_7_does_not_know_is_said_in_its_words() -> None:
    definitions = Definitions(lambda name: name)
    told = definitions.add(
        {
            "oneOf": [{"$ref": "#/$defs/User", "description": "Who"}],
            "discriminator": {"propertyName": "x"},
            "prefixItems": [TEXT],
            "$defs": {"User": user()},
        }
    )
    assert told == {"oneOf": [{"allOf": [{"$ref": "User"}], "description": "Who"}], "items": [TEXT]}


def test_names_are_made_of_what_a_document_takes() -> None:
    definitions = Definitions(lambda name: name)
    assert definitions.add({"title": "Page[int | None]", "type": "object"}) == {"$ref": "Page_int_None"}
