"""The AsyncAPI document: what it says of a server, and that all of it hangs together."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from steinmetz.realtime import Config, Event, Server
from steinmetz.realtime.events import EVERYBODY, Done, asyncapi


class Message(TypedDict):
    """Something that was said."""

    text: str


SAID = Event("chat:message", Message, rooms=("chat:{channel}", EVERYBODY), about="Something was said")
TYPING = Event("typing", Message, rooms=("chat:{channel}",), volatile=True)
PROGRESS = Event("progress", dict[str, int], newest_by="job")
ASK = Event("ask", str, ack=Message)
SAY = Event("chat:message", Message, ack=Done, about="Say it")
STOP = Event("stop")


@pytest.fixture
def document() -> dict[str, Any]:
    io = Server(Config())
    io.declare(SAID, TYPING, PROGRESS, ASK)
    io.on(SAY, lambda socket, said: {"ok": True})
    io.of("/admin").on(STOP, lambda socket: None)
    io.of("/untyped").on("anything", lambda socket: None)
    return asyncapi(
        io.registries,
        title="A chat",
        version="1.2.3",
        host="chat.example:443",
        rooms={"chat:{channel}": "Who has joined the channel"},
        security={"token": {"type": "http", "scheme": "bearer"}},
    )


def operation(document: dict[str, Any], key: str) -> tuple[str, str, list[str]]:
    told = document["operations"][key]
    names = [reference["$ref"].rpartition("/")[2] for reference in told["messages"]]
    return told["action"], told["channel"]["$ref"].removeprefix("#/channels/"), names


def test_it_says_what_it_is_and_where(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert document["info"] == {"title": "A chat", "version": "1.2.3"}
    server = document["servers"]["socketio"]
    assert (server["host"], server["pathname"], server["protocol"]) == ("{host}", "/socket.io/", "ws")
    assert server["variables"]["host"]["default"] == "chat.example:443"
    assert server["security"] == [{"$ref": "#/components/securitySchemes/token"}]


def test_namespaces_and_rooms_are_channels(document: dict[str, Any]) -> None:
    assert {key: channel["address"] for key, channel in document["channels"].items()} == {
        "namespace.main": "/",
        "namespace.admin": "/admin",
        "room.chat.channel": "chat:{channel}",
    }
    room = document["channels"]["room.chat.channel"]
    assert room["description"] == "Who has joined the channel"
    assert list(room["parameters"]) == ["channel"]


def test_what_the_server_emits_it_sends_to_each_of_its_rooms(document: dict[str, Any]) -> None:
    message = ["send.chat.message"]
    assert operation(document, "send.chat.message") == ("send", "namespace.main", message)
    assert operation(document, "send.chat.message.chat.channel") == ("send", "room.chat.channel", message)
    assert document["operations"]["send.chat.message"]["summary"] == "Something was said"


def test_what_clients_emit_it_receives(document: dict[str, Any]) -> None:
    assert operation(document, "receive.chat.message") == ("receive", "namespace.main", ["receive.chat.message"])
    assert operation(document, "receive.admin.stop") == ("receive", "namespace.admin", ["receive.admin.stop"])
    assert "payload" not in document["components"]["messages"]["receive.admin.stop"]


def test_an_acknowledgement_is_the_reply_and_may_be_a_refusal(document: dict[str, Any]) -> None:
    reply = document["operations"]["receive.chat.message"]["reply"]
    assert reply["channel"] == {"$ref": "#/channels/namespace.main"}
    assert reply["messages"] == [{"$ref": "#/channels/namespace.main/messages/receive.chat.message.ack"}]
    schema = "#/components/schemas/"
    messages = document["components"]["messages"]
    assert messages["receive.chat.message.ack"]["payload"] == {
        "oneOf": [{"$ref": schema + "Done"}, {"$ref": schema + "Refusal"}]
    }
    assert messages["send.ask.ack"]["payload"] == {"$ref": schema + "Message"}
    assert "reply" not in document["operations"]["send.chat.message"]
    # Room join and leave are the server's own.
    assert "reply" in document["operations"]["receive.room.join"]


def test_how_an_event_is_treated_on_its_way_is_told(document: dict[str, Any]) -> None:
    messages = document["components"]["messages"]
    assert messages["send.typing"]["x-delivery"].startswith("volatile")
    assert messages["send.progress"]["x-delivery"].endswith("the newest for each job")
    assert "x-delivery" not in messages["send.chat.message"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(told: Any) -> list[str]:
        if isinstance(told, dict):
            own = [told["$ref"]] if isinstance(told.get("$ref"), str) else []
            return own + [each for value in told.values() for each in references(value)]
        return [each for value in told for each in references(value)] if isinstance(told, list) else []

    found = references(document)
    assert len(found) > 20
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_an_operation_carries_only_messages_of_its_channel(document: dict[str, Any]) -> None:
    """ "The referenced message object MUST be defined in the channel of the operation"."""
    for told in document["operations"].values():
        assert all(each["$ref"].startswith(told["channel"]["$ref"] + "/messages/") for each in told["messages"])


def test_names_that_differ_by_what_a_key_cannot_hold_stay_apart() -> None:
    io = Server(Config())
    names = ["a:b", "a.b", "a b", "a-b", "a"]
    io.declare(*(Event(name, Message, rooms=("b",) if name == "a" else ()) for name in names))
    told = asyncapi(io.registries, title="x", version="1")
    sent = [each for each in told["operations"].values() if each["action"] == "send"]
    assert sorted(each["title"] for each in sent) == sorted(names)
    assert sorted(
        each["name"] for key, each in told["components"]["messages"].items() if key.startswith("send")
    ) == sorted(names)


def test_a_server_without_typed_events_has_an_empty_document() -> None:
    assert asyncapi({}, title="x", version="1")["channels"] == {}
