"""The page's types of HTTP: made from OpenAPI, and told when they are overdue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steinmetz.erp.api_types import main, typescript_of

TYPES = Path(__file__).resolve().parents[2] / "web" / "src" / "api" / "types.ts"

ROW: dict[str, Any] = {
    "properties": {"id": {"type": "integer"}, "note": {"type": "string", "default": ""}},
    "required": ["id"],
}
OPENAPI: dict[str, Any] = {
    "components": {
        "schemas": {"Row": ROW, "RowInput": ROW, "Listing_Row_": {"$ref": "#/components/schemas/Row"}},
    },
    "paths": {
        "/api/rows/{row_id}": {
            "post": {
                "parameters": [{"name": "row_id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RowInput"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Row"}}}}
                },
            },
            "get": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"content": {"text/csv": {"schema": {"type": "string"}}}}},
            },
        }
    },
}


def test_a_field_with_a_default_may_be_left_out_of_a_request_but_an_answer_has_it() -> None:
    told = typescript_of(OPENAPI)
    assert "export interface Row {\n  id: number;\n  note: string;\n}" in told
    assert "export interface RowInput {\n  id: number;\n  note?: string;\n}" in told
    assert "export type ListingRow = Row;" in told


def test_a_route_says_what_it_is_asked_and_what_it_answers() -> None:
    told = typescript_of(OPENAPI)
    gets, _, posts = told.partition("export interface Posts")
    assert "path: { row_id: number };\n" in posts
    assert "body: RowInput;\n    answer: Row;\n" in posts
    assert "query: { q?: string };\n    body: undefined;\n    answer: Blob;\n" in gets


def test_the_file_of_the_page_is_what_openapi_says_and_a_change_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(TYPES), "--check"]) == 0
    file = tmp_path / "types.ts"
    file.write_text(TYPES.read_text().replace("vatId", "vatNumber"))
    assert main([str(file), "--check"]) == 1
    assert "run python3 dev.py types" in capsys.readouterr().err
    assert main([str(file)]) == 0
    assert file.read_text() == TYPES.read_text()
