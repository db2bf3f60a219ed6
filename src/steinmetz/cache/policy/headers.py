"""The header fields a cache reads and writes, as values (RFC 9110, 9111, 9211)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Headers = Sequence[tuple[bytes, bytes]]
CACHE_NAME = "SteinmetZ"

# "Connection" and what it lists belong to one hop (RFC 9110, 7.6.1); the last two are ours to write.
_NOT_STORED = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"age",
        b"x-cache",
        b"cache-status",
    }
)


def value_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """All lines of one field as one list value, or None. ``name`` in lower case."""
    found = [value for field, value in headers if field.lower() == name]
    return b", ".join(found) if found else None


def first_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first line of a field that has one value only, or None. ``name`` in lower case."""
    for field, value in headers:
        if field.lower() == name:
            return value
    return None


def cache_control(value: bytes) -> dict[str, str | None]:
    """The directives of a Cache-Control field, names in lower case, quoted arguments unquoted.

    "Cache directives are identified by a token, to be compared case-insensitively" (RFC 9111, 5.2). Of a directive
    given twice the first counts (4.2.1); of those that name fields all do, and one without names the whole.
    """
    directives: dict[str, str | None] = {}
    for part in _split_list(value.decode("latin-1")):
        name, equals, argument = part.partition("=")
        # The grammar has no blanks beside the equals sign; an argument that goes wrong is worth nothing (4.2.1).
        is_wrong = name != name.strip() or argument != argument.strip()
        said = None if not equals else "" if is_wrong else argument.strip('"')
        name = name.strip().lower()
        if name in directives and name in _NAMES_FIELDS:
            before = directives[name]
            directives[name] = f"{before},{said}" if before and said else None
        else:
            directives.setdefault(name, said)
    directives.pop("", None)
    return directives


_NAMES_FIELDS = frozenset({"no-cache", "private"})


def format_cache_control(directives: Mapping[str, str | int | None]) -> bytes:
    parts = (name if argument is None else f"{name}={argument}" for name, argument in directives.items())
    return ", ".join(parts).encode("latin-1")


def delta_seconds(directives: Mapping[str, str | None], name: str) -> int | None:
    """A directive's argument in seconds; None if absent. What is not a number counts as 0: "treat it as stale"."""
    if name not in directives:
        return None
    argument = directives[name] or ""
    # "a cache MUST consider the value to be 2147483648" if it is greater than it can hold (RFC 9111, 1.2.2).
    return min(int(argument), 2**31) if argument.isascii() and argument.isdigit() else 0


def vary_names(value: bytes | None) -> tuple[bytes, ...] | None:
    """The sorted names of a Vary field in lower case; None for ``*``, which no later request can match."""
    if value is None:
        return ()
    names = {name.strip().lower() for name in value.split(b",")} - {b""}
    return None if b"*" in names else tuple(sorted(names))


def selected(headers: Headers, names: Iterable[bytes]) -> tuple[tuple[bytes, bytes | None], ...]:
    """The values that ``names`` of a Vary field select in a request, for comparing with another request's."""
    return tuple((name, _squeezed(value_of(headers, name))) for name in names)


def normalised(headers: Headers, names: Iterable[bytes]) -> tuple[tuple[bytes, bytes | None], ...]:
    """As `selected`, but also normalised "in ways that are known to have identical semantics" (RFC 9111, 4.1).

    Languages and codings: case, blanks, and the order of members of one weight.
    """
    return tuple(
        (name, _ordered(value_of(headers, name)) if name in _ORDERLESS else _squeezed(value_of(headers, name)))
        for name in names
    )


_ORDERLESS = frozenset({b"accept-language", b"accept-encoding"})


def _ordered(value: bytes | None) -> bytes | None:
    if value is None:
        return None
    members = {b"".join(part.split()).lower() for part in value.split(b",")} - {b""}
    return b", ".join(sorted(members))


def _squeezed(value: bytes | None) -> bytes | None:
    return None if value is None else b", ".join(part.strip() for part in value.split(b","))


def storable_headers(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """What of a response's header may be kept and sent again."""
    hop = value_of(headers, b"connection") or b""
    named = {name.strip().lower() for name in hop.split(b",")}
    return tuple(
        (name.lower(), value)
        for name, value in headers
        if name.lower() not in _NOT_STORED and name.lower() not in named
    )


def matches(etag: bytes, if_none_match: bytes) -> bool:
    """Whether ``If-None-Match`` names ``etag``.

    "A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match"
    (RFC 9110, 13.1.2).
    """
    if if_none_match.strip() == b"*":
        return True
    opaque = _opaque(etag.decode("latin-1"))
    return any(_opaque(candidate) == opaque for candidate in _split_list(if_none_match.decode("latin-1")))


def _opaque(etag: str) -> str:
    return etag.strip().removeprefix("W/")


def _split_list(value: str) -> list[str]:
    """The members of a comma-separated list; a comma inside quotes does not separate."""
    if '"' not in value:
        return [part for part in (member.strip() for member in value.split(",")) if part]
    parts, start, quoted, skip = [], 0, False, False
    for at, character in enumerate(value):
        if skip:
            skip = False
        elif quoted and character == "\\":
            skip = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(value[start:at])
            start = at + 1
    # A quote that is never closed is none: it must not hide a no-store behind it.
    parts += value[start:].split(",") if quoted else [value[start:]]
    return [part for part in (member.strip() for member in parts) if part]


def cache_status(
    *,
    hit: bool = False,
    fwd: str | None = None,
    stored: bool = False,
    collapsed: bool = False,
    ttl_s: int | None = None,
    detail: str | None = None,
    fwd_status: int | None = None,
) -> bytes:
    """One member of a Cache-Status field (RFC 9211, 2), such as ``SteinmetZ; fwd=uri-miss; stored``."""
    parts = [CACHE_NAME]
    if hit:
        parts.append("hit")
    if fwd is not None:
        parts.append(f"fwd={fwd}")
    if fwd_status is not None:
        parts.append(f"fwd-status={fwd_status}")
    if stored:
        parts.append("stored")
    if collapsed:
        parts.append("collapsed")
    if ttl_s is not None:
        parts.append(f"ttl={ttl_s}")
    if detail is not None:
        printable = "".join(c for c in detail if " " <= c <= "~")
        escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'detail="{escaped}"')
    return "; ".join(parts).encode("ascii")
