"""/docs: the OpenAPI document as one page without script, so that it works offline and under a strict policy.

An operation opens by its link: the anchor lies within its ``details``, and a browser that goes to a fragment opens
what hides it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, sans-serif;
  --line: light-dark(#d9dde3, #343a43); --soft: light-dark(#f4f6f8, #1b1f25);
  --quiet: light-dark(#57606a, #9aa4b1);
  --text: light-dark(#1c2128, #e6e9ee); --page: light-dark(#fff, #121519); --link: light-dark(#0b5cad, #79b8ff);
  --get: light-dark(#0b5cad, #79b8ff); --post: light-dark(#1a6b38, #6fd08c); --patch: light-dark(#8a5300, #e9b44c);
  --delete: light-dark(#b3261e, #ff8f85); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; color: var(--text); background: var(--page); }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre { font: .875rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { margin: .5rem 0 1rem; padding: .75rem 1rem; overflow-x: auto; overflow-wrap: normal; background: var(--soft);
  border: 1px solid var(--line); border-radius: 6px; }
nav { padding: 1rem; border-bottom: 1px solid var(--line); background: var(--soft); }
nav > b { display: block; margin-bottom: .5rem; }
nav summary { font-weight: 600; text-transform: capitalize; }
nav ul { margin: .25rem 0 .75rem; padding: 0; list-style: none; font-size: .8125rem; }
nav li a { display: flex; gap: .5rem; padding: .15rem .25rem; color: var(--text); border-radius: 4px; }
nav li a:hover { background: var(--line); text-decoration: none; }
nav li b { flex: 0 0 3.4rem; font-size: .75rem; line-height: 1.6; }
nav li code { font-size: .75rem; }
main { max-width: 58rem; padding: 1rem; }
h1 { margin: .5rem 0 1rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .25rem; padding-top: .5rem; text-transform: capitalize; }
h3 { margin: 1.25rem 0 .25rem; font-size: .875rem; color: var(--quiet); font-weight: 600; }
h2 + p { margin-top: 0; color: var(--quiet); }
summary { cursor: pointer; padding: .3rem 0; }
main details { border-top: 1px solid var(--line); }
main details details { border: 0; }
main section > details:last-of-type { border-bottom: 1px solid var(--line); }
main details[open] > summary { font-weight: 600; }
main summary > b { display: inline-block; min-width: 4.6rem; }
summary > i { color: var(--quiet); font-style: normal; font-weight: 400; }
.inside { padding: 0 0 1.25rem 1.1rem; scroll-margin-top: 3.5rem; }
.inside:target { box-shadow: inset 3px 0 var(--link); }
.get { color: var(--get); } .post { color: var(--post); } .patch, .put { color: var(--patch); }
.delete { color: var(--delete); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9375rem; }
td, th { text-align: left; padding: .25rem 1.25rem .25rem 0; vertical-align: top; }
th { font-size: .8125rem; color: var(--quiet); font-weight: 600; }
td code { white-space: nowrap; }
@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 21rem minmax(0, 1fr); }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0;
    border-right: 1px solid var(--line); }
  nav details::details-content { content-visibility: visible; }
  nav summary { list-style: none; pointer-events: none; }
  main { padding: 1.5rem 2.5rem 6rem; }
}
"""

MAX_DEPTH = 4
"""Of the fields that are shown within fields."""

Object = dict[str, Any]


def content_security_policy() -> str:
    """Allows this page its one style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def page(openapi: Object) -> str:
    """The HTML page of an OpenAPI 3.1 document."""
    sections: dict[str, list[str]] = defaultdict(list)
    links: dict[str, list[str]] = defaultdict(list)
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            anchor = operation.get("operationId") or f"{method}-{path}"
            sections[tag].append(_operation(method.upper(), path, anchor, operation, openapi))
            links[tag].append(
                f'<li><a href="#{escape(anchor)}"><b class="{method}">{method.upper()}</b>'
                f"<code>{_breakable(path)}</code></a></li>"
            )
    described = {tag["name"]: tag.get("description", "") for tag in openapi.get("tags", ())}
    order = [*(tag for tag in described if tag in sections), *(tag for tag in sections if tag not in described)]
    navigation = "".join(
        f"<details><summary>{escape(tag)}</summary><ul>{''.join(links[tag])}</ul></details>" for tag in order
    )
    body = "".join(
        f'<section><h2 id="tag-{escape(tag)}">{escape(tag)}</h2><p>{_prose(described.get(tag, ""))}</p>'
        f"{''.join(sections[tag])}</section>"
        for tag in order
    )
    info = openapi["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f'<nav aria-label="Operations"><b>{escape(info["title"])} {escape(info["version"])}</b>{navigation}</nav>'
        f"<main><h1>{escape(info['title'])} API</h1><p>{escape(info.get('summary', ''))}. "
        'For programs: <a href="/openapi.json">openapi.json</a>, and <a href="/asyncapi.json">asyncapi.json</a> '
        "for the events of its sockets.</p>"
        f"{_introduction(openapi)}{body}</main></body></html>"
    )


def _introduction(openapi: Object) -> str:
    signing_in = (
        '<section><h2 id="signing-in">Signing in</h2><p>Send e-mail address and password to '
        "<code>POST /api/auth/login</code>, and the <code>accessToken</code> of the answer with every request:</p>"
        "<pre>Authorization: Bearer &lt;accessToken&gt;</pre></section>"
    )
    refusals = openapi.get("components", {}).get("responses", {})
    if not refusals:
        return signing_in
    shown = "".join(
        f"<details><summary><b>{_status(name)}</b> {_prose(one['description'])}</summary>"
        f'<div class="inside" id="{escape(name)}">{_headers(one, openapi)}{_examples(one)}</div></details>'
        for name, one in refusals.items()
    )
    return (
        f'{signing_in}<section><h2 id="errors">Errors</h2><p>A refusal is a problem document (RFC 9457, '
        f"<code>application/problem+json</code>) whose <code>detail</code> says what to do.</p>{shown}</section>"
    )


def _status(name: str) -> str:
    return escape(name.removeprefix("Problem"))


def _operation(method: str, path: str, anchor: str, operation: Object, openapi: Object) -> str:
    about = operation.get("description") or operation.get("summary", "")
    inside = "".join(f"<p>{_prose(part)}</p>" for part in about.split("\n\n"))
    if operation.get("security"):
        inside += '<p>Needs an access token: <a href="#signing-in">signing in</a>.</p>'
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}{'' if one.get('required') else '?'}</code></td>"
            f"<td>{escape(one['in'])}</td><td>{escape(_kind(one.get('schema', {})))}"
            f"{_bounds(one.get('schema', {}))}</td><td>{_prose(one.get('description', ''))}</td></tr>"
            for one in parameters
        )
        inside += (
            '<h3>Parameters</h3><div class="wide"><table><tr><th>Name<th>In<th>Type<th>Meaning</tr>'
            f"{rows}</table></div>"
        )
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        inside += f"<h3>Body, {escape(media_type)}</h3><pre>{escape(_fields(schema, openapi))}</pre>"
        for example in (content.get("example"), *_resolved(schema, openapi).get("examples", ())[:1]):
            if example is not None:
                inside += f"<h3>Example</h3><pre>{escape(_json(example))}</pre>"
    inside += _answers(operation.get("responses", {}), openapi)
    return (
        f'<details><summary><b class="{method.lower()}">{method}</b> <code>{escape(path)}</code> '
        f"<i>{escape(operation.get('summary', ''))}</i></summary>"
        f'<div class="inside" id="{escape(anchor)}">{inside}</div></details>'
    )


def _answers(responses: Object, openapi: Object) -> str:
    text, refusals = "", []
    for status, answer in responses.items():
        if "$ref" in answer:
            name = answer["$ref"].rpartition("/")[2]
            refusals.append(f'<a href="#{escape(name)}">{escape(status)}</a>')
            continue
        about = answer.get("description", "")
        text += f"<h3>{escape(status)}{'' if about == 'Successful Response' else ' ' + escape(about)}</h3>"
        for media_type, content in answer.get("content", {}).items():
            told = _fields(content.get("schema", {}), openapi)
            text += f"<pre>{escape(told if told.startswith('{') else media_type)}</pre>"
    if refusals:
        text += f"<h3>Errors</h3><p>{' · '.join(refusals)}</p>"
    return text


def _headers(answer: Object, openapi: Object) -> str:
    described = {name: _resolved(one, openapi) for name, one in answer.get("headers", {}).items()}
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_prose(one.get('description', ''))}</td></tr>"
        for name, one in described.items()
    )
    return f'<div class="wide"><table>{rows}</table></div>' if rows else ""


def _examples(answer: Object) -> str:
    return "".join(
        f"<pre>{escape(_json(content['example']))}</pre>"
        for content in answer.get("content", {}).values()
        if "example" in content
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _prose(text: str) -> str:
    """Text of a docstring; what stands between backticks is code."""
    parts = escape(text).replace("``", "`").split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _breakable(path: str) -> str:
    return escape(path).replace("/", "/<wbr>")


def _resolved(schema: Object, openapi: Object) -> Object:
    """What a reference within the document leads to; anything else as it is."""
    if "$ref" not in schema:
        return schema
    found: Any = openapi
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found.get(step, {})
    return found if isinstance(found, dict) else {}


def _kind(schema: Object) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    return str(schema.get("format") or schema.get("type", "any"))


def _bounds(schema: Object) -> str:
    """The bounds of a parameter and what it is if it is left out."""
    told = []
    if "minimum" in schema and "maximum" in schema:
        told.append(f"{schema['minimum']} to {schema['maximum']}")
    if "maxLength" in schema:
        told.append(f"up to {schema['maxLength']} characters")
    if schema.get("default") not in (None, ""):
        told.append(f"default {schema['default']}")
    return f"<br><small>{escape(', '.join(told))}</small>" if told else ""


def _fields(schema: Object, openapi: Object, depth: int = 0, above: tuple[str, ...] = ()) -> str:
    """The fields of a JSON document, one a line; those that may be left out carry a question mark."""
    name = _kind(schema)
    named = _resolved(schema, openapi)
    if named.get("type") == "array":
        inner = _fields(named.get("items", {}), openapi, depth, above)
        return f"[{inner}]"
    if "enum" in named:
        return _kind(named)
    properties = named.get("properties", {})
    if not properties or name in above or depth >= MAX_DEPTH:
        return name
    required, indent = set(named.get("required", ())), "  " * (depth + 1)
    lines = [
        f"{indent}{field}{'' if field in required else '?'}: {_within(one, openapi, depth + 1, (*above, name))}"
        for field, one in properties.items()
    ]
    return "\n".join(["{", *lines, "  " * depth + "}"])


def _within(schema: Object, openapi: Object, depth: int, above: tuple[str, ...]) -> str:
    if "anyOf" in schema:
        return " | ".join(_fields(one, openapi, depth, above) for one in schema["anyOf"])
    return _fields(schema, openapi, depth, above)
