"""The headers that belong to one exchange and to no stored answer: request id, CORS, security (trap T17)."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
HeaderList = list[tuple[bytes, bytes]]

REQUEST_ID = "steinmetz.request_id"
"""Where an exchange's id stands in its scope."""

CONTENT_SECURITY_POLICY = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
ALLOWED_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = b"Authorization, Content-Type, If-None-Match, Cache-Control, X-Request-Id, X-Consistency-Token"
EXPOSED_HEADERS = (
    b"X-Cache, Cache-Status, Age, ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    b"X-Consistency-Token"
)
PREFLIGHT_S = b"600"


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of ``name`` (lower case), None if there is none."""
    for key, value in headers:
        if key == name:
            return value
    return None


class ResponseHeaders:
    """The headers of one exchange; ``cors_origins`` are the origins whose pages may read our answers."""

    def __init__(self, cors_origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origin.lower().encode() for origin in cors_origins)

    def allowed_origin(self, scope: Scope) -> bytes | None:
        """The request's Origin if it is on the list. Nothing else of it ever matters, so nobody mints variants."""
        if not self._origins:
            return None
        origin = header(scope["headers"], b"origin")
        return origin if origin is not None and origin.lower() in self._origins else None

    def finish(self, scope: Scope, status: int, headers: HeaderList) -> HeaderList:
        """``headers`` with what belongs to this one response; a second time changes nothing."""
        names = {name for name, _ in headers}
        if b"x-request-id" in names:
            return headers
        finished = list(headers)
        if request_id := scope.get(REQUEST_ID):
            finished.append((b"x-request-id", request_id.encode("ascii")))
        finished.extend(pair for pair in SECURITY_HEADERS if pair[0] not in names)
        if scope.get("scheme") == "https":
            finished.append(STRICT_TRANSPORT)
        if self._origins:
            finished.append((b"vary", b"Origin"))
            if (origin := self.allowed_origin(scope)) is not None:
                finished.append((b"access-control-allow-origin", origin))
                finished.append((b"access-control-allow-credentials", b"true"))
                finished.append((b"access-control-expose-headers", EXPOSED_HEADERS))
        return finished

    def preflight(self, scope: Scope) -> tuple[int, HeaderList] | None:
        """The answer to a CORS preflight; None if the request is none.

        "A CORS-preflight request is a CORS request that checks to see if the CORS protocol is understood"
        (Fetch, 3.2.2): an OPTIONS with Origin and Access-Control-Request-Method.
        """
        if scope["method"] != "OPTIONS" or header(scope["headers"], b"access-control-request-method") is None:
            return None
        if header(scope["headers"], b"origin") is None:
            return None
        if self.allowed_origin(scope) is None:
            return 403, []
        return 204, [
            (b"access-control-allow-methods", ALLOWED_METHODS),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", PREFLIGHT_S),
        ]
