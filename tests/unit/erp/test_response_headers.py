from __future__ import annotations

from typing import Any

import pytest

from steinmetz.erp.response_headers import REQUEST_ID, ResponseHeaders

ALLOWED = b"https://intranet.example"


def scope(*headers: tuple[bytes, bytes], method: str = "GET", scheme: str = "http") -> dict[str, Any]:
    return {"method": method, "scheme": scheme, "headers": list(headers), REQUEST_ID: "r1"}


def test_finishing_twice_is_finishing_once() -> None:
    headers = ResponseHeaders(["https://intranet.example"])
    request = scope((b"origin", ALLOWED))
    once = headers.finish(request, 200, [(b"etag", b'"x"')])
    assert headers.finish(request, 200, once) == once


def test_a_kept_answers_headers_are_not_touched() -> None:
    kept = [(b"etag", b'"x"')]
    ResponseHeaders().finish(scope(), 200, kept)
    assert kept == [(b"etag", b'"x"')]


def test_a_route_may_have_a_policy_of_its_own() -> None:
    own = (b"content-security-policy", b"default-src 'none'")
    finished = ResponseHeaders().finish(scope(), 200, [own])
    assert [pair for pair in finished if pair[0] == own[0]] == [own]


def test_strict_transport_is_asked_for_over_https_only() -> None:
    names = [name for name, _ in ResponseHeaders().finish(scope(), 200, [])]
    assert b"strict-transport-security" not in names
    names = [name for name, _ in ResponseHeaders().finish(scope(scheme="https"), 200, [])]
    assert b"strict-transport-security" in names


def test_without_a_list_nothing_varies_by_origin() -> None:
    names = [name for name, _ in ResponseHeaders().finish(scope((b"origin", ALLOWED)), 200, [])]
    assert b"vary" not in names
    assert b"access-control-allow-origin" not in names


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"https://intranet.example.evil", b""])
def test_t17_origins_that_are_not_listed_all_look_the_same(origin: bytes) -> None:
    headers = ResponseHeaders(["https://intranet.example"])
    assert headers.finish(scope((b"origin", origin)), 200, []) == headers.finish(scope(), 200, [])


def test_options_without_cors_is_no_preflight() -> None:
    headers = ResponseHeaders(["https://intranet.example"])
    assert headers.preflight(scope((b"origin", ALLOWED), method="OPTIONS")) is None
    assert headers.preflight(scope((b"access-control-request-method", b"PUT"), method="OPTIONS")) is None
    assert headers.preflight(scope((b"origin", ALLOWED), (b"access-control-request-method", b"PUT"))) is None
