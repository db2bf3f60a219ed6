"""What a client showed when it came: kept as raw bytes, read on demand (trap T24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from steinmetz.realtime.engineio.origin import origin_allowed

_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
HOP_BY_HOP = frozenset((b"connection", b"upgrade", b"keep-alive"))
WEBSOCKET = b"sec-websocket-"
"""Of the request's fields, these "are intended only for the immediate connection" (RFC 9110, 7.6.1) or have been
answered with it: they say nothing of the client and are not kept."""


_USUAL_QUERY = b"EIO=4&transport=websocket"
"""Of the stock client over a WebSocket: the same bytes for all."""
_NO_AUTH = "{}"


class Request:
    """The HTTP request that opened the session; shared by the client's namespaces."""

    __slots__ = ("_headers", "_query", "address", "path", "secure", "time")

    def __init__(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        query: bytes,
        address: str,
        *,
        secure: bool,
        time: datetime,
        path: str = "/socket.io/",
    ) -> None:
        self._headers = b"\n".join([b"%b:%b" % (name, value) for name, value in _kept(headers)])
        self._query = _USUAL_QUERY if query == _USUAL_QUERY else query
        self.address = address
        self.secure = secure
        self.time = time
        self.path = path

    @property
    def url(self) -> str:
        """Path and query, as the client has asked for them."""
        return f"{self.path}?{self._query.decode('latin-1')}" if self._query else self.path

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case; values of a repeated header joined with a comma. Without `HOP_BY_HOP`."""
        found: dict[str, str] = {}
        for line in self._headers.decode("latin-1").split("\n") if self._headers else ():
            name, _, value = line.partition(":")
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    @property
    def raw_query(self) -> bytes:
        return self._query

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self._query.decode("latin-1"), keep_blank_values=True))


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        lower = name.lower()
        if lower not in HOP_BY_HOP and not lower.startswith(WEBSOCKET):
            yield lower, value


class Handshake:
    """How a client connected to one namespace.

    ``auth`` is what the client passed as `auth` (never log it), ``address`` the client's IP address, ``time`` the
    instant the session was opened and ``issued`` the same in milliseconds since 1970, ``secure`` whether over TLS,
    ``xdomain`` whether a page of another origin opened it, ``url`` path and query of the first request.
    """

    __slots__ = ("_auth", "_request")

    def __init__(self, request: Request, auth: dict[str, Any]) -> None:
        self._request = request
        self._auth: dict[str, Any] | str = auth

    @property
    def auth(self) -> dict[str, Any]:
        auth: dict[str, Any] = orjson.loads(self._auth) if isinstance(self._auth, str) else self._auth
        return auth

    def settle(self) -> None:
        """The middlewares have read ``auth``; from now on it is kept as JSON, and read anew at each question.

        A dict takes 230 bytes more, and 16 kB of a stranger's brackets as objects a quarter of a megabyte.
        """
        if not isinstance(self._auth, str):
            # Text, not bytes: orjson's bytes keep the buffer they were written into, 4 kB.
            self._auth = orjson.dumps(self._auth).decode() if self._auth else _NO_AUTH

    @property
    def headers(self) -> dict[str, str]:
        return self._request.headers

    @property
    def query(self) -> dict[str, str]:
        return self._request.query

    @property
    def address(self) -> str:
        return self._request.address

    @property
    def secure(self) -> bool:
        return self._request.secure

    @property
    def time(self) -> datetime:
        return self._request.time

    @property
    def issued(self) -> int:
        return int(self._request.time.timestamp() * 1000)

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def xdomain(self) -> bool:
        headers = self._request.headers
        return not origin_allowed(headers.get("origin"), headers.get("host"), ())

    def details(self) -> dict[str, Any]:
        """JSON values for another server: without what the client showed as its credential.

        No ``auth``, no cookie, no query: what lets a client in never leaves the server that it came to.
        """
        headers = {name: value for name, value in self.headers.items() if name not in _CREDENTIALS}
        return {
            "headers": headers,
            "address": self.address,
            "secure": self.secure,
            "time": self.time.isoformat(),
            "path": self._request.path,
        }

    @classmethod
    def of_details(cls, details: Mapping[str, Any]) -> Handshake:
        """What `details` said; ``auth`` and query are empty. Raises `KeyError`, `ValueError` for anything else."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in details["headers"].items()]
        request = Request(
            headers,
            b"",
            details["address"],
            secure=details["secure"],
            time=datetime.fromisoformat(details["time"]),
            path=details["path"],
        )
        return cls(request, {})
