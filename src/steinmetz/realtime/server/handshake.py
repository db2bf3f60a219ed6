"""What a client showed when it came: kept as raw bytes, read on demand (trap T24)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl


class Request:
    """The HTTP request that opened the session; shared by the client's namespaces."""

    __slots__ = ("_headers", "_query", "address", "secure", "time")

    def __init__(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        query: bytes,
        address: str,
        *,
        secure: bool,
        time: datetime,
    ) -> None:
        self._headers = b"\n".join([name.lower() + b":" + value for name, value in headers])
        self._query = query
        self.address = address
        self.secure = secure
        self.time = time

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case; values of a repeated header joined with a comma."""
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


class Handshake:
    """How a client connected to one namespace.

    ``auth`` is what the client passed as `auth` (never log it), ``address`` the client's IP address, ``time`` the
    instant the session was opened, ``secure`` whether over TLS.
    """

    __slots__ = ("_request", "auth")

    def __init__(self, request: Request, auth: dict[str, Any]) -> None:
        self._request = request
        self.auth = auth

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
