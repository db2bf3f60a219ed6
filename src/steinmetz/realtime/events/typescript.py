"""TypeScript types of a namespace's events: what the stock client's ``Socket`` takes as its two parameters.

See https://socket.io/docs/v4/typescript/. An event with an acknowledgement has to be emitted with one: with an
optional one the client's own types know neither `timeout` nor `emitWithAck`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from steinmetz.realtime.events.definitions import Definitions
from steinmetz.realtime.events.event import REFUSAL, Event
from steinmetz.realtime.events.registry import Registry

Json = dict[str, Any]

_TYPES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "Record<string, unknown>",
    "array": "unknown[]",
}


def typescript(registry: Registry, *, head: str = "", prefix: str = "") -> str:
    """The module's text: an interface for each payload, and the two of the events.

    ``head`` is a comment at its top; ``prefix`` stands before the names of those two, for a second namespace.
    """
    definitions = Definitions(lambda name: name)
    sent = [_sent(event, definitions) for event in _in_order(registry.sent)]
    received = [_received(event, definitions) for event in _in_order(registry.received)]
    texts = [f"/** {head} */\n"] if head else []
    texts += [declaration(name, schema) for name, schema in sorted(definitions.schemas.items())]
    texts.append(_interface(f"{prefix}ServerToClientEvents", sent))
    texts.append(_interface(f"{prefix}ClientToServerEvents", received))
    return "\n".join(texts)


def _in_order(events: dict[str, Event]) -> Iterable[Event]:
    return (events[name] for name in sorted(events))


def _interface(name: str, members: list[str]) -> str:
    return f"export interface {name} {{\n" + "".join(members) + "}\n"


def _sent(event: Event, definitions: Definitions) -> str:
    """A listener's type; it gets ``ack`` only if the server has asked for one."""
    parameters = _payload(event, definitions, is_sent=True)
    if event.ack is not None:
        answer = type_of(definitions.add(event.ack.json_schema(sent=False)))
        parameters.append(f"ack?: (answer: {answer}) => void")
    return f"{comment(event.about, '  ')}  {literal(event.name)}: ({', '.join(parameters)}) => void;\n"


def _received(event: Event, definitions: Definitions) -> str:
    parameters = _payload(event, definitions, is_sent=False)
    if event.ack is not None:
        answer = type_of(definitions.add(event.ack.json_schema(sent=True)))
        refusal = type_of(definitions.add(REFUSAL.json_schema(sent=True)))
        parameters.append(f"ack: (answer: {answer} | {refusal}) => void")
    return f"{comment(event.about, '  ')}  {literal(event.name)}: ({', '.join(parameters)}) => void;\n"


def _payload(event: Event, definitions: Definitions, *, is_sent: bool) -> list[str]:
    if event.payload is None:
        return []
    return [f"payload: {type_of(definitions.add(event.payload.json_schema(sent=is_sent)))}"]


def declaration(name: str, schema: Json) -> str:
    """``schema`` under its name, as an interface where it has properties. A ``$ref`` is the name it stands for."""
    about = comment(schema.get("description", ""), "")
    if "properties" not in schema:
        return f"{about}export type {name} = {type_of(schema)};\n"
    return f"{about}export interface {name} {_object(schema, '')}\n"


def _object(schema: Json, indent: str) -> str:
    required, inside = set(schema.get("required", ())), indent + "  "
    fields = [
        f"{comment(told.get('description', ''), inside)}"
        f"{inside}{member_name(field)}{'' if field in required else '?'}: {type_of(told, inside)};\n"
        for field, told in schema["properties"].items()
    ]
    return "{\n" + "".join(fields) + indent + "}"


def member_name(field: str) -> str:
    """``field`` as the name of a member, quoted where it must be."""
    return field if re.fullmatch(r"[A-Za-z_$][\w$]*", field) else literal(field)


def type_of(schema: Any, indent: str = "") -> str:
    """``schema`` as an expression; what it says of lengths, bounds and patterns has no type."""
    if not isinstance(schema, dict):  # true: anything; false: nothing
        return "never" if schema is False else "unknown"
    if "$ref" in schema:
        return str(schema["$ref"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(type_of(each, indent) for each in schema[word]))
    if "allOf" in schema:
        return " & ".join(dict.fromkeys(_within(type_of(each, indent)) for each in schema["allOf"]))
    if "const" in schema:
        return literal(schema["const"])
    if "enum" in schema:
        return " | ".join(map(literal, schema["enum"]))
    if isinstance(schema.get("type"), list):
        return " | ".join(type_of({**schema, "type": each}, indent) for each in schema["type"])
    if "properties" in schema:
        return _object(schema, indent)
    if schema.get("format") == "binary":
        return "ArrayBuffer"
    if schema.get("type") == "array" and "items" in schema:
        items = schema["items"]
        if isinstance(items, list):
            return f"[{', '.join(type_of(each, indent) for each in items)}]"
        return f"{_within(type_of(items, indent))}[]"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"Record<string, {type_of(schema['additionalProperties'], indent)}>"
    return _TYPES.get(str(schema.get("type")), "unknown")


def literal(value: Any) -> str:
    """``value`` as TypeScript writes it."""
    text = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return text
    return "'" + text[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _within(told: str) -> str:
    return f"({told})" if " | " in told or " & " in told else told


def comment(text: str, indent: str) -> str:
    """What a docstring says first, as the editor shows it."""
    first = " ".join(text.strip().partition("\n\n")[0].split()).replace("*/", "* /").replace("``", "`")
    return f"{indent}/** {first} */\n" if first else ""
