"""Makes hostile requests out of an OpenAPI document: every operation, whoever wrote it, in every way we know of.

Each operation is attacked at its path, its query, its body, its headers, and by callers who must not. Values are
dealt out in turn, so that all of them come up often, and every run asks the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import quote

Object = dict[str, Any]
JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Attack:
    """One request. ``target`` is path and query as they stand on the wire."""

    name: str
    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    caller: str = "admin"
    """A role; ``nobody`` without a token, ``forger`` with tokens of his own making."""
    expected: frozenset[int] = frozenset()
    """The only statuses that are right; empty: any refusal, or a success that is one."""
    sent: Object = field(default_factory=dict)
    """Texts that must be found unchanged in the answer if it is a success."""


class Raw(str):
    """JSON as it is sent, where Python has no such value."""


TEXTS: list[Any] = [
    "x" * 100_000,
    "",
    "   ",
    "\x00",
    "a\x00b",
    "\n\r\t",
    "\x1b[2J\x07",
    Raw('"\\ud800"'),
    Raw('"\\udc00\\ud800"'),
    Raw('"\\u0000"'),
    "\u202egnp.exe\u202c",
    "\u2066left\u2069\u200f",
    "a" + "\u0301" * 400,
    "Z\u0351\u036b\u0343" * 20,
    "\u0430dmin",  # a Cyrillic a
    "ﬀ①Ⅷ\u00ad",
    "\ufeff\ufffe\uffff",
    "👩‍👩‍👧‍👦" * 5,
    "İıſK",
    "'; DROP TABLE users; --",
    '" OR ""="',
    "1 UNION SELECT password_hash FROM users",
    "%' ESCAPE '",
    "%_\\%",
    "$(id)`id`",
    "{{7*7}}${7*7}<%= 7 %>",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "=cmd|' /C calc'!A0",
    "a\r\nSet-Cookie: x=1",
    "null",
    "NaN",
]
NUMBERS: list[Any] = [
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**40,
    0,
    -1,
    Raw("-0"),
    Raw("1e400"),
    Raw("-1e400"),
    Raw("1e2"),
    Raw("NaN"),
    Raw("Infinity"),
    Raw("1.0"),
    0.1,
    5e-324,
    True,
]
SHAPES: list[Any] = [
    None,
    [],
    {},
    [[]],
    {"$ne": None},
    ["a"] * 1_000,
    {"__proto__": {"isAdmin": True}},
    False,
    "1",
    1,
    Raw("[" * 100 + "]" * 100),
    Raw("[" * 20_000),
]
IN_PATH = [
    "0",
    "-1",
    str(2**31),
    str(2**63),
    "1" * 400,
    "1e9",
    "1.0",
    "+1",
    "1_0",
    "%201",
    "NaN",
    "%00",
    "1%00",
    "%0a",
    "%2e%2e%2fusers",
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e%252f",
    "..;",
    "1;drop%20table%20users",
    "1'--",
    "%ff%fe",
    "%ed%a0%80",
    "%D9%A1",
    "%E2%80%AE1",
    "null",
    "true",
    "*",
    "~",
    "x" * 5_000,
]
IN_QUERY = [
    "",
    "%00",
    "%ff",
    "%ed%a0%80",
    "-1",
    "0",
    str(2**31),
    str(2**63),
    "9" * 400,
    "1e9",
    "NaN",
    "Infinity",
    "null",
    "1.0",
    "1_0",
    "%D9%A1",
    "'%20OR%201=1--",
    "%25%27%20OR%20%27%27=%27",
    "%25_%5C",
    "..%2f..%2f",
    "%E2%80%AEx",
    "a" + "%CC%81" * 90,
    "x" * 5_000,
    "0000-00-00",
    "2026-02-30",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00%2B14:00",
    "[]",
    "%7B%7D",
    "id;drop",
    "on",
]
HEADERS: list[tuple[tuple[bytes, bytes], ...]] = [
    ((b"x-http-method-override", b"DELETE"), (b"x-method-override", b"DELETE")),
    ((b"x-original-url", b"/api/users"), (b"x-rewrite-url", b"/api/users")),
    ((b"x-forwarded-for", b"127.0.0.1, " * 500),),
    ((b"x-forwarded-proto", b"javascript"), (b"x-forwarded-host", b"evil.example")),
    ((b"host", b"evil.example"),),
    ((b"origin", b"null"), (b"referer", b"https://evil.example/")),
    ((b"accept", b"text/xml;q=\xff"), (b"accept-language", b"\x00" * 50), (b"accept-encoding", b"zip bomb")),
    ((b"x-request-id", b"x\r\nset-cookie: a=b"),),
    ((b"x-request-id", b"'" * 5_000),),
    ((b"if-none-match", b'"' * 3_001), (b"if-modified-since", b"yesterday")),
    ((b"range", b"bytes=0-18446744073709551615,-1"),),
    ((b"cookie", b"steinmetz_refresh=" + b"\xff" * 2_000 + b"; =; ;;"),),
    ((b"cache-control", b"max-age=99999999999999999999, no-cache=\x00"),),
    ((b"user-agent", b"\x1b]0;x\x07" * 500),),
    ((b"expect", b"100-continue"), (b"te", b"trailers"), (b"upgrade", b"h2c")),
    ((b"x-consistency-token", b"\x00\xff"), (b"authorization", b"Bearer")),
]
TOKENS = [
    b"Bearer " + base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=") + b".e30.",
    b"Bearer " + b"a" * 4_000,
    b"Bearer \xff\xfe",
    b"Bearer ..",
    b"Basic YWRtaW46YWRtaW4=",
    b"bearer",
]
DOCUMENTS: list[tuple[str, bytes, bytes]] = [
    ("no body", JSON, b""),
    ("not JSON", JSON, b"{nope"),
    ("null", JSON, b"null"),
    ("a list", JSON, b"[1, 2]"),
    ("a text", JSON, b'"x"'),
    ("a number", JSON, b"1e400"),
    ("too deep", JSON, b'{"a":' * 5_000),
    ("not UTF-8", JSON, b'{"a": "\xff"}'),
    ("a zip bomb", JSON, b"\x1f\x8b\x08" + b"\x00" * 1_000),
    ("a form", b"application/x-www-form-urlencoded", b"a=1&a=2"),
    ("a broken form", b"multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n'),
    ("XML", b"application/xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
    ("an odd type", b"application/json; charset=\xff" + b"x" * 300, b"{}"),
    ("no type", b"", b"{}"),
    ("a name twice", JSON, b'{"version": 1, "version": 2}'),
]


class Hostility:
    """All attacks on the operations of ``openapi``; ``known_id`` is that of some record of most kinds."""

    def __init__(self, openapi: Object, known_id: int = 2) -> None:
        self._openapi = openapi
        self._known_id = known_id
        self._texts, self._numbers, self._shapes = cycle(TEXTS), cycle(NUMBERS), cycle(SHAPES)
        self._paths, self._queries, self._headers = cycle(IN_PATH), cycle(IN_QUERY), cycle(HEADERS)
        self._tokens, self._documents = cycle(TOKENS), cycle(DOCUMENTS)

    def attacks(self, excluded: frozenset[str] = frozenset()) -> Iterator[Attack]:
        for path, item in self._openapi["paths"].items():
            for method, operation in item.items():
                if path not in excluded:
                    yield from self._on(method.upper(), path, operation)

    def _on(self, method: str, path: str, operation: Object) -> Iterator[Attack]:
        at = f"{method} {path}"
        parameters = operation.get("parameters", [])
        places = [one["name"] for one in parameters if one["in"] == "path"]
        queried = [one for one in parameters if one["in"] == "query"]
        needed = {one["name"]: self._harmless(one) for one in queried if one.get("required")}
        plain = self._target(path, {}, needed)
        body = self._example(operation)
        content = b"" if body is None else json.dumps(body).encode()
        typed = ((b"content-type", JSON),) if body is not None else ()
        if "security" in operation:
            # Told before anything else is looked at, or that the request makes no sense; never more.
            yield Attack(f"{at} by nobody", method, plain, content, typed, "nobody", frozenset({401, 422}))
            token = ((b"authorization", next(self._tokens)),)
            yield Attack(f"{at} forged", method, plain, content, typed + token, "forger", frozenset({401, 422}))
            yield Attack(f"{at} by the auditor", method, plain, content, typed, "auditor")
            yield Attack(f"{at} by a clerk", method, plain, content, typed, "clerk")
        for name in places:
            for _ in range(5):
                value = next(self._paths)
                target = self._target(path, {name: value}, needed)
                yield Attack(f"{at} {name}={value[:30]}", method, target, content, typed)
        for one in queried:
            for _ in range(3):
                value = next(self._queries)
                target = self._target(path, {}, needed | {one["name"]: value})
                yield Attack(f"{at} ?{one['name']}={value[:30]}", method, target, content, typed)
            if one["name"] == "cursor":
                yield from (
                    Attack(f"{at} forged cursor", method, self._target(path, {}, needed | {"cursor": cursor}))
                    for cursor in _cursors()
                )
            schema = one.get("schema", {})
            if "array" not in [kind.get("type") for kind in (schema, *schema.get("anyOf", ()))]:
                twice = f"{plain}{'&' if '?' in plain else '?'}{one['name']}=1&{one['name']}=2"
                yield Attack(f"{at} twice", method, twice, content, typed, expected=frozenset({422}))
        for query in ("x=1", "=", "&" * 200, "a=b&" * 2_000, "%00=1", "limit[]=1", "$where=1"):
            if query == "&" * 200 and method != "GET":
                continue
            glue = "&" if "?" in plain else "?"
            yield Attack(f"{at} ?{query[:20]}", method, f"{plain}{glue}{query}", content, typed)
        for _ in range(2):
            headers = next(self._headers)
            yield Attack(f"{at} with {headers[0][0].decode()}", method, plain, content, typed + headers)
        if body is not None:
            yield from self._bodies(at, method, plain, body)
        elif method != "GET":
            yield Attack(f"{at} with a body", method, plain, b'{"a": NaN}', ((b"content-type", JSON),))

    def _bodies(self, at: str, method: str, target: str, body: Object) -> Iterator[Attack]:
        typed = ((b"content-type", JSON),)
        yield Attack(f"{at} as shown", method, target, _json(body), typed, sent=_texts(body))
        for name in body:
            for value in (next(self._texts), next(self._texts), next(self._numbers), next(self._shapes)):
                changed = body | {name: value}
                shown = f"{name}={str(value)[:30]!r}"
                yield Attack(f"{at} {shown}", method, target, _json(changed), typed, sent=_texts(changed))
            without = {key: value for key, value in body.items() if key != name}
            yield Attack(f"{at} without {name}", method, target, _json(without), typed)
        unknown = frozenset({401, 403, 404, 422})
        for extra in ({"isAdmin": True}, {"id": 1}, {"__proto__": {}}, {"createdAt": "2020-01-01T00:00:00Z"}):
            yield Attack(f"{at} with {extra}", method, target, _json(body | extra), typed, expected=unknown)
        for _ in range(5):
            name, kind, content = next(self._documents)
            headers = ((b"content-type", kind),) if kind else ()
            yield Attack(f"{at} as {name}", method, target, content, headers)
        twice = _json(body)[:-1] + b"," + _json({next(iter(body)): 1})[1:]
        yield Attack(f"{at} named twice", method, target, twice, typed, expected=unknown)

    def _target(self, path: str, places: dict[str, str], query: dict[str, str]) -> str:
        for step in path.split("/"):
            if step.startswith("{"):
                path = path.replace(step, places.get(step[1:-1], str(self._known_id)))
        return path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")

    def _harmless(self, parameter: Object) -> str:
        schema = parameter.get("schema", {})
        if schema.get("format") == "date":
            return "2026-01-01"
        if "enum" in schema:
            return quote(str(schema["enum"][0]))
        return (
            "1"
            if schema.get("type") in {"integer", "number"}
            else "true"
            if schema.get("type") == "boolean"
            else "a"
        )

    def _example(self, operation: Object) -> Object | None:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        schema = content["schema"]
        if "$ref" in schema:
            schema = self._openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        examples = schema.get("examples") or [{"version": 1}]
        return dict(examples[0]) if isinstance(examples[0], dict) else {"version": 1}


def _cursors() -> Iterator[str]:
    for value in (None, 2**31, 2**63, -(2**63), "\x00", "0001-01-01", True, 1.5, [], {}):
        for values in ([value], [value, 1], ["x", value]):
            yield base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    for text in (b"[" * 700, b"[NaN]", b'["\\ud800", 1]', b"\xff\xfe", b"[1e400,1]"):
        yield base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    yield from ("%00", "%F0%9F%98%80", "====", "." * 1_001)


def _json(value: Object) -> bytes:
    """``value`` as JSON, what is `Raw` as it stands."""
    members = (
        json.dumps(name) + ": " + (member if isinstance(member, Raw) else json.dumps(member))
        for name, member in value.items()
    )
    return ("{" + ", ".join(members) + "}").encode()


def _texts(body: Object) -> Object:
    """The texts among the members, passwords left out."""
    return {
        name: value
        for name, value in body.items()
        if type(value) is str and "password" not in name.lower() and value.strip()
    }
