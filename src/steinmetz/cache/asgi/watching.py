"""A recorder for development: is a kept answer really the same for all who share it?

Now and then a request that would have been a hit is computed all the same, with its own identity and header, and
compared with the kept answer, if somebody else had that computed: another user, or the same one with other header
lines. The caller gets what was computed for him. A difference is told, counted (``leaks``), and from then on the
route by-passes the cache: whatever its cause, the route's terms promise too much.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from steinmetz.cache.asgi.admission import Admitted
from steinmetz.cache.asgi.answers import bypass_headers
from steinmetz.cache.asgi.asked import Asked, Target
from steinmetz.cache.asgi.computation import RECORDING, plain_get
from steinmetz.cache.asgi.kept_answers import KeptAnswers
from steinmetz.cache.asgi.protocol import ASGIApp, HeaderList, Message, Receive, Scope, Send
from steinmetz.cache.asgi.sending import Sender
from steinmetz.cache.invalidation.reads import record
from steinmetz.cache.policy.entry import Entry, with_defaults
from steinmetz.cache.policy.headers import storable_headers
from steinmetz.cache.policy.one_request import OF_ONE_REQUEST
from steinmetz.cache.statistics import Statistics
from steinmetz.sql.scope import ScopeKind

log = structlog.get_logger("steinmetz.cache")

REMEMBERED_MAKERS = 4_096

# Fields that differ from request to request by their nature; identity is compared as the admitted subject.
_OF_NO_INTEREST = OF_ONE_REQUEST | {
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-length",
    b"if-modified-since",
    b"if-none-match",
    b"pragma",
    b"x-consistency-token",
}
_NOT_COMPARED = frozenset({b"date", b"etag"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, and with which header lines."""

    subject: str | None
    fields: frozenset[tuple[bytes, bytes]]

    @classmethod
    def of(cls, scope: Scope) -> Asker:
        admission = scope.get("steinmetz.admission")
        subject = admission.principal.subject if isinstance(admission, Admitted) else None
        return cls(subject, frozenset(line for line in scope["headers"] if line[0] not in _OF_NO_INTEREST))

    def differs_in(self, other: Asker) -> list[str]:
        """The names of what is different; no values, for a cookie may be among them."""
        names = sorted({name.decode("latin-1") for name, _ in self.fields ^ other.fields})
        return ["the caller", *names] if self.subject != other.subject else names


class IdentityWatch:
    """``rate``: the share of hits for other askers that is computed and compared."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rate: float,
        draw: Callable[[], float],
        kept: KeptAnswers,
        sender: Sender,
        statistics: Statistics,
        max_bytes: int,
    ) -> None:
        self._app = app
        self._rate = rate
        self._draw = draw
        self._kept = kept
        self._sender = sender
        self._statistics = statistics
        self._max_bytes = max_bytes
        self._makers: OrderedDict[bytes, tuple[float, Asker]] = OrderedDict()

    def kept(self, asked: Asked, entry: Entry) -> None:
        """``entry`` was computed for ``asked``."""
        self._makers[entry.key] = (entry.stored_at_s, Asker.of(asked.scope))
        self._makers.move_to_end(entry.key)
        if len(self._makers) > REMEMBERED_MAKERS:
            self._makers.popitem(last=False)

    async def took(self, scope: Scope, receive: Receive, send: Send, target: Target, entry: Entry) -> bool:
        """Whether this hit was computed instead, compared and answered."""
        stored_at_s, maker = self._makers.get(entry.key, (None, None))
        if maker is None or stored_at_s != entry.stored_at_s:
            return False
        asker = Asker.of(scope)
        if asker == maker or self._draw() >= self._rate:
            return False
        self._statistics.compared += 1
        answer = await self._computed(scope, receive, target)
        if answer is not None:
            differing = self._differing(entry, answer)
            if differing and self._still_holds(entry):
                again = await self._computed(scope, receive, target)
                steady = again is not None and again.status == answer.status and again.body == answer.body
                if self._still_holds(entry):
                    self._tell(target, entry, differing, asker.differs_in(maker), steady=steady)
        if answer is None:
            return False
        headers = [*answer.headers, *bypass_headers("compared with the kept answer")]
        body = b"" if scope["method"] == "HEAD" else answer.body
        await self._sender.all(scope, send, answer.status, headers, body)
        return True

    async def _computed(self, scope: Scope, receive: Receive, target: Target) -> _Gathered | None:
        """The answer for this request; None if it is too large to be compared, or is not simply a body."""
        gathered = _Gathered(self._max_bytes)
        sequence = self._kept.coherence.begin()
        with record(ScopeKind.REQUEST, f"GET {target.route.template}", sequence, target.reads()) as recording:
            scope[RECORDING] = recording
            await self._app(plain_get(scope), receive, gathered)
        return gathered if gathered.is_whole else None

    def _still_holds(self, entry: Entry) -> bool:
        """Whether nothing that the kept answer read has moved meanwhile: then it should be what was computed."""
        coherence = self._kept.coherence
        return entry.alive and coherence.was_unmoved(entry.sequence, entry.read_set, coherence.moment())

    @staticmethod
    def _differing(entry: Entry, answer: _Gathered) -> list[str]:
        found = ["status"] if entry.status != answer.status else []
        lines = with_defaults(storable_headers(answer.headers), entry.etag, len(answer.body))
        names = {name for name, _ in set(lines) ^ set(entry.headers)} - _NOT_COMPARED
        found += sorted(name.decode("latin-1") for name in names)
        return found + (["body"] if entry.body != answer.body else [])

    def _tell(
        self, target: Target, entry: Entry, differing: list[str], asked_with: list[str], *, steady: bool
    ) -> None:
        target.counts.leaked()
        for other in [kept for kept in list(self._kept.store) if kept.route == entry.route]:
            self._kept.discard(other)
        log.warning(
            "A kept answer is not what another caller would have got; the route by-passes the cache from now on",
            route=entry.route,
            shared_by=str(target.policy.vary_on),
            differing=differing,
            asked_with_other=asked_with,
            steady=steady,
            remedy=(
                'cached(vary_on="user" or "role"), a Vary header, or key=...'
                if steady
                else "computed twice for one caller it differs, too: take the clock or chance out of the answer"
            ),
        )


class _Gathered:
    """A ``send`` that takes in one whole answer of at most so many bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.status = 0
        self.headers: HeaderList = []
        self.body = b""
        self.is_whole = False
        self._max_bytes = max_bytes
        self._is_plain = True

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body" and self._is_plain:
            self.body += message.get("body", b"")
            self._is_plain = len(self.body) <= self._max_bytes
            self.is_whole = self._is_plain and not message.get("more_body", False)
        else:
            self._is_plain = self.is_whole = False
