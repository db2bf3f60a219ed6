"""JSON Schemas of many sources in one document: every named one once, and no two under one name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

_DEFS = "#/$defs/"
_VALUES = frozenset({"examples", "default", "const", "enum"})
"""Keywords whose content is data and no schema."""


class Definitions:
    """Collects named schemas; ``reference`` makes of a name the ``$ref`` that leads to it."""

    def __init__(self, reference: Callable[[str], str] = lambda name: f"#/components/schemas/{name}") -> None:
        self.schemas: dict[str, Json] = {}
        self._reference = reference
        self._texts: dict[str, str] = {}

    def add(self, schema: Json) -> Json:
        """``schema`` as it stands in the document: a reference if it has a title and fields of its own."""
        definitions = dict(schema.get("$defs", {}))
        root = {key: value for key, value in schema.items() if key != "$defs"}
        if "title" in root and root.get("type") == "object":
            definitions.setdefault(root["title"], root)
            root = {"$ref": _DEFS + root["title"]}
        names = {name: self._name_for(name, definitions) for name in definitions}
        for name, told in definitions.items():
            if names[name] not in self.schemas:
                self.schemas[names[name]] = {"title": names[name], **_rewritten(told, names, self._reference)}
        rewritten: Json = _rewritten(root, names, self._reference)
        return rewritten

    def _name_for(self, name: str, definitions: dict[str, Json]) -> str:
        """``name``, with a number if it is taken by another schema."""
        wanted = free = re.sub(r"\W+", "_", name).strip("_") or "Schema"
        whole = {each: definitions[each] for each in _reachable(name, definitions)}
        text, number = json.dumps(whole, sort_keys=True), 1
        while self._texts.setdefault(free, text) != text:
            number += 1
            free = f"{wanted}{number}"
        return free


def _reachable(name: str, definitions: dict[str, Json]) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in found and each in definitions:
            found.add(each)
            waiting += _references(definitions[each])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.removeprefix(_DEFS)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _rewritten(schema: Any, names: dict[str, str], reference: Callable[[str], str]) -> Any:
    """With references that lead to where the definitions are now, without the titles of mere fields.

    What AsyncAPI's own dialect (a superset of JSON Schema draft 7) has no word for is said in its words.
    """
    if isinstance(schema, list):
        return [_rewritten(each, names, reference) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told: Json = {}
    for key, value in schema.items():
        if key == "$ref":
            told[key] = reference(names[value.removeprefix(_DEFS)])
        elif key in _VALUES:
            told[key] = value
        elif key == "properties":
            told[key] = {name: _rewritten(each, names, reference) for name, each in value.items()}
        elif key == "prefixItems":
            told["items"] = _rewritten(value, names, reference)
        elif key != "title" and key != "discriminator":
            told[key] = _rewritten(value, names, reference)
    if "$ref" in told and len(told) > 1:  # draft 7: "All other properties in a $ref object MUST be ignored."
        told = {"allOf": [{"$ref": told.pop("$ref")}], **told}
    return told
