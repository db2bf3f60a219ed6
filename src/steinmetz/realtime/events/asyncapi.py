"""The AsyncAPI 3.0 document of a realtime server: https://www.asyncapi.com/docs/reference/specification/v3.0.0

A namespace is a channel, and so is every room that events go to. It is told from the server's side, as the
specification asks: what the server emits it *sends*, what clients emit it *receives*, an acknowledgement is the
*reply*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from steinmetz.realtime.events.definitions import Definitions
from steinmetz.realtime.events.event import EVERYBODY, REFUSAL, Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.events.schema import Schema
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE

Json = dict[str, Any]

_NO_ROOMS: Mapping[str, str] = {}


def asyncapi(
    registries: Mapping[str, Registry],
    *,
    title: str,
    version: str,
    description: str = "",
    host: str = "localhost:3000",
    path: str = "/socket.io/",
    rooms: Mapping[str, str] = _NO_ROOMS,
    security: Mapping[str, Json] | None = None,
) -> Json:
    """The document of `Server.registries`; ``rooms`` says of room patterns like ``user:{id}`` who is in them.

    ``host`` is shown as the default of a variable: a document does not know where it is read. ``security`` are
    security schemes by name; each of them lets a client in.
    """
    about = _Document(rooms)
    for namespace, registry in registries.items():
        if registry.sent or registry.received:
            about.tell(namespace, registry)
    schemes = dict(security or {})
    server: Json = {
        "host": "{host}",
        "pathname": path,
        "protocol": "ws",
        "protocolVersion": "13",
        "title": "Socket.IO",
        "description": "Socket.IO protocol 5 on Engine.IO protocol 4, over WebSocket or HTTP long-polling",
        "variables": {"host": {"default": host, "description": "Host and port that the server is reached at"}},
    }
    if schemes:
        server["security"] = [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes]
    info = {"title": title, "version": version, **({"description": description} if description else {})}
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": "application/json",
        "servers": {"socketio": server},
        "channels": about.channels,
        "operations": about.operations,
        "components": {
            "schemas": about.definitions.schemas,
            "messages": about.messages,
            **({"securitySchemes": schemes} if schemes else {}),
        },
    }


class _Document:
    """Channels, operations and messages as they come together."""

    def __init__(self, rooms: Mapping[str, str]) -> None:
        self.channels: dict[str, Json] = {}
        self.operations: dict[str, Json] = {}
        self.messages: dict[str, Json] = {}
        self.definitions = Definitions()
        self._rooms = rooms
        self._keys: dict[str, tuple[str, ...]] = {}

    def tell(self, namespace: str, registry: Registry) -> None:
        for event in sorted(registry.sent.values(), key=lambda each: each.name):
            message = self._message(self._key("send", namespace, event.name), event, is_sent=True)
            reply = self._acknowledgement(message, event, is_sent=True)
            for room in event.rooms:
                channel = self._channel(namespace, room)
                operation = message if room == EVERYBODY else self._key("send", namespace, event.name, room)
                self._operation(operation, "send", event, channel, message, self._namespace(namespace), reply)
        for event in sorted(registry.received.values(), key=lambda each: each.name):
            message = self._message(self._key("receive", namespace, event.name), event, is_sent=False)
            reply = self._acknowledgement(message, event, is_sent=False)
            channel = self._namespace(namespace)
            self._operation(message, "receive", event, channel, message, channel, reply)

    def _operation(
        self, key: str, action: str, event: Event, channel: str, message: str, home: str, reply: str | None
    ) -> None:
        operation: Json = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "title": event.name}
        if event.about:
            operation["summary"] = event.about
        operation["messages"] = [self._carried(channel, message)]
        if reply is not None:
            operation["reply"] = {
                "channel": {"$ref": f"#/channels/{home}"},
                "messages": [self._carried(home, reply)],
            }
        self.operations[key] = operation

    def _carried(self, channel: str, message: str) -> Json:
        """A reference to ``message``, which ``channel`` carries from now on."""
        self.channels[channel]["messages"][message] = {"$ref": f"#/components/messages/{message}"}
        return {"$ref": f"#/channels/{channel}/messages/{message}"}

    def _namespace(self, namespace: str) -> str:
        key = self._key("namespace", "main" if namespace == MAIN_NAMESPACE else namespace)
        if key not in self.channels:
            self.channels[key] = {
                "address": namespace,
                "title": f"Namespace {namespace}",
                "description": "All who are connected to this namespace",
                "servers": [{"$ref": "#/servers/socketio"}],
                "messages": {},
            }
        return key

    def _channel(self, namespace: str, room: str) -> str:
        if room == EVERYBODY:
            return self._namespace(namespace)
        key = self._key("room", namespace, room)
        if key not in self.channels:
            channel: Json = {
                "address": room,
                "title": f"Room {room}",
                "description": self._rooms.get(room, f"The sockets of {namespace} in this room"),
                "servers": [{"$ref": "#/servers/socketio"}],
                "messages": {},
            }
            if parameters := re.findall(r"{(\w+)}", room):
                channel["parameters"] = {name: {"description": f"`{name}` in `{room}`"} for name in parameters}
            self.channels[key] = channel
        return key

    def _message(self, key: str, event: Event, *, is_sent: bool) -> str:
        message: Json = {"name": event.name, "title": event.name}
        if event.about:
            message["summary"] = event.about
        if event.payload is not None:
            message["payload"] = self._schema(event.payload, sent=is_sent)
        if event.volatile:
            message["x-delivery"] = "volatile: may be dropped for a client that is not ready to receive"
        elif event.newest_by is not None:
            message["x-delivery"] = f"a client that lags behind gets only the newest for each {event.newest_by}"
        self.messages[key] = message
        return key

    def _acknowledgement(self, message: str, event: Event, *, is_sent: bool) -> str | None:
        if event.ack is None:
            return None
        answer = self._schema(event.ack, sent=not is_sent)
        if not is_sent:
            answer = {"oneOf": [answer, self._schema(REFUSAL, sent=True)]}
        key = f"{message}.ack"
        self.messages[key] = {
            "name": f"{event.name} ack",
            "title": f"Acknowledgement of {event.name}",
            "payload": answer,
        }
        return key

    def _key(self, *parts: str) -> str:
        """``send.chat.message``: what the specification takes as a name; the main namespace is not said.

        What the specification does not take becomes a dot; a number tells those apart that would be the same then.
        """
        words = (re.sub(r"[^\w-]+", ".", part).strip(".") for part in parts if part != MAIN_NAMESPACE)
        wanted = key = ".".join(word for word in words if word)
        number = 1
        while self._keys.setdefault(key, parts) != parts:
            number += 1
            key = f"{wanted}.{number}"
        return key

    def _schema(self, schema: Schema, *, sent: bool) -> Json:
        return self.definitions.add(schema.json_schema(sent=sent))
