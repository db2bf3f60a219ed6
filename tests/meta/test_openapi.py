"""The OpenAPI document says all that a caller needs, of every route, whoever wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from steinmetz.erp.documentation import page
from steinmetz.erp.kit.schemas import Input
from steinmetz.erp.main import create_app
from steinmetz.erp.openapi import REFUSALS, TAGS
from steinmetz.erp.settings import load_settings

Operations = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    document: dict[str, Any] = create_app(load_settings(data_dir=tmp_path_factory.mktemp("openapi"))).api.openapi()
    return document


@pytest.fixture(scope="module")
def operations(openapi: dict[str, Any]) -> Operations:
    return {
        (method.upper(), path): operation
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    }


def inputs(kind: type[Input] = Input) -> Iterator[type[Input]]:
    """Every input schema of the product; the modules are imported with the application."""
    for below in kind.__subclasses__():
        if below.__module__.startswith("steinmetz."):
            yield below
        yield from inputs(below)


def test_every_input_has_an_example_that_it_accepts() -> None:
    found = sorted(set(inputs()), key=lambda one: f"{one.__module__}.{one.__qualname__}")
    assert len(found) >= 15
    for schema in found:
        extra = schema.model_config.get("json_schema_extra")
        name = f"{schema.__module__}.{schema.__qualname__}"
        assert isinstance(extra, dict), f"{name} has no example: model_config = example(...)"
        examples = extra["examples"]
        assert isinstance(examples, list)
        assert examples
        spelled = {field.alias or name for name, field in schema.model_fields.items()}
        for example in examples:
            schema.model_validate(json.loads(json.dumps(example)))
            assert isinstance(example, dict)
            assert set(example) <= spelled, f"the example of {name} is not spelled as it is sent"


def test_every_operation_says_what_the_caller_wants_to_know(operations: Operations) -> None:
    mute = [name for name, one in operations.items() if not one.get("description") or not one.get("summary")]
    assert mute == [], "a docstring is the description"
    nameless = [
        (*name, parameter["name"])
        for name, one in operations.items()
        for parameter in one.get("parameters", ())
        if not parameter.get("description")
    ]
    assert nameless == [], "Query(description=...)"


def test_every_operation_tells_its_refusals_as_problem_documents(
    openapi: dict[str, Any], operations: Operations
) -> None:
    for (method, path), operation in operations.items():
        told = operation["responses"]
        assert any(status.startswith("2") for status in told)
        assert "422" in told
        assert ("429" in told) is (path not in {"/healthz", "/readyz", "/metrics"})
        assert ("401" in told) >= ("security" in operation)
        assert ("404" in told) >= ("{" in path)
        assert ("413" in told) >= ("requestBody" in operation)
        if "security" in operation and method != "GET":
            assert {"401", "409", "503"} <= set(told)
        for status, answer in told.items():
            if status[0] in "45":
                name = answer["$ref"].rpartition("/")[2]
                (kind, content), *others = openapi["components"]["responses"][name]["content"].items()
                assert (kind, others) == ("application/problem+json", [])
                assert content["example"]["status"] == int(status)
                assert content["example"]["success"] is False


def test_the_refusals_follow_from_what_a_route_depends_on(operations: Operations) -> None:
    def told(method: str, path: str) -> set[int]:
        return {int(status) for status in operations[method, path]["responses"] if status >= "400"}

    assert told("GET", "/healthz") == {422}
    assert told("GET", "/api/customers") == {401, 422, 429, 503}
    assert told("GET", "/api/customers/{customer_id}") == {401, 404, 422, 429, 503}
    assert told("POST", "/api/auth/login") == {400, 401, 403, 413, 415, 422, 429, 503}
    assert told("GET", "/api/users") == {401, 403, 422, 429, 503}
    assert told("POST", "/api/invoices/{invoice_id}/pay") == set(REFUSALS)
    assert "security" not in operations["POST", "/api/auth/login"]
    assert operations["GET", "/api/auth/me"]["security"] == [{"accessToken": []}]


def test_kept_answers_say_so(operations: Operations) -> None:
    kept = operations["GET", "/api/customers"]["responses"]
    assert "X-Cache" in kept["200"]["headers"]
    assert "304" in kept
    assert "304" not in operations["GET", "/api/roles"]["responses"]


def test_every_tag_is_described_and_no_server_is_named(openapi: dict[str, Any]) -> None:
    assert [tag["name"] for tag in openapi["tags"] if not tag.get("description")] == [], "see erp/openapi.py"
    assert {tag["name"] for tag in openapi["tags"]} <= set(TAGS)
    assert "servers" not in openapi
    assert list(openapi["components"]["securitySchemes"]) == ["accessToken"]


def test_neither_document_nor_page_leads_out_of_the_house(openapi: dict[str, Any]) -> None:
    document = json.dumps(openapi)
    assert re.findall(r"https?:[^\"\s]*", document) == []
    html = page(openapi)
    assert re.findall(r"(?:href|src|action)=\"(?![#/])[^\"]*", html) == []
    assert re.findall(r"https?:", html) == []
    assert "<script" not in html


def test_every_reference_within_the_document_leads_somewhere(openapi: dict[str, Any]) -> None:
    broken = []
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(openapi))):
        place: Any = openapi
        for step in reference.split("/"):
            place = place.get(step) if isinstance(place, dict) else None
        if place is None:
            broken.append(reference)
    assert broken == []
