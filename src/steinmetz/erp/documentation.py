"""/docs: the OpenAPI document as one page without script, so that it works offline and under a strict policy."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border-top: 1px solid #8886; padding: .5rem 0; }
summary { cursor: pointer; }
code, pre { font: .9rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; background: #8881; }
b { display: inline-block; width: 4.5rem; }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
"""


def content_security_policy() -> str:
    """Allows this page its one style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def page(openapi: dict[str, Any]) -> str:
    """The HTML page of an OpenAPI 3.1 document."""
    sections: dict[str, list[str]] = defaultdict(list)
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            sections[tag].append(_operation(method.upper(), path, operation, openapi))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in sections.items())
    info = openapi["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info.get('summary', ''))}. "
        'For programs: <a href="/openapi.json">openapi.json</a>. Sign in with <code>POST /api/auth/login</code> '
        "and send the access token as <code>Authorization: Bearer</code>. Errors are problem documents "
        f"(RFC 9457).</p>{body}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], openapi: dict[str, Any]) -> str:
    about = operation.get("description") or operation.get("summary", "")
    inside = f"<p>{escape(about)}</p>"
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
            f"<td>{escape(_kind(one.get('schema', {})))}</td>"
            f"<td>{escape(one.get('description', ''))}</td></tr>"
            for one in parameters
        )
        inside += f"<table><tr><th>Parameter<th>In<th>Type<th></tr>{rows}</table>"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        inside += f"<pre>{escape(_body(content.get('schema', {}), openapi))}</pre>"
    return (
        f"<details><summary><b>{method}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>{inside}</details>"
    )


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("type", "any"))


def _body(schema: dict[str, Any], openapi: dict[str, Any]) -> str:
    """The fields of a JSON body, one a line; optional ones carry a question mark."""
    named = openapi.get("components", {}).get("schemas", {}).get(_kind(schema), schema)
    required = set(named.get("required", ()))
    lines = [
        f"  {name}{'' if name in required else '?'}: {_kind(one)}"
        for name, one in named.get("properties", {}).items()
    ]
    return "\n".join(["{", *lines, "}"]) if lines else _kind(schema)
