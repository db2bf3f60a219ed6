"""What stands before the cache, for answers that never enter ASGI: limits, counts, log lines, a response's own
fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from steinmetz.cache.asgi.admission import Principal
from steinmetz.cache.asgi.protocol import Finish, HeaderList, OnAdmitted, Scope


class Client:
    """Where requests come from: ``address`` as in an ASGI scope. ``noted`` is for the front: what it has worked
    out of the address, so that it does so once."""

    __slots__ = ("address", "noted")

    def __init__(self, address: tuple[str, int] | None) -> None:
        self.address = address
        self.noted: Any = None


@dataclass(slots=True)
class Leaving:
    """A kept answer that is about to go out; ``size`` is that of the body that is sent, in bytes."""

    scope: Scope
    principal: Principal | None
    route: str
    status: int
    headers: HeaderList
    size: int


class Passage(Protocol):
    """One request, as often as it comes the same."""

    def take(self, client: Client, started_ns: int) -> bytes | None:
        """Charge, count and log the request, which came at ``started_ns`` (`steinmetz.clock.perf_ns`).

        Returns the last header lines of this one response, each with its CRLF, and the empty line that ends them;
        or None to let the request go through ASGI instead. Then nothing must have been charged or counted: that
        happens there.
        """

    def take_fields(self, client: Client, started_ns: int) -> HeaderList | None:
        """The same for a door within ASGI: the whole header."""


class Front(Protocol):
    """Makes passages. ``fields`` are the request fields it looks at, in lower case; None if nobody can say."""

    @property
    def fields(self) -> frozenset[bytes] | None: ...

    def passage(self, leaving: Leaving) -> Passage:
        """``leaving.headers`` go out whatever it does; it adds to them."""


def header_lines(headers: HeaderList) -> bytes:
    return b"".join([b"%b: %b\r\n" % line for line in headers])


class PlainFront:
    """For an application that has nothing in front but what it told the cache."""

    fields = None

    def __init__(self, finish: Finish | None, on_admitted: OnAdmitted | None) -> None:
        self._finish = finish
        self._on_admitted = on_admitted

    def passage(self, leaving: Leaving) -> Passage:
        return PlainPassage(leaving, self._finish, self._on_admitted)


class PlainPassage:
    __slots__ = ("_finish", "_leaving", "_on_admitted")

    def __init__(self, leaving: Leaving, finish: Finish | None, on_admitted: OnAdmitted | None) -> None:
        self._leaving = leaving
        self._finish = finish
        self._on_admitted = on_admitted

    def take(self, client: Client, started_ns: int) -> bytes | None:
        finished = self.take_fields(client, started_ns)
        # Headers that were rewritten, and not only added to, are more than lines at the end can say.
        return None if finished is None else header_lines(finished[len(self._leaving.headers) :]) + b"\r\n"

    def take_fields(self, client: Client, started_ns: int) -> HeaderList | None:
        leaving = self._leaving
        leaving.scope["client"] = client.address
        finished = list(leaving.headers)
        if self._finish is not None:
            finished = list(self._finish(leaving.scope, leaving.status, finished))
            if finished[: len(leaving.headers)] != leaving.headers:
                return None
        if self._on_admitted is not None and leaving.principal is not None:
            try:
                self._on_admitted(leaving.scope, leaving.principal)
            except Exception:
                return None  # it says so again where its words are understood
        return finished
