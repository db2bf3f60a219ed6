"""The AsyncAPI document has the form that its specification asks for, and leaves out no event.

The names of fields are those of https://www.asyncapi.com/docs/reference/specification/v3.0.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from steinmetz.erp.asyncapi import ROOMS, SENT_EVENTS, describe
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.main import create_app
from steinmetz.erp.modules.auth.rules import rooms_of
from steinmetz.erp.settings import load_settings
from steinmetz.realtime import Server
from steinmetz.realtime.events import EVERYBODY

Object = dict[str, Any]

FIELDS = {
    "document": {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"},
    "info": {"title", "version", "description"},
    "server": {
        "host",
        "pathname",
        "protocol",
        "protocolVersion",
        "title",
        "description",
        "variables",
        "security",
    },
    "channel": {"address", "title", "description", "servers", "messages", "parameters"},
    "parameter": {"description"},
    "operation": {"action", "channel", "title", "summary", "messages", "reply"},
    "reply": {"channel", "messages"},
    "message": {"name", "title", "summary", "payload", "x-delivery"},
    "components": {"schemas", "messages", "securitySchemes"},
}
"""Of each object, the fields of the specification that we use, and extensions."""
NAME = re.compile(r"[\w.-]+")
""""All the fixed fields declared above are objects that MUST use keys that match ^[a-zA-Z0-9\\.\\-_]+$"."""


@pytest.fixture(scope="module")
def io(tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = create_app(load_settings(data_dir=tmp_path_factory.mktemp("asyncapi"))).state.io
    assert server is not None
    return server


@pytest.fixture(scope="module")
def document(io: Server) -> Object:
    told: Object = json.loads(json.dumps(describe(io, title="SteinmetZ", version="1", port=3000)))
    return told


def objects(document: Object) -> Iterator[tuple[str, Object]]:
    """(kind, object) of everything that is no JSON Schema."""
    yield "document", document
    yield "info", document["info"]
    yield "components", document["components"]
    yield from (("server", each) for each in document["servers"].values())
    yield from (("message", each) for each in document["components"]["messages"].values())
    for channel in document["channels"].values():
        yield "channel", channel
        yield from (("parameter", each) for each in channel.get("parameters", {}).values())
    for operation in document["operations"].values():
        yield "operation", operation
        if "reply" in operation:
            yield "reply", operation["reply"]


def followed(document: Object, reference: Object) -> Any:
    assert list(reference) == ["$ref"]
    place: Any = document
    for step in reference["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    return place


def test_every_object_has_the_fields_of_the_specification(document: Object) -> None:
    assert document["asyncapi"] == "3.0.0"
    for kind, told in objects(document):
        assert set(told) <= FIELDS[kind], kind


def test_what_a_field_must_hold_it_holds(document: Object) -> None:
    for kind, told in objects(document):
        if kind == "server":
            assert told["host"]
            assert told["protocol"]
        elif kind == "operation":
            assert told["action"] in {"send", "receive"}
            assert "channel" in told
        elif kind == "channel":
            assert set(re.findall(r"{(\w+)}", told["address"])) == set(told.get("parameters", {}))
            assert all(NAME.fullmatch(name) for name in told.get("parameters", {}))
    names = [*document["channels"], *document["operations"], *document["servers"]]
    names += [name for part in document["components"].values() for name in part]
    assert [name for name in names if not NAME.fullmatch(name)] == []


def test_references_lead_to_what_they_should(document: Object) -> None:
    for channel in document["channels"].values():
        for server in channel["servers"]:
            assert followed(document, server) in document["servers"].values()
        for message in channel["messages"].values():
            assert followed(document, message) in document["components"]["messages"].values()
    for operation in document["operations"].values():
        for sender in (operation, operation.get("reply", operation)):
            assert followed(document, sender["channel"]) in document["channels"].values()
            for message in sender["messages"]:
                # "It MUST be a subset of the messages defined in the channel"
                assert message["$ref"].startswith(sender["channel"]["$ref"] + "/messages/")
                followed(document, followed(document, message))
    for server in document["servers"].values():
        for scheme in server["security"]:
            assert followed(document, scheme)["type"] == "http"


def test_every_payload_is_a_json_schema(document: Object) -> None:
    components = document["components"]
    schemas = [message["payload"] for message in components["messages"].values() if "payload" in message]
    assert len(schemas) > 20
    for schema in schemas:
        jsonschema_rs.Draft7Validator({**schema, "components": components})


def test_every_event_says_what_it_is_for_and_where_it_is_heard(io: Server) -> None:
    registry = io.registries["/"]
    assert set(registry.sent.values()) == set(SENT_EVENTS)
    assert [event.name for event in (*SENT_EVENTS, *registry.received.values()) if not event.about] == []
    heard_in = {room for event in SENT_EVENTS for room in event.rooms} - {EVERYBODY}
    assert heard_in == set(ROOMS)


def test_the_rooms_that_a_socket_joins_are_described() -> None:
    joined = rooms_of(Actor(7, "Ada", Role.ADMIN, "s1"))
    patterns = [re.compile(re.sub(r"\\{\w+\\}", r"[^:]+", re.escape(room))) for room in ROOMS]
    unknown = {room for room in joined if not any(pattern.fullmatch(room) for pattern in patterns)}
    assert unknown == {"user:7:session:s1"}, "nothing is said in the room of one sign-in: it is for ending it"


def test_the_document_leads_nowhere_out_of_the_house(document: Object) -> None:
    assert re.findall(r"https?:[^\"\s]*", json.dumps(document)) == []
