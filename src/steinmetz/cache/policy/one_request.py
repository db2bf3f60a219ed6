"""Header lines of a response that say something of one request only (trap T17).

To send them again with a kept answer would be a lie (somebody else's request id, another's rate limit) or a hole
(a nonce is used once). Whoever sets them belongs outside the cache, or gives them as ``finish``.
"""

from __future__ import annotations

from steinmetz.cache.policy.headers import Headers

OF_ONE_REQUEST = frozenset(
    {
        b"x-request-id",
        b"x-correlation-id",
        b"x-trace-id",
        b"traceparent",
        b"traceresponse",
        b"ratelimit",
        b"ratelimit-remaining",
        b"x-ratelimit-remaining",
    }
)
_WITH_NONCE = frozenset({b"content-security-policy", b"content-security-policy-report-only"})


def of_one_request(headers: Headers) -> bytes | None:
    """The name of the first line that belongs to one request only, or None."""
    for line_name, value in headers:
        name = line_name.lower()
        # "The server MUST generate a unique value each time it transmits a policy" (CSP 3, 7.1).
        if name in OF_ONE_REQUEST or (name in _WITH_NONCE and b"'nonce-" in value.lower()):
            return name
    return None
