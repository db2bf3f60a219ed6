"""What one request may be answered with, and all that this rests upon: worked out once, checked at every hit."""

from __future__ import annotations

from http import HTTPStatus
from weakref import ref

from steinmetz.cache.asgi.admission import ADMISSION, Admitted, RememberedAdmission
from steinmetz.cache.asgi.hit import Found, Reply
from steinmetz.cache.asgi.middleware import CacheMiddleware
from steinmetz.cache.asgi.protocol import HeaderList, Scope
from steinmetz.cache.asgi.within import ROUTE
from steinmetz.cache.hits.passage import Client, Front, Leaving, Passage, header_lines
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.statistics import RouteCounts

READY_BYTES = 3_000
MEMBER_BYTES = 250
"""Python's own cost of what a request may be answered with, and of remembering one, beside their bytes."""
LOOKED_AT_S = 1.0
"""It is made anew at least so often: ages and dates are told in whole seconds."""

# What the cache itself looks at beside the credential, and who asks through a proxy.
_LOOKED_AT = frozenset({b"if-none-match", b"accept-encoding", b"x-forwarded-for", b"x-forwarded-proto"})
_STATUS_LINE = {status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() for status in (200, 304)}
NOT_OURS: HeaderList = []
"""The server's own fields, where the server writes them itself."""


class Ready:
    """What one raw request may be answered with, and all that this rests upon.

    ``until_s``, on the monotonic clock, is the earliest end of any time in it: the answer's, the admission's, the
    second whose age it tells. Entry and form are not held: what a store lets go of must be free.
    """

    __slots__ = (
        "client",
        "consistency",
        "counts",
        "entry",
        "fields",
        "form",
        "has_body",
        "head",
        "is_shared",
        "leaving",
        "passage",
        "remembered",
        "token",
        "unmodified",
        "until_s",
        "weight",
    )

    def __init__(
        self,
        found: Found,
        until_s: float,
        fields: HeaderList,
        reply: Reply,
        leaving: Leaving,
        passage: Passage,
        client: Client | None,
        *,
        is_shared: bool,
    ) -> None:
        self.entry: ref[Entry] = ref(found.entry)
        self.remembered: RememberedAdmission | None = found.remembered
        self.counts: RouteCounts = found.target.counts
        self.until_s = until_s
        self.fields = fields
        self.form = ref(reply.form)
        self.head = b"%b%b%b" % (_STATUS_LINE[reply.status], header_lines(fields), header_lines(reply.headers))
        self.leaving = leaving
        self.passage = passage
        self.client = client
        """The client that a trusted proxy names; None: whoever the connection is with."""
        self.has_body = reply.has_body
        self.is_shared = is_shared
        """Whether all requests with the same lines that matter have it."""
        self.consistency = found.target.policy.consistency
        self.token = found.token
        self.unmodified = leaving.status == 304
        self.weight = READY_BYTES + len(self.head)


class Readiness:
    """Makes and judges what requests may be answered with, by ``cache``; ``front`` makes the passages."""

    def __init__(self, cache: CacheMiddleware, front: Front) -> None:
        self._cache = cache
        self._front = front
        self.looked_at: frozenset[bytes] | None = None
        """The request fields that anybody looks at; None if nobody can say."""
        if front.fields is not None and cache.credential_fields is not None:
            self.looked_at = front.fields | cache.credential_fields | _LOOKED_AT
        self._epochs = cache.kept.coherence.epochs
        self._switch = cache.switch
        self._clock = cache.clock
        self._monotonic_s = cache.clock.monotonic_s
        self._has_cluster = cache.cluster is not None
        self._stands = cache.stands

    def may_be(self) -> bool:
        """To be asked first: a bump drops the answers before it takes its mark down."""
        return not self._epochs.marks and self._switch.on

    def standing(self, ready: Ready, fields: HeaderList) -> Entry | None:
        """The answer, if all that ``ready`` rests upon still stands."""
        if self._has_cluster and (not self._stands(ready.consistency, ready.token) or self._epochs.marks):
            return None  # having caught up, we may know of a mark that was not there before
        entry, remembered = ready.entry(), ready.remembered
        if (
            entry is None
            or not entry.alive
            or (remembered is not None and not remembered.alive)
            or ready.fields is not fields
            or self._monotonic_s() >= ready.until_s
        ):
            return None
        return entry

    def ready(self, scope: Scope, client: Client | None, fields: HeaderList) -> Ready | None:
        """What ``scope`` may be answered with now; None for any doubt. It keeps the scope and writes in it.

        ``client`` is whom a trusted proxy named; ``fields`` are the server's own.
        """
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
        reply = self._cache.sender.reply(scope, entry, found.if_none_match, found.accept_encoding, now_s)
        leaving = Leaving(
            scope,
            principal,
            found.target.route.template,
            reply.status,
            reply.headers,
            len(reply.form.body) if reply.has_body else 0,
        )
        return Ready(
            found,
            self._until_s(entry, remembered, now_s),
            fields,
            reply,
            leaving,
            self._front.passage(leaving),
            client,
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
        looked_at = self.looked_at
        return (
            looked_at is not None
            and found.target.policy.key is None
            and all(name in looked_at for name, _ in found.entry.vary)
        )
