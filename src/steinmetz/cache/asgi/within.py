"""Answers for callers within the process, in the name of a principal: a kept one if there is one, else a new one.

The request never was outside: it comes through no door, so no limit counts it and no log tells of it. Whose it is
stands in its scope as an object that no client can send (trap T33); a credential is never in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from steinmetz.cache.asgi.admission import ADMISSION, Admitted, Principal, caller_of
from steinmetz.cache.asgi.asked import Asked, Target
from steinmetz.cache.asgi.computation import RECORDING
from steinmetz.cache.asgi.protocol import Message, Receive, Scope
from steinmetz.cache.policy.entry import Entry, body_etag
from steinmetz.cache.policy.headers import first_of, value_of, vary_names
from steinmetz.cache.policy.key import MAX_KEY_BYTES, variant_key
from steinmetz.cache.policy.lookup import NO_DEMANDS, Hit
from steinmetz.cache.policy.route import VaryOn
from steinmetz.cache.policy.variants import ANONYMOUS, NoVariant, variant_of
from steinmetz.sql.effects import ReadSet

if TYPE_CHECKING:
    from steinmetz.cache.asgi.middleware import CacheMiddleware

ROUTE = "steinmetz.route"
"""The template of the route: bounded in number, whatever is asked for."""
MAX_PATH_CHARS = 2_000


class NoViewpoint(StrEnum):
    """Why nobody may listen to a path."""

    INVALID = "invalid"
    """No path of a request."""
    NOT_LIVE = "not_live"
    """There is no such route, or it has no ``live=True``."""
    UNAUTHENTICATED = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """One answer: where it is asked for, and in whose name. All who have the same ``key`` are given the same.

    ``principal`` is one of those; None stands for anybody. ``is_private``: it is of one user alone. ``is_kept``:
    it is looked up and kept like that of any request.
    """

    path: str
    query: bytes
    key: bytes
    variant: bytes
    principal: Principal | None
    is_private: bool
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """What the application answers. ``valid_until_s`` is POSIX time, or None (trap T14).

    ``varies``: a field of the request selects it, so it is not the same for all who would be given it.
    """

    status: int
    etag: str
    body: bytes
    read_set: ReadSet
    valid_until_s: float | None
    varies: bool = False


class Within:
    """The inner door of one `CacheMiddleware`."""

    def __init__(self, middleware: CacheMiddleware) -> None:
        self._middleware = middleware

    def viewpoint(self, address: str, principal: Principal | None) -> Viewpoint | NoViewpoint:
        """Where the answer to ``GET address`` (path and query) is, as far as ``principal`` may have it."""
        if not 0 < len(address) <= MAX_PATH_CHARS or address[0] != "/" or not _is_target(address):
            return NoViewpoint.INVALID
        path, query = _parted(address)
        target = self._target(path, query)
        if target is None or not target.policy.live:
            return NoViewpoint.NOT_LIVE
        if len(target.key) > MAX_KEY_BYTES:
            return NoViewpoint.INVALID
        return self._of_target(target, query, principal) or NoViewpoint.UNAUTHENTICATED

    def bound(self, address: str, principal: Principal | None) -> Viewpoint:
        """The same for what the application itself wants to hear of, whatever its route says."""
        path, query = _parted(address)
        target = self._target(path, query)
        found = None if target is None else self._of_target(target, query, principal)
        if found is not None and not found.is_private:
            return found
        return Viewpoint(path, query, b"!bound " + address.encode(), b"", principal, False, False)

    def _of_target(self, target: Target, query: bytes, principal: Principal | None) -> Viewpoint | None:
        """None: ``principal`` shares no answer there."""
        variant = variant_of(target.policy, ANONYMOUS if principal is None else caller_of(Admitted(principal)))
        if isinstance(variant, NoVariant):
            return None
        is_private = target.policy.vary_on is VaryOn.USER
        return Viewpoint(target.path, query, variant_key(target.key, variant), variant, principal, is_private)

    def kept(self, viewpoint: Viewpoint) -> Answered | None:
        """The answer that is kept and stands, if there is one."""
        found = self._middleware.kept.look_up(viewpoint.key, NO_DEMANDS, [])
        return _of_entry(found.entry) if isinstance(found, Hit) else None

    async def answer(self, viewpoint: Viewpoint, *, keep: bool) -> Answered:
        """The answer now, at least as new as this call.

        With ``keep``, or if others are expected to ask for it, it is kept for them, if that may be.

        Raises what the application raises.
        """
        target = self._target(viewpoint.path, viewpoint.query) if viewpoint.is_kept else None
        if target is None:
            return await self._alone(viewpoint)
        kept = self.kept(viewpoint)
        if kept is not None:
            return kept
        renewing = self._middleware.renewing
        keep = keep or (renewing is not None and renewing.takes(viewpoint.key))
        return await (self._anew(viewpoint, target) if keep else self._alone(viewpoint))

    async def _anew(self, viewpoint: Viewpoint, target: Target) -> Answered:
        response = _Response()
        scope = _scope(viewpoint, target.route.template)
        asked = Asked(scope, _receive(), response, target, viewpoint.key, viewpoint.variant, NO_DEMANDS, None)
        computation = await self._middleware.computing.anew(asked)
        entry = computation.answered
        if entry is None:
            return response.answered(scope)
        # Those who listen have been given it: it was not kept for nothing.
        entry.hits += 1
        return _of_entry(entry)

    async def _alone(self, viewpoint: Viewpoint) -> Answered:
        """Neither looked up nor kept."""
        response = _Response()
        route = self._middleware.routes.match("GET", viewpoint.path)
        scope = _scope(viewpoint, route.template)
        await self._middleware.passing.recompute(scope, _receive(), response, route)
        return response.answered(scope)

    def _target(self, path: str, query: bytes) -> Target | None:
        target = self._middleware.target(
            {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": query, "headers": []}
        )
        return target if isinstance(target, Target) else None


def _parted(address: str) -> tuple[str, bytes]:
    path, _, query = address.partition("?")
    return unquote(path), query.encode("ascii")


def _is_target(address: str) -> bool:
    """Whether ``address`` could stand in the first line of a request (RFC 9112, 3.2.1)."""
    return all("!" <= char <= "~" and char not in '#"<>\\^`{|}' for char in address)


def _of_entry(entry: Entry) -> Answered:
    varies = any(name != b"accept-encoding" for name, _ in entry.vary)
    etag = entry.etag.decode("latin-1")
    return Answered(entry.status, etag, entry.body, entry.read_set, entry.valid_until_s, varies)


def _scope(viewpoint: Viewpoint, template: str) -> Scope:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": viewpoint.path,
        "raw_path": viewpoint.path.encode(),
        "root_path": "",
        "query_string": viewpoint.query,
        "headers": [(b"host", b"within.invalid")],
        "client": None,
        "server": None,
        "steinmetz.cache": "recompute",
        ROUTE: template,
    }
    if viewpoint.principal is not None:
        scope[ADMISSION] = Admitted(viewpoint.principal)
    return scope


def _receive() -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


class _Response:
    """The ``send`` of a request that nobody outside waits for."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    def answered(self, scope: Scope) -> Answered:
        body, recording = b"".join(self._parts), scope[RECORDING]
        etag = first_of(self._headers, b"etag") or body_etag(body)
        until = recording.valid_until
        until_s = None if until is None else until.timestamp()
        names = vary_names(value_of(self._headers, b"vary"))
        varies = names is None or any(name != b"accept-encoding" for name in names)
        return Answered(self._status, etag.decode("latin-1"), body, recording.read_set(), until_s, varies)
