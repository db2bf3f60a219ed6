"""What a client showed when it came, kept as bytes and read on demand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.server.handshake import Handshake, Request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_headers_are_named_in_lower_case_and_repeated_ones_are_joined() -> None:
    request = Request([(b"X-A", b"1"), (b"x-a", b"2"), (b"Host", b"h:80")], b"", "", secure=True, time=NOW)
    assert request.headers == {"x-a": "1, 2", "host": "h:80"}


def test_without_headers_there_are_none() -> None:
    assert Request([], b"", "", secure=False, time=NOW).headers == {}


def test_namespaces_share_the_request_and_have_their_own_auth() -> None:
    request = Request([], b"a=1&b=%C3%A4", "10.0.0.1", secure=False, time=NOW)
    main, hr = Handshake(request, {"token": "a"}), Handshake(request, {"token": "b"})
    assert (main.auth, hr.auth) == ({"token": "a"}, {"token": "b"})
    assert main.query == hr.query == {"a": "1", "b": "ä"}
    assert (main.address, main.time, main.secure) == ("10.0.0.1", NOW, False)


def test_what_concerns_the_connection_only_is_not_kept() -> None:
    """RFC 9110, 7.6.1; the rest of the WebSocket handshake has been answered."""
    fields = [(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"websocket"), (b"Sec-WebSocket-Key", b"x")]
    request = Request([*fields, (b"Cookie", b"a=1")], b"", "", secure=False, time=NOW)
    assert request.headers == {"cookie": "a=1"}


def test_t24_auth_is_kept_as_json_and_read_on_demand() -> None:
    handshake = Handshake(Request([], b"", "", secure=False, time=NOW), {"token": "a", "more": [1, {"b": None}]})
    handshake.settle()
    handshake.settle()
    assert isinstance(handshake._auth, str)
    assert handshake.auth == {"token": "a", "more": [1, {"b": None}]}
    handshake.auth.clear()
    assert handshake.auth["token"] == "a"


def test_t24_clients_without_auth_share_nothing_but_its_absence() -> None:
    one, other = (Handshake(Request([], b"", "", secure=False, time=NOW), {}) for _ in range(2))
    one.settle()
    other.settle()
    assert one._auth is other._auth
    one.auth["x"] = 1
    assert other.auth == {}


@given(st.binary())
def test_no_query_raises(query: bytes) -> None:
    assert isinstance(Request([], query, "", secure=False, time=NOW).query, dict)


def test_it_has_the_fields_that_socket_io_documents() -> None:
    request = Request([(b"Host", b"erp.example")], b"EIO=4&a=1", "10.0.0.1", secure=True, time=NOW, path="/ws/")
    handshake = Handshake(request, {})
    assert handshake.issued == 1_772_442_000_000
    assert handshake.url == "/ws/?EIO=4&a=1"
    assert not handshake.xdomain
    assert Handshake(Request([], b"", "", secure=False, time=NOW), {}).url == "/socket.io/"


@pytest.mark.parametrize(
    ("origin", "is_foreign"),
    [
        ("https://erp.example", False),
        ("http://erp.example", False),
        ("https://other.example", True),
        ("null", True),
    ],
)
def test_a_page_of_another_origin_is_cross_domain(origin: str, is_foreign: bool) -> None:
    headers = [(b"Host", b"erp.example"), (b"Origin", origin.encode())]
    assert Handshake(Request(headers, b"", "", secure=True, time=NOW), {}).xdomain is is_foreign


def test_what_another_server_is_told_holds_no_credential() -> None:
    headers = [(b"Cookie", b"a=secret"), (b"Authorization", b"secret"), (b"Accept", b"*/*")]
    request = Request(headers, b"token=secret", "10.0.0.1", secure=True, time=NOW)
    details = Handshake(request, {"token": "secret"}).details()
    assert "secret" not in repr(details)
    copy = Handshake.of_details(details)
    assert (copy.headers, copy.address, copy.secure, copy.time, copy.auth, copy.url) == (
        {"accept": "*/*"}, "10.0.0.1", True, NOW, {}, "/socket.io/",
    )  # fmt: skip
