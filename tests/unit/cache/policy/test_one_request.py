from __future__ import annotations

import pytest

from steinmetz.cache.policy.one_request import of_one_request

POLICY = b"default-src 'self'; script-src 'nonce-rAnd0m'"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        (b"X-Request-Id", b"abc", b"x-request-id"),
        (b"traceparent", b"00-1-2-01", b"traceparent"),
        (b"ratelimit-remaining", b"7", b"ratelimit-remaining"),
        (b"Content-Security-Policy", POLICY, b"content-security-policy"),
        (b"content-security-policy-report-only", POLICY.upper(), b"content-security-policy-report-only"),
        (b"content-security-policy", b"default-src 'self'", None),
        (b"content-type", b"text/plain; x='nonce-'", None),
        (b"etag", b'"1"', None),
    ],
)
def test_t17_a_line_of_one_request_is_named(name: bytes, value: bytes, found: bytes | None) -> None:
    assert of_one_request([(b"a", b"b"), (name, value)]) == found


def test_no_lines_belong_to_nobody() -> None:
    assert of_one_request([]) is None
