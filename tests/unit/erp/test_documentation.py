from __future__ import annotations

import base64
import hashlib
import re

from steinmetz.erp.documentation import content_security_policy, page

OPENAPI = {
    "info": {"title": "T<", "version": "1"},
    "paths": {
        "/things/{id}": {
            "post": {
                "tags": ["things"],
                "summary": "Make & take",
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            }
        }
    },
}


def test_the_page_tells_parameters_and_bodies() -> None:
    html = page(OPENAPI)
    assert "<b>POST</b> <code>/things/{id}</code> Make &amp; take" in html
    assert "{\n  name: string\n  due?: date | null\n  tags?: [string]\n}" in html
    assert "T&lt;" in html


def test_its_policy_allows_exactly_its_style_sheet() -> None:
    found = re.search("<style>(.*?)</style>", page(OPENAPI), re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in content_security_policy()
