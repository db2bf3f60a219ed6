"""TypeScript types of the HTTP API, for the page: ``python -m steinmetz.erp.api_types FILE [--check]``.

Made from OpenAPI without a running server. An interface for each schema, and for each method one of its paths:
``Gets['/api/customers']`` is ``{path, query, body, answer}``. ``dev.py types`` writes them, ``dev.py check``
compares: who renames a field breaks the build of the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from steinmetz.erp.generated_file import keep
from steinmetz.erp.main import create_app
from steinmetz.erp.settings import load_settings
from steinmetz.realtime.events.typescript import comment, declaration, literal, member_name, type_of

Json = dict[str, Any]

HEAD = "The HTTP API. Made from OpenAPI by `python3 dev.py types`: not to be changed by hand."
METHODS = {"get": "Gets", "post": "Posts", "put": "Puts", "patch": "Patches", "delete": "Deletes"}
_SCHEMAS = "#/components/schemas/"


def api_types() -> str:
    """The module's text, of an application with default settings that is never started."""
    with TemporaryDirectory() as folder:
        return typescript_of(create_app(load_settings(data_dir=Path(folder))).api.openapi())


def typescript_of(openapi: Json) -> str:
    """The module's text for one OpenAPI document."""
    schemas, paths = openapi["components"]["schemas"], openapi["paths"]
    said = _reachable(_bodies(paths), schemas)
    texts = [f"/** {HEAD} */\n"]
    for name, schema in sorted(schemas.items()):
        told = schema if name in said else _answered(schema)
        texts.append(declaration(_type_name(name), _named(told)))
    texts += [_routes(method, name, paths) for method, name in METHODS.items()]
    return "\n".join(texts)


def _bodies(paths: Json) -> Iterator[Any]:
    for operations in paths.values():
        for operation in operations.values():
            if isinstance(operation, dict) and "requestBody" in operation:
                yield operation["requestBody"]


def _reachable(roots: Iterable[Any], schemas: Json) -> set[str]:
    """The names of all schemas that ``roots`` refer to, by whatever way."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _references(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        if isinstance(ref := told.get("$ref"), str) and ref.startswith(_SCHEMAS):
            yield ref.removeprefix(_SCHEMAS)
        for value in told.values():
            yield from _references(value)
    elif isinstance(told, list):
        for value in told:
            yield from _references(value)


def _answered(schema: Json) -> Json:
    """``schema`` as an answer: a member with a default may be left out of a request, but an answer has it."""
    members = schema.get("properties", {})
    always = [name for name, told in members.items() if isinstance(told, dict) and "default" in told]
    return {**schema, "required": [*schema.get("required", ()), *always]}


def _named(told: Any) -> Any:
    """``told`` with each reference replaced by the type's name."""
    if isinstance(told, list):
        return [_named(value) for value in told]
    if not isinstance(told, dict):
        return told
    return {
        key: _type_name(value.removeprefix(_SCHEMAS)) if key == "$ref" else _named(value)
        for key, value in told.items()
    }


def _type_name(name: str) -> str:
    """`Listing_CustomerView_` is ``ListingCustomerView``; what its module made unique keeps the module's name."""
    parts = [part for part in re.split(r"_+", name) if part]
    if parts and parts[0] == "steinmetz":  # steinmetz.erp.modules.hr.schemas.Deleted, steinmetz.erp.kit.answers...
        parts = [parts[3], *parts[5:]] if parts[2] == "modules" else parts[4:]
    return "".join(part[0].upper() + part[1:] for part in parts)


def _routes(method: str, name: str, paths: Json) -> str:
    members = [_route(path, told[method]) for path, told in sorted(paths.items()) if method in told]
    return f"export interface {name} {{\n" + "".join(members) + "}\n"


def _route(path: str, operation: Json) -> str:
    return (
        f"{comment(operation.get('description', ''), '  ')}  {literal(path)}: {{\n"
        f"    path: {_parameters(operation, 'path')};\n"
        f"    query: {_parameters(operation, 'query')};\n"
        f"    body: {_body(operation)};\n"
        f"    answer: {_answer(operation)};\n"
        f"  }};\n"
    )


def _parameters(operation: Json, place: str) -> str:
    told = [each for each in operation.get("parameters", ()) if each["in"] == place]
    if not told:
        return "Record<never, never>"
    members = (
        f"{member_name(each['name'])}{'' if each.get('required') else '?'}: {type_of(_named(each['schema']))}"
        for each in told
    )
    return "{ " + "; ".join(members) + " }"


def _body(operation: Json) -> str:
    body = operation.get("requestBody", {})
    schema = body.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return "undefined"
    told = type_of(_named(schema), "    ")
    return told if body.get("required") else f"{told} | undefined"


def _answer(operation: Json) -> str:
    """What a success says; a file or a text is a Blob."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            content = response.get("content", {})
            if "application/json" in content:
                return type_of(_named(content["application/json"].get("schema", {})), "    ")
            return "Blob" if content else "undefined"
    return "undefined"


def main(arguments: list[str]) -> int:
    """Write the file, or (``--check``) say whether it is as it should be."""
    return keep(arguments, api_types, "OpenAPI says")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
