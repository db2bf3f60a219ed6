"""`live:subscribe` and `live:unsubscribe`: clients that hear of every commit that changes an answer.

A subscription belongs to one connection. It ends with that, when it is cancelled, when its client may not have the
answer any more, and when there is no such answer any more. Who comes back subscribes again and shows the ETag of
what he has; who has been recovered is subscribed again, and told the whole.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import orjson

from steinmetz.cache import Principal
from steinmetz.cache.asgi.within import Answered, NoViewpoint, Viewpoint
from steinmetz.live.answers import Answers
from steinmetz.live.audience import Audience
from steinmetz.live.bindings import Emission
from steinmetz.live.events import (
    ENDED,
    SENT,
    STALE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    UPDATE,
    LiveSubscription,
    LiveUnsubscription,
)
from steinmetz.live.heard import CrowdedError, Heard, UnfitAnswerError
from steinmetz.live.rights import Rights
from steinmetz.live.telling import Patch, Said, has_it, telling
from steinmetz.realtime import EventError, Server, Socket

MAX_SUBSCRIPTIONS = 100
"""Of one connection: a page shows some dozen answers at once."""
PATHS = "live-paths"
"""Under which a socket's own data hold its paths, so that a recovered one has them again."""
MAX_ROUNDS = 8
"""How often a subscription starts over because rights moved meanwhile."""

_REFUSALS = {
    NoViewpoint.INVALID: 'Say which answer: {"path": "/api/..."}, as it would be fetched',
    NoViewpoint.NOT_LIVE: "There is no answer at this path that can be subscribed to",
    NoViewpoint.UNAUTHENTICATED: "Sign in: this answer is not for everybody",
}
_CODES = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 410: "not_found", 422: "invalid"}


class Subscriptions:
    """Bound: `MAX_SUBSCRIPTIONS` a connection, and `answers.MAX_ANSWERS` in all."""

    def __init__(self, io: Server) -> None:
        self._io = io
        self._answers: Answers | None = None
        self._rights: Rights | None = None
        self._of: dict[Socket, dict[str, Heard]] = {}
        self.updates = 0
        self.patches = 0
        self.stale = 0
        self.ended = 0

    def attach(self, answers: Answers, rights: Rights) -> None:
        """From now on clients may subscribe."""
        self._answers, self._rights = answers, rights
        self._io.declare(*SENT)
        self._io.on(SUBSCRIBE, self.subscribe)
        self._io.on(UNSUBSCRIBE, self.unsubscribe)
        self._io.on("connection", self.came)
        self._io.on("disconnecting", self.left)

    is_open = False
    """Whether anybody is told anything: not before the start, and not with the kill switch on."""

    def __len__(self) -> int:
        return sum(len(own) for own in self._of.values())

    # -- what clients say

    async def subscribe(self, socket: Socket, asked: LiveSubscription) -> dict[str, Any]:
        """Acknowledged with ``{ok, etag, body}``, without the body if the client has it.

        Raises `EventError`: ``invalid``, ``not_live``, ``unauthenticated``, ``forbidden``, ``not_found``,
        ``unfit`` (no JSON, too large, other for each request), ``too_many``, ``unavailable``.
        """
        said = await self._enter(socket, asked["path"])
        if has_it(said.etag, asked.get("etag", "")):
            return {"ok": True, "etag": said.etag}
        return {"ok": True, "etag": said.etag, "body": said.value}

    def unsubscribe(self, socket: Socket, asked: LiveUnsubscription) -> dict[str, Any]:
        """Acknowledged with ``{ok: true}``, also where there was nothing to cancel."""
        self._leave(socket, asked["path"])
        return {"ok": True}

    def came(self, socket: Socket) -> Awaitable[None] | None:
        """Who has been recovered has missed what was said of his answers: it is not kept for him."""
        if self._answers is not None and self.is_open:
            self._answers.entered(socket.rooms)
        paths = socket.data.pop(PATHS, None) if socket.recovered else None
        return self._again(socket, paths) if isinstance(paths, list) else None

    async def _again(self, socket: Socket, paths: list[str]) -> None:
        for path in paths:
            try:
                said = await self._enter(socket, path)
            except EventError as error:
                self._io.say_to((socket,), ENDED, {"path": path, "error": error.as_json()["error"]})
            else:
                payload = {"path": path, "etag": said.etag, "body": said.value}
                self._io.say_to((socket,), UPDATE, payload, newest=_key(path))

    def left(self, socket: Socket, _reason: str) -> None:
        """The connection ends: nothing of it stays."""
        own = self._of.pop(socket, None)
        for path, heard in (own or {}).items():
            self._discard(socket, path, heard)
        if self._rights is not None:
            self._rights.forget(socket)

    # -- entering and leaving

    async def _enter(self, socket: Socket, path: str) -> Said:
        if self._answers is None or self._rights is None or not self.is_open:
            raise EventError("unavailable", "Subscriptions are switched off: fetch the answer instead")
        own = self._of.get(socket, {})
        if path not in own and len(own) >= MAX_SUBSCRIPTIONS:
            raise EventError("too_many", f"A connection may have {MAX_SUBSCRIPTIONS} subscriptions: cancel some")
        for _ in range(MAX_ROUNDS):
            principal = await self._rights.of(socket)
            viewpoint = self._viewpoint(path, principal)
            heard = self._at(viewpoint)
            heard.audience.expected += 1
            try:
                await self._answers.fresh(heard)
                # From here on nothing waits: what is acknowledged and what is said next follow each other.
                if not socket.connected:
                    raise EventError("unavailable", "The connection has ended")
                if self._rights.is_certain(socket, principal):
                    return self._entered(socket, path, heard)
            except UnfitAnswerError as error:
                self._leave(socket, path)
                _refuse(error)
            finally:
                heard.audience.expected -= 1
                self._answers.release(heard)
        raise EventError("unavailable", "Rights change faster than they can be examined: try again")

    def _viewpoint(self, path: str, principal: Principal | None) -> Viewpoint:
        assert self._answers is not None
        viewpoint = self._answers.within.viewpoint(path, principal)
        if isinstance(viewpoint, NoViewpoint):
            raise EventError(viewpoint.value, _REFUSALS[viewpoint])
        return viewpoint

    def _at(self, viewpoint: Viewpoint) -> Heard:
        assert self._answers is not None
        try:
            return self._answers.at(viewpoint)
        except CrowdedError:
            raise EventError("too_many", "Too many answers are subscribed to: fetch this one instead") from None

    def _entered(self, socket: Socket, path: str, heard: Heard) -> Said:
        own = self._of.setdefault(socket, {})
        before = own.get(path)
        if before is not None and before is not heard:
            self._discard(socket, path, before)
        own[path] = heard
        heard.audience.add(path, socket)
        socket.data[PATHS] = list(own)
        assert heard.watch.said is not None
        return heard.watch.said

    def _leave(self, socket: Socket, path: str) -> None:
        own = self._of.get(socket)
        heard = own.pop(path, None) if own is not None else None
        if own is None or heard is None:
            return
        self._discard(socket, path, heard)
        if own:
            socket.data[PATHS] = list(own)
        else:
            del self._of[socket]
            socket.data.pop(PATHS, None)

    def _discard(self, socket: Socket, path: str, heard: Heard) -> None:
        """The answer is computed in the name of somebody who listens: when he leaves, another takes his place."""
        assert self._answers is not None
        assert self._rights is not None
        heard.audience.discard(path, socket)
        if heard.viewpoint.principal == self._rights.known(socket) and not heard.audience.bindings:
            successor = heard.audience.anyone()
            if successor is not None:
                heard.viewpoint = replace(heard.viewpoint, principal=self._rights.known(successor))
        self._answers.release(heard)

    def examined(self, socket: Socket, principal: Principal | None) -> None:
        """Somebody else stands behind ``socket`` now, or nobody: it keeps what it would be given anyway."""
        for path, heard in list(self._of.get(socket, {}).items()):
            viewpoint = self._answers.within.viewpoint(path, principal) if self._answers is not None else None
            if isinstance(viewpoint, Viewpoint) and viewpoint.key == heard.viewpoint.key:
                continue
            self._leave(socket, path)
            code = "unauthenticated" if principal is None else "forbidden"
            self._end((socket,), path, code, "Your rights have changed: subscribe again to what you may have")

    # -- what clients and rooms are told (answers.Speaker)

    def is_heard(self, audience: Audience) -> bool:
        return bool(audience.expected or len(audience)) or any(
            self._io.has_members(binding.room, here=True) for binding in audience.bindings
        )

    def tell(self, heard: Heard, before: Said | None, now: Said, *, is_news: bool) -> None:
        told = telling(before, now)
        for path, sockets in heard.audience:
            self.updates += 1
            if isinstance(told, Patch):
                self.patches += 1
                # Who lags behind gets the whole, in the place of whatever waits for him (trap T31).
                whole = partial(told.whole.payload, path)
                self._io.say_to(sockets, UPDATE, told.payload(path), newest=_key(path), lagging=whole)
            elif told is not None:
                self._io.say_to(sockets, UPDATE, told.payload(path), newest=_key(path))
        if is_news:
            for binding in heard.audience.bindings:
                for emission in binding.describe(None if before is None else before.value, now.value):
                    self.say(emission)

    def say(self, emission: Emission) -> None:
        """To clients of this process: every server hears of a commit, and tells its own."""
        self._io.to(emission.room).local.emit(emission.event, emission.payload)

    def tell_stale(self, heard: Heard) -> None:
        for path, sockets in heard.audience:
            self.stale += 1
            self._io.say_to(sockets, STALE, {"path": path}, newest=_key(path))

    def tell_end(self, heard: Heard, error: UnfitAnswerError) -> None:
        code, message = _told(error)
        for path, sockets in list(heard.audience):
            for socket in sockets:
                self._leave(socket, path)
            self._end(sockets, path, code, message)

    def _end(self, sockets: tuple[Socket, ...], path: str, code: str, message: str) -> None:
        self.ended += len(sockets)
        self._io.say_to(
            sockets, ENDED, {"path": path, "error": {"code": code, "message": message}}, newest=_key(path)
        )


def _key(path: str) -> str:
    """Under which only the newest waits for a client that lags behind."""
    return f"live {path}"


def _refuse(error: UnfitAnswerError) -> NoReturn:
    raise EventError(*_told(error)) from error


def _told(error: UnfitAnswerError) -> tuple[str, str]:
    """Code and message of what the application has answered in place of the answer."""
    answered = error.answered
    if answered is None or answered.status >= 500:
        return "unavailable", "The answer cannot be computed at the moment: try again"
    if answered.status == 200:
        return "unfit", f"This cannot be subscribed to, {error}: fetch it instead"
    return _CODES.get(answered.status, "refused"), _detail(answered) or f"The answer is {answered.status}"


def _detail(answered: Answered) -> str | None:
    """What a problem document (RFC 9457) says."""
    try:
        told = orjson.loads(answered.body)
    except ValueError:
        return None
    detail = told.get("detail") if isinstance(told, dict) else None
    return detail if isinstance(detail, str) else None
