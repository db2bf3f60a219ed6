"""The short way of a hit for whoever stands before everything else in ASGI and does what a `Front` does."""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.cache.asgi.middleware import INTERESTING, CacheMiddleware
from steinmetz.cache.asgi.passing import INSTRUCTION
from steinmetz.cache.asgi.protocol import HeaderList, Scope
from steinmetz.cache.hits.heads import DOUBTFUL
from steinmetz.cache.hits.memo import Memo, memo_bytes_beside
from steinmetz.cache.hits.passage import Client, Front
from steinmetz.cache.hits.ready import LOOKED_AT_S, MEMBER_BYTES, NOT_OURS, Readiness, Ready
from steinmetz.cache.policy.consistency import CONSISTENCY_TOKEN

MEMO_BYTES = 4 * 1024 * 1024
"""At most, beside a large store."""
REMEMBERED_FIELDS = 4_096
REMEMBERED_FIELD_BYTES = 2_048
REMEMBERED_CLIENTS = 4_096

_OF_A_SCOPE = (
    "type",
    "http_version",
    "method",
    "path",
    "root_path",
    "query_string",
    "headers",
    "scheme",
    "client",
    "server",
)

Field = tuple[bytes, bytes]
Gist = tuple[str, str, str, bytes, str, tuple[Field, ...]]
"""Method, root path, path, query, scheme and the fields that matter."""


def _weight(gist: Gist, ready: Ready) -> int:
    return sum(len(name) + len(value) for name, value in gist[5]) + len(gist[2]) + MEMBER_BYTES + ready.weight


class AsgiHits:
    """``front`` must say which fields it looks at; ``excluded`` are paths that others answer."""

    def __init__(
        self,
        cache: CacheMiddleware,
        front: Front,
        *,
        excluded: Callable[[str], bool] = lambda path: False,
        memo_bytes: int | None = None,
    ) -> None:
        self._readiness = Readiness(cache, front)
        self._telling = DOUBTFUL | INTERESTING | (self._readiness.looked_at or frozenset())
        """Fields that can make another answer of it."""
        self._excluded = excluded
        self._statistics = cache.statistics
        self._cluster = cache.cluster
        budget_bytes = memo_bytes or memo_bytes_beside(cache.kept.store.budget_bytes, MEMO_BYTES)
        self._known: Memo[Gist, Ready] = Memo(budget_bytes, _weight, LOOKED_AT_S, cache.clock.monotonic_s)
        self._idle: dict[Field, None] = {}
        """Fields that nobody looks at."""
        self._clients: dict[str, Client] = {}

    def remembered(self) -> dict[str, int]:
        """How many requests, fields that do not matter, and clients."""
        return {"requests": len(self._known), "fields": len(self._idle), "clients": len(self._clients)}

    def take(self, scope: Scope, started_ns: int) -> tuple[int, HeaderList, bytes] | None:
        """Status, header and body to send, charged, counted and logged; None to go on as ever."""
        readiness = self._readiness
        if readiness.looked_at is None or not readiness.may_be() or INSTRUCTION in scope:
            return None
        headers, idle = scope["headers"], self._idle
        mattering = tuple([field for field in headers if field not in idle])
        gist = (
            scope["method"],
            scope.get("root_path", ""),
            scope["path"],
            scope["query_string"],
            scope.get("scheme", "http"),
            mattering,
        )
        ready = self._known.get(gist)
        if ready is None or (entry := readiness.standing(ready, NOT_OURS)) is None:
            ready = self._first_sight(scope, gist)
            entry = None if ready is None else ready.entry()
            if ready is None or entry is None:
                return None
        form = ready.form()
        if form is None:
            return None
        own = ready.passage.take_fields(self._client(scope), started_ns)
        if own is None:
            return None
        entry.hits += 1
        ready.counts.hits += 1
        if ready.unmodified:
            self._statistics.not_modified += 1
        if self._cluster is not None:
            own.append((CONSISTENCY_TOKEN, self._cluster.token()))
        return ready.leaving.status, own, form.body if ready.has_body else b""

    def _first_sight(self, scope: Scope, gist: Gist) -> Ready | None:
        *place, mattering = gist
        heard = []
        for field in mattering:
            if field[0] in self._telling:
                heard.append(field)
            elif len(field[0]) + len(field[1]) <= REMEMBERED_FIELD_BYTES:
                if len(self._idle) >= REMEMBERED_FIELDS:
                    self._idle.clear()
                self._idle[field] = None
        gist = (*place, tuple(heard))  # type: ignore[assignment]  # mypy does not know how many a star stands for
        ready = self._known.get(gist) or self._known.recall(gist)
        if ready is None or self._readiness.standing(ready, NOT_OURS) is None:
            if self._excluded(scope["path"]):
                return None
            ready = self._readiness.ready({name: scope.get(name) for name in _OF_A_SCOPE}, None, NOT_OURS)
            if ready is not None and ready.is_shared:
                self._known.remember(gist, ready)
        return ready

    def _client(self, scope: Scope) -> Client:
        address = scope.get("client")
        host = address[0] if address else ""
        client = self._clients.get(host)
        if client is None:
            if len(self._clients) >= REMEMBERED_CLIENTS:
                self._clients.clear()
            client = self._clients[host] = Client(address)
        return client
