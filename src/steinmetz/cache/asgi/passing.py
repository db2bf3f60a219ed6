"""The application alone: uncached routes, writes, requests that by-pass, computations from within the process."""

from __future__ import annotations

from steinmetz.cache.asgi.admission import ADMISSION, Admitted
from steinmetz.cache.asgi.answers import bypass_headers, in_own_words
from steinmetz.cache.asgi.computing import RECORDING
from steinmetz.cache.asgi.protocol import ASGIApp, Message, Receive, Scope, Send, route_path
from steinmetz.cache.asgi.routes import Route
from steinmetz.cache.asgi.sending import Sender
from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.invalidation.paths import WRITING_METHODS, invalidated_by
from steinmetz.cache.invalidation.reads import record
from steinmetz.cache.invalidation.writes import WriteObserver
from steinmetz.cache.policy.lookup import Bypass
from steinmetz.cache.policy.tags import path_reads, tag_reads
from steinmetz.sql.scope import ScopeKind

INSTRUCTION = "steinmetz.cache"
RECOMPUTE = "recompute"
WARM = "warm"
"""Instructions of callers within the process: no client can put them in a scope."""


class Passing:
    """Runs ``app`` with its reads recorded and nothing kept."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        coherence: Coherence,
        observer: WriteObserver,
        sender: Sender,
        cluster: Cluster | None = None,
    ) -> None:
        self.app = app
        self._coherence = coherence
        self._observer = observer
        self._sender = sender
        self._cluster = cluster

    async def alone(
        self, scope: Scope, receive: Receive, send: Send, route: Route, bypass: Bypass | None = None
    ) -> None:
        """The application alone: a route that is not cached, a write, a request that by-passes."""
        method = scope["method"]
        if method in WRITING_METHODS:
            scope["headers"] = in_own_words(scope["headers"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                recording.response_started = True
                status, headers = message["status"], list(message.get("headers", ()))
                if route.invalidates and (writes := invalidated_by(method, status, route.invalidates)):
                    self._observer.move(writes)
                if bypass is not None:
                    headers += bypass_headers(bypass.reason)
                if self._cluster is not None and method in WRITING_METHODS and status < 400:
                    headers.append((b"x-consistency-token", self._cluster.token()))
                message = {**message, "headers": self._sender.finished(scope, status, headers)}
            await send(message)

        with record(ScopeKind.REQUEST, f"{method} {route.template}", self._coherence.begin()) as recording:
            scope[RECORDING] = recording
            if isinstance(admission := scope.get(ADMISSION), Admitted):
                recording.subject = admission.principal.subject
            await self.app(scope, receive, sending)

    async def recompute(self, scope: Scope, receive: Receive, send: Send, route: Route) -> None:
        """For callers within the process: neither looked up nor kept; the recording is left in the scope."""
        if scope[INSTRUCTION] != RECOMPUTE:
            known = f'"{RECOMPUTE}" or "{WARM}"'
            raise ValueError(f'scope["{INSTRUCTION}"] may only be {known}; got {scope[INSTRUCTION]!r}')
        sequence = self._coherence.begin()
        tags = path_reads(route_path(scope))
        if route.policy is not None:
            tags |= tag_reads(route.policy.tags)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                recording.close()
            await send(message)

        with record(ScopeKind.REQUEST, f"{scope['method']} {route.template}", sequence, tags) as recording:
            scope[RECORDING] = recording
            await self.app(scope, receive, sending)
