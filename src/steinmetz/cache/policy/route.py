"""What one route allows its answers, as said by `cached`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from steinmetz.cache.policy.consistency import SESSION, Consistency
from steinmetz.cache.policy.limits import Limits

DEFAULT_TTL_S = 300.0


class VaryOn(StrEnum):
    """Which part of the caller's identity an answer may depend on."""

    NONE = "none"
    ROLE = "role"
    USER = "user"


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a route's own key function is given: the path, the raw query and the request's header lines."""

    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]


KeyFunction = Callable[[KeyRequest], str]


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The terms of one cached route.

    ``public`` opens hits to callers without a credential. ``stale_while_revalidate_s`` lets an answer be given
    after its time while it is computed anew, ``stale_if_error_s`` when computing it anew has failed; neither ever
    crosses an invalidation. ``statuses`` are the others than 200 that are kept, and for how many seconds.
    ``early`` is the beta of `steinmetz.cache.policy.early`; 0: never. ``max_bytes`` bounds one body (None: the
    cache's own limit), ``max_entries`` and ``budget_bytes`` all answers of the route together (None: the store's
    budget alone). ``consistency`` matters only where processes share a Redis.

    ``compress`` lets kept answers go out as gzip and zstd. The length of a compressed answer tells of its content:
    who makes a victim's browser ask many times with guesses in the query, and sees the lengths pass, can find out
    a secret that stands beside the echoed guess (BREACH). A bearer token is not sent along by a foreign page, and
    neither is a SameSite cookie; a route that answers cookies with a secret and with words of the query says
    False.
    """

    ttl_s: float = DEFAULT_TTL_S
    vary_on: VaryOn = VaryOn.USER
    public: bool = False
    key: KeyFunction | None = None
    tags: frozenset[str] = frozenset()
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float = 0.0
    statuses: Mapping[int, float] = field(default_factory=dict, hash=False)
    early: float = 0.0
    max_bytes: int | None = None
    consistency: Consistency = SESSION
    max_entries: int | None = None
    budget_bytes: int | None = None
    compress: bool = True
    live: bool = False
    """Clients may subscribe to the answers (`steinmetz.live`): JSON, and nothing that a request header selects."""

    def ttl_of(self, status: int) -> float | None:
        """How long an answer of ``status`` is kept, in seconds; None: not at all."""
        return self.ttl_s if status == 200 else self.statuses.get(status)

    def limits_of(self, template: str) -> Limits | None:
        """The limits of the route ``template``, or None if it has none of its own."""
        if self.max_entries is None and self.budget_bytes is None:
            return None
        return Limits(template, self.max_entries, self.budget_bytes)
