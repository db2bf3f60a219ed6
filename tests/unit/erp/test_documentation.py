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
                "security": [{"accessToken": []}],
                "responses": {
                    "201": {
                        "description": "Successful Response",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
                    },
                    "409": {"$ref": "#/components/responses/Problem409"},
                },
                "summary": "Make & take",
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "Of the `thing` <b>",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 9},
                    }
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                },
            }
        }
    },
    "components": {
        "responses": {
            "Problem409": {
                "description": "Too late; `current` is how it stands.",
                "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
                "content": {"application/problem+json": {"example": {"status": 409}}},
            }
        },
        "headers": {"Retry-After": {"description": "Seconds"}},
        "schemas": {
            "Answer": {
                "required": ["data"],
                "properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}},
            },
            "Tree": {
                "examples": [{"name": "ä"}],
                "properties": {
                    "kind": {"enum": ["a", "b"]},
                    "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                },
            },
            "Thing": {
                "examples": [{"name": "Blech <1>"}],
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def test_the_page_tells_parameters_and_bodies() -> None:
    html = page(OPENAPI)
    assert '<b class="post">POST</b> <code>/things/{id}</code> <i>Make &amp; take</i>' in html
    assert '<a href="#post-/things/{id}">' in html
    assert "<td><code>id</code></td><td>path</td><td>integer<br><small>1 to 9</small></td>" in html
    assert "Of the <code>thing</code> &lt;b&gt;" in html
    assert "{\n  name: string\n  due?: date | null\n  tags?: [string]\n}" in html
    assert "T&lt;" in html


def test_its_policy_allows_exactly_its_style_sheet() -> None:
    found = re.search("<style>(.*?)</style>", page(OPENAPI), re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in content_security_policy()


def test_it_shows_examples_answers_and_errors() -> None:
    html = page(OPENAPI)
    assert "<h3>Example</h3><pre>{\n  &quot;name&quot;: &quot;Blech &lt;1&gt;&quot;\n}</pre>" in html
    assert "<h3>201</h3><pre>{\n  data: [{\n    name: string\n    due?: date | null" in html
    assert '<a href="#Problem409">409</a>' in html
    assert 'id="Problem409"' in html
    assert "&quot;status&quot;: 409" in html
    assert "<code>Retry-After</code></td><td>Seconds" in html
    assert "Too late; <code>current</code> is" in html
    assert '<a href="#signing-in">' in html


def test_a_tree_is_shown_once_and_not_for_ever() -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}
    tree = {"post": {"requestBody": {"content": content}}}
    html = page({**OPENAPI, "paths": {"/tree": tree}})
    assert "{\n  kind?: a | b\n  below?: [Tree]\n}" in html


def test_every_link_within_the_page_leads_somewhere() -> None:
    html = page(OPENAPI)
    anchors = set(re.findall('id="([^"]+)"', html))
    assert set(re.findall('href="#([^"]+)"', html)) <= anchors
    assert len(anchors) == len(re.findall('id="', html))
