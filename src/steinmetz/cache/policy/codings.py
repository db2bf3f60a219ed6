"""Content codings: which a client accepts, which answers are worth one, and the codings themselves (RFC 9110,
8.4.1 and 12.5.3).

gzip always; zstd (RFC 8878) where Python brings it (3.14) or ``backports.zstd`` is installed.
"""

from __future__ import annotations

import gzip
from importlib import import_module
from typing import Any

from steinmetz.cache.policy.headers import Headers, cache_control, value_of

MIN_BYTES = 1_024
"""Below it an answer fits a packet as it is."""
WORTH = 0.9
"""An encoded body is kept if it has at most this share of the bytes."""
GZIP_LEVEL = 6
ZSTD_LEVEL = 3

_WHOLE = 1_000
_COMPRESSIBLE = frozenset(
    {
        "application/geo+json",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/jsonl",
        "application/ld+json",
        "application/manifest+json",
        "application/ndjson",
        "application/wasm",
        "application/x-javascript",
        "application/x-ndjson",
        "application/xml",
        "image/bmp",
        "image/svg+xml",
        "image/vnd.microsoft.icon",
        "image/x-icon",
    }
)
# A part of the whole, or digests of the very bytes that are sent: what encodes them would make them untrue.
_OF_THESE_BYTES = frozenset({b"content-range", b"content-md5", b"digest", b"content-digest", b"repr-digest"})


class Coding:
    """A content coding; ``value`` is its name in header fields. There are these three, compared by identity.

    No `Enum`, whose members Python 3.11 hashes in Python: each hit looks one up.
    """

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<Coding {self.value.decode()}>"


IDENTITY = Coding(b"identity")
GZIP = Coding(b"gzip")
ZSTD = Coding(b"zstd")


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


_ZSTD = _zstd()
AVAILABLE: tuple[Coding, ...] = (GZIP,) if _ZSTD is None else (ZSTD, GZIP)
"""What this process can encode, the best first: at equal size zstd takes a third of gzip's time, or less."""
ONLY_IDENTITY = (IDENTITY,)


def encode(coding: Coding, body: bytes) -> bytes:
    """``body`` in one of the `AVAILABLE` codings; the same bytes each time in one process."""
    if coding is GZIP:
        return gzip.compress(body, GZIP_LEVEL, mtime=0)
    encoded: bytes = _ZSTD.compress(body, ZSTD_LEVEL)
    return encoded


def acceptable(accept_encoding: bytes | None, available: tuple[Coding, ...] = AVAILABLE) -> tuple[Coding, ...]:
    """The codings that ``Accept-Encoding`` allows, the most wanted first; at equal weight in the order given.

    Without the field every coding would be allowed; but who does not speak of codings may not know them: identity.
    Empty if even identity is refused and nothing else is allowed.
    """
    if accept_encoding is None:
        return ONLY_IDENTITY
    weights = _weights(accept_encoding.decode("latin-1"))
    # "The asterisk "*" symbol in an Accept-Encoding field matches any available content coding not explicitly
    # listed in the field."
    others = weights.get("*", 0)
    wanted = [(weights.get(coding.value.decode(), others), coding) for coding in available]
    # "If the representation has no content coding, then it is acceptable by default unless specifically excluded
    # by the Accept-Encoding header field stating either "identity;q=0" or "*;q=0" without a more specific entry
    # for "identity"." By default is less than wanted in any degree.
    wanted.append((weights.get("identity", weights.get("*", 0.5)), IDENTITY))
    wanted.sort(key=lambda each: -each[0])
    return tuple(coding for weight, coding in wanted if weight > 0)


def _weights(value: str) -> dict[str, float]:
    """Thousandths by coding in lower case; of one given twice the least, of a weight that is none 0."""
    weights: dict[str, float] = {}
    for member in value.split(","):
        name, _, parameter = member.partition(";")
        name = name.strip().lower()
        if not name:
            continue
        # "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"" (8.4.1.3).
        name = "gzip" if name == "x-gzip" else name
        weight = _weight(parameter.strip()) if parameter.strip() else _WHOLE
        weights[name] = min(weight, weights.get(name, weight))
    return weights


def _weight(parameter: str) -> int:
    """``q=0.5`` in thousandths (RFC 9110, 12.4.2)."""
    name, _, said = parameter.partition("=")
    whole, _, part = said.strip().partition(".")
    if name.strip().lower() != "q" or whole not in ("0", "1") or len(part) > 3:
        return 0
    if part and not (part.isascii() and part.isdigit()):
        return 0
    return min(int(whole) * _WHOLE + int(part.ljust(3, "0")), _WHOLE)


def is_compressible(headers: Headers, length: int) -> bool:
    """Whether an answer of ``length`` bytes with these header lines may and should be offered encoded.

    One that has a coding of its own, or says ``no-transform`` ("an intermediary [...] MUST NOT transform the
    content", RFC 9111, 5.2.2.6), is left alone.
    """
    if length < MIN_BYTES:
        return False
    coding = value_of(headers, b"content-encoding")
    if coding is not None and coding.strip().lower() != b"identity":
        return False
    if any(name.lower() in _OF_THESE_BYTES for name, _ in headers):
        return False
    if "no-transform" in cache_control(value_of(headers, b"cache-control") or b""):
        return False
    kind = (value_of(headers, b"content-type") or b"").decode("latin-1").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return False
    return kind.startswith("text/") or kind in _COMPRESSIBLE or kind.endswith(("+json", "+xml"))


def encoded_etag(etag: bytes, coding: Coding) -> bytes:
    """The validator of the representation in ``coding``.

    "two representations of the same resource, differing only by content coding, must have different strong
    validators" (after RFC 9110, 8.8.3.3); a weak one stands for all of them.
    """
    if coding is IDENTITY or not etag.endswith(b'"') or etag[:2] in (b"W/", b"w/"):
        return etag
    return b'%b-%b"' % (etag[:-1], coding.value)


def without_codings(if_match: bytes) -> bytes:
    """An ``If-Match`` in the application's own words: the validators that it gave, as it gave them."""
    for coding in (GZIP, ZSTD):
        if_match = if_match.replace(b'-%b"' % coding.value, b'"')
    return if_match
