"""Answers raw requests with kept answers, by the same policy object as the ASGI door, or leaves them alone.

    raw segment -> memo of all bytes: all it rested upon still stands?  -> bytes
                -> memo of the lines that matter                        -> bytes
                -> head read -> `CacheMiddleware.hit`                   -> bytes, remembered in both
                -> None: the server's parser and ASGI

A server's protocol class calls `NativeHits.answer` with whole bodiless requests while nothing else is under way on
the connection. Nothing here waits, and nothing is decided on a doubt (traps T18 to T21).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from weakref import ref

from steinmetz.cache.asgi.admission import Admitted, RememberedAdmission
from steinmetz.cache.asgi.answers import hit_headers, is_unmodified, without_body
from steinmetz.cache.asgi.hit import Found
from steinmetz.cache.asgi.middleware import ADMISSION, ROUTE, CacheMiddleware
from steinmetz.cache.asgi.protocol import HeaderList, Scope
from steinmetz.cache.native.heads import Gist, HeadReader
from steinmetz.cache.native.memo import Memo
from steinmetz.cache.native.passage import Client, Front, Leaving, Passage, PlainFront, header_lines
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.statistics import RouteCounts

MEMO_BYTES = 8 * 1024 * 1024
READY_BYTES = 3_000
MEMBER_BYTES = 250
"""Python's own cost of what a request may be answered with, and of remembering one, beside their bytes."""
LOOKED_AT_S = 1.0
"""What is remembered of a request is made anew at least so often: ages and dates are told in whole seconds."""

# What the cache itself looks at beside the credential, and who asks through a proxy.
_LOOKED_AT = frozenset({b"if-none-match", b"accept-encoding", b"x-forwarded-for", b"x-forwarded-proto"})
_STATUS_LINE = {status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() for status in (200, 304)}


class Ready:
    """What one raw request may be answered with, and all that this rests upon.

    ``until_s``, on the monotonic clock, is the earliest end of any time in it: the answer's, the admission's, the
    second whose age it tells. The entry is not held: what a store lets go of must be free.
    """

    __slots__ = (
        "client",
        "counts",
        "entry",
        "fields",
        "has_body",
        "head",
        "is_shared",
        "leaving",
        "passage",
        "remembered",
        "unmodified",
        "until_s",
        "weight",
    )

    def __init__(
        self,
        found: Found,
        until_s: float,
        fields: HeaderList,
        head: bytes,
        leaving: Leaving,
        passage: Passage,
        client: Client | None,
        *,
        has_body: bool,
        is_shared: bool,
    ) -> None:
        self.entry: ref[Entry] = ref(found.entry)
        self.remembered: RememberedAdmission | None = found.remembered
        self.counts: RouteCounts = found.target.counts
        self.until_s = until_s
        self.fields = fields
        self.head = head
        self.leaving = leaving
        self.passage = passage
        self.client = client
        """The client that a trusted proxy names; None: whoever the connection is with."""
        self.has_body = has_body
        self.is_shared = is_shared
        """Whether all requests with the same lines that matter have it."""
        self.unmodified = leaving.status == 304
        self.weight = READY_BYTES + len(head)


Forwarded = Callable[[Scope], bool]
"""Puts what a trusted proxy says in the scope and tells whether it named a client."""
Log = Callable[[Leaving], None]
"""The access log of the server itself; ``leaving.scope["client"]`` is the client."""


def _weight_by_bytes(segment: bytes, ready: Ready) -> int:
    return len(segment) + (MEMBER_BYTES if ready.is_shared else ready.weight)


def _weight_by_gist(gist: Gist, ready: Ready) -> int:
    return sum(map(len, gist)) + MEMBER_BYTES + ready.weight


class Known:
    """What is remembered of the requests of like peers: by all their bytes, and by the lines that matter."""

    __slots__ = ("by_bytes", "by_gist")

    def __init__(self, budget_bytes: int) -> None:
        self.by_bytes: Memo[bytes, Ready] = Memo(budget_bytes // 2, _weight_by_bytes)
        self.by_gist: Memo[Gist, Ready] = Memo(budget_bytes // 2, _weight_by_gist)


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
        memo_bytes: int = MEMO_BYTES,
    ) -> None:
        self._cache = cache
        self._front: Front = front if front is not None else PlainFront(cache.finish, cache.on_admitted)
        self._excluded = excluded
        self._memo_bytes = memo_bytes
        self._looked_at: frozenset[bytes] | None = None
        if self._front.fields is not None and cache.credential_fields is not None:
            self._looked_at = self._front.fields | cache.credential_fields | _LOOKED_AT
        self._heads = HeadReader(self._looked_at)
        self._known: dict[tuple[str, str, Forwarded | None], Known] = {}
        self._epochs = cache.kept.coherence.epochs
        self._switch = cache.switch
        self._statistics = cache.statistics
        self._clock = cache.clock
        self._monotonic_s = cache.clock.monotonic_s
        self._has_cluster = cache.cluster is not None

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
            known = self._known[kind] = Known(self._memo_bytes)
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
        # The marks first: a bump drops the answers before it takes its mark down.
        if self._epochs.marks or not self._switch.on:
            return None
        ready = peer.known.by_bytes.get(segment)
        if ready is None or (entry := self._standing(ready, fields)) is None:
            ready = self._first_sight(segment, peer, fields)
            entry = None if ready is None else ready.entry()
            if ready is None or entry is None:
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
        if ready.has_body:
            return b"".join((ready.head, own, entry.body))
        if ready.unmodified:
            self._statistics.not_modified += 1
        return ready.head + own

    def _standing(self, ready: Ready, fields: HeaderList) -> Entry | None:
        """The answer, if all that ``ready`` rests upon still stands."""
        entry, remembered = ready.entry(), ready.remembered
        if (
            entry is None
            or not entry.alive
            or (remembered is not None and not remembered.alive)
            or ready.fields is not fields
            or self._monotonic_s() >= ready.until_s
            or self._has_cluster
        ):
            return None
        return entry

    # -- at first sight

    def _first_sight(self, segment: bytes, peer: Peer, fields: HeaderList) -> Ready | None:
        known, gist, ready = peer.known, None, None
        if self._looked_at is not None:
            gist = self._heads.gist(segment)
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
        found = self._cache.hit(scope)
        if found is None or found.entry.status != 200:
            return None
        entry, remembered = found.entry, found.remembered
        scope[ROUTE] = found.target.route.template
        principal = None
        if remembered is not None:
            scope[ADMISSION] = admission = remembered.admission
            principal = admission.principal if isinstance(admission, Admitted) else None
        now_s = self._monotonic_s()
        status, headers = 200, hit_headers(entry, now_s)
        if is_unmodified(entry, found.if_none_match):
            status, headers = 304, without_body(headers)
        has_body = status == 200 and head.method == "GET"
        leaving = Leaving(
            scope, principal, found.target.route.template, status, headers, len(entry.body) if has_body else 0
        )
        return Ready(
            found,
            self._until_s(entry, remembered, now_s),
            fields,
            b"%b%b%b" % (_STATUS_LINE[status], header_lines(fields), header_lines(headers)),
            leaving,
            self._front.passage(leaving),
            Client(scope["client"]) if is_forwarded else None,
            has_body=has_body,
            is_shared=self._is_shared(found),
        )

    def _until_s(self, entry: Entry, remembered: RememberedAdmission | None, now_s: float) -> float:
        """When the next of the times ends that an answer rests upon; those on the wall clock within a second."""
        next_age_s = entry.stored_at_s + int(now_s - entry.stored_at_s) + 1
        until_s = min(now_s + LOOKED_AT_S, next_age_s, entry.expires_s)
        ends = [] if entry.valid_until_s is None else [entry.valid_until_s]
        if remembered is not None:
            until_s = min(until_s, remembered.ends_s)
            if remembered.expires_s is not None:
                ends.append(remembered.expires_s)
        if ends:
            until_s = min(until_s, now_s + min(ends) - self._clock.now().timestamp())
        return until_s

    def _is_shared(self, found: Found) -> bool:
        """Whether the lines that matter are all that the answer depends on."""
        looked_at = self._looked_at
        return (
            looked_at is not None
            and found.target.policy.key is None
            and all(name in looked_at for name, _ in found.entry.vary)
        )
