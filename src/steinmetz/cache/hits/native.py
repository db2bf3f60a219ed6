"""Answers raw requests with kept answers, by the same policy object as the ASGI door, or leaves them alone.

    raw segment -> memo of all bytes: all it rests upon still stands?  -> bytes
                -> memo of the lines that matter                        -> bytes
                -> head read -> `CacheMiddleware.hit`                   -> bytes, remembered in both
                -> None: the server's parser and ASGI

A server's protocol class calls `NativeHits.answer` with whole bodiless requests while nothing else is under way on
the connection. Nothing here waits, and nothing is decided on a doubt (traps T18 to T21).
"""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.cache.asgi.middleware import CacheMiddleware
from steinmetz.cache.asgi.protocol import HeaderList, Scope
from steinmetz.cache.hits.heads import Gist, HeadReader, lines_beside
from steinmetz.cache.hits.memo import Memo, memo_bytes_beside
from steinmetz.cache.hits.passage import Client, Front, Leaving, PlainFront
from steinmetz.cache.hits.ready import LOOKED_AT_S, MEMBER_BYTES, Readiness, Ready
from steinmetz.cache.invalidation.cluster import Cluster

MEMO_BYTES = 8 * 1024 * 1024
"""At most, beside a large store."""
Forwarded = Callable[[Scope], bool]
"""Puts what a trusted proxy says in the scope and tells whether it named a client."""
Log = Callable[[Leaving], None]
"""The access log of the server itself; ``leaving.scope["client"]`` is the client."""


def _weight_by_bytes(segment: bytes, ready: Ready) -> int:
    return len(segment) + (MEMBER_BYTES if ready.is_shared else ready.weight)


def _weight_by_gist(gist: Gist, ready: Ready) -> int:
    return sum(map(len, gist)) + MEMBER_BYTES + ready.weight


def _token_line(cluster: Cluster) -> bytes:
    return b"x-consistency-token: %b\r\n" % cluster.token()


class Known:
    """What is remembered of the requests of like peers: by all their bytes, and by the lines that matter."""

    __slots__ = ("by_bytes", "by_gist")

    def __init__(self, budget_bytes: int, monotonic_s: Callable[[], float]) -> None:
        half = budget_bytes // 2
        self.by_bytes: Memo[bytes, Ready] = Memo(half, _weight_by_bytes, LOOKED_AT_S, monotonic_s)
        self.by_gist: Memo[Gist, Ready] = Memo(half, _weight_by_gist, LOOKED_AT_S, monotonic_s)


class Peer:
    """Whom one connection is with."""

    __slots__ = ("client", "forwarded", "known", "log", "root_path", "scheme", "server")

    def __init__(
        self,
        known: Known,
        *,
        scheme: str,
        client: Client,
        server: tuple[str, int | None] | None,
        root_path: str,
        forwarded: Forwarded | None,
        log: Log | None,
    ) -> None:
        self.known = known
        self.scheme = scheme
        self.client = client
        self.server = server
        self.root_path = root_path
        self.forwarded = forwarded
        self.log = log


class NativeHits:
    """The native door of ``cache``. ``front`` makes the passages; ``excluded`` are paths that others answer."""

    def __init__(
        self,
        cache: CacheMiddleware,
        front: Front | None = None,
        *,
        excluded: Callable[[str], bool] = lambda path: False,
        memo_bytes: int | None = None,
    ) -> None:
        self._readiness = Readiness(
            cache, front if front is not None else PlainFront(cache.finish, cache.on_admitted)
        )
        self._excluded = excluded
        self._memo_bytes = memo_bytes or memo_bytes_beside(cache.kept.store.budget_bytes, MEMO_BYTES)
        self._heads = HeadReader(self._readiness.looked_at, lines_beside(cache.kept.store.budget_bytes))
        self._known: dict[tuple[str, str, Forwarded | None], Known] = {}
        self._monotonic_s = cache.clock.monotonic_s
        self._may_be = self._readiness.may_be
        self._standing = self._readiness.standing
        self._statistics = cache.statistics
        self._cluster = cache.cluster

    def peer(
        self,
        *,
        scheme: str,
        client: tuple[str, int] | None,
        server: tuple[str, int | None] | None = None,
        root_path: str = "",
        forwarded: Forwarded | None = None,
        log: Log | None = None,
    ) -> Peer:
        """To be asked once a connection; ``forwarded`` only where the peer is a trusted proxy.

        What a request says of its sender counts only from such a one; these have a memo of their own (trap T21).
        """
        kind = scheme, root_path, forwarded
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = Known(self._memo_bytes, self._monotonic_s)
        return Peer(
            known,
            scheme=scheme,
            client=Client(client),
            server=server,
            root_path=root_path,
            forwarded=forwarded,
            log=log,
        )

    def known(self) -> list[Known]:
        """What is remembered, for each kind of peer."""
        return list(self._known.values())

    def answer(self, segment: bytes, peer: Peer, fields: HeaderList, started_ns: int) -> bytes | None:
        """The whole response to ``segment``, which came at ``started_ns``; None if it is not for this door.

        ``segment`` is what was read, or one request of it; ``fields`` are the server's own (date, server), a new
        list whenever they change.
        """
        if not self._may_be():
            return None
        ready = peer.known.by_bytes.get(segment)
        if ready is None or (entry := self._standing(ready, fields)) is None:
            ready = self._first_sight(segment, peer, fields)
            entry = None if ready is None else ready.entry()
            if ready is None or entry is None:
                return None
        form = ready.form()
        if form is None:
            return None
        client = ready.client or peer.client
        own = ready.passage.take(client, started_ns)
        if own is None:
            return None
        entry.hits += 1
        ready.counts.hits += 1
        if peer.log is not None:
            ready.leaving.scope["client"] = client.address
            peer.log(ready.leaving)
        head = ready.head if self._cluster is None else ready.head + _token_line(self._cluster)
        if ready.has_body:
            return b"".join((head, own, form.body))
        if ready.unmodified:
            self._statistics.not_modified += 1
        return head + own

    # -- at first sight

    def _first_sight(self, segment: bytes, peer: Peer, fields: HeaderList) -> Ready | None:
        known, gist, ready, is_familiar = peer.known, None, None, True
        if self._readiness.looked_at is not None:
            gist, is_familiar = self._heads.gist(segment)
            if gist is None:
                return None
            ready = known.by_gist.get(gist) or known.by_gist.recall(gist)
        if ready is None or self._standing(ready, fields) is None:
            ready = self._ready(segment, peer, fields)
            if ready is None:
                known.by_bytes.forget(segment)
                return None
            if gist is not None and ready.is_shared:
                known.by_gist.remember(gist, ready)
        # Bytes with a line that was never heard before may never come again: the next ones like them will tell.
        if is_familiar:
            known.by_bytes.remember(segment, ready)
        return ready

    def _ready(self, segment: bytes, peer: Peer, fields: HeaderList) -> Ready | None:
        head = self._heads.read(segment)
        if head is None or self._excluded(head.path):
            return None
        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "method": head.method,
            "path": peer.root_path + head.path,
            "root_path": peer.root_path,
            "query_string": head.query,
            "headers": head.headers,
            "scheme": peer.scheme,
            "client": peer.client.address,
            "server": peer.server,
        }
        is_forwarded = peer.forwarded is not None and peer.forwarded(scope)
        return self._readiness.ready(scope, Client(scope["client"]) if is_forwarded else None, fields)
