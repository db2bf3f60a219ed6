"""How many requests are answered: per address before anything else, per user as soon as it is known who asks.

Kept answers count like computed ones. A request that changes something costs as much as `WRITE_COST` readings, and
a refused one nothing. This machine itself has no address to be counted by: what comes over its loopback is its
operator, who has no limits at all, or a proxy that is not trusted, behind which everybody would be one address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, MutableMapping
from typing import Any

from steinmetz.addresses import place_of
from steinmetz.cache import Principal
from steinmetz.clock import Clock
from steinmetz.erp.errors import TooManyRequests
from steinmetz.gcra import Gcra, Rate

Scope = MutableMapping[str, Any]

WRITE_COST = 5
MAX_ADDRESSES = 20_000
MAX_USERS = 20_000

EXEMPT = frozenset({"/healthz", "/readyz", "/metrics"})
"""Probes come from where they come from, and must be answered in the worst of times."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})
"""A proxy on this machine makes everybody look local; its headers give it away."""


class RateLimits:
    """Raises `TooManyRequests` for whoever asks too much; a rate of None never does."""

    def __init__(self, clock: Clock, *, address: Rate | None, user: Rate | None) -> None:
        self._monotonic_s = clock.monotonic_s
        self._addresses = None if address is None else Gcra(address, max_keys=MAX_ADDRESSES)
        self._users = None if user is None else Gcra(user, max_keys=MAX_USERS)
        self.refused: Counter[str] = Counter({"address": 0, "user": 0})

    def charge_address(self, scope: Scope) -> None:
        """Count the request ``scope`` against the address it comes from."""
        wait_s = self._charge_address(scope)
        if wait_s and self._addresses is not None:
            raise self._refusal("address", self._addresses.rate, wait_s)

    def charge_user(self, scope: Scope, principal: Principal) -> None:
        """Count the request against the user it has proven to come from; what its address paid is given back."""
        wait_s = self._charge_user(scope, principal)
        if wait_s and self._users is not None:
            raise self._refusal("user", self._users.rate, wait_s)

    def passes(self, scope: Scope, principal: Principal | None) -> bool:
        """Both charges in one; False if one of them refuses. Then neither is charged, nor is a refusal counted:
        whoever asks does so again where a refusal has words."""
        if self.are_off:
            return True
        if self._charge_address(scope):
            return False
        return principal is None or not self._charge_user(scope, principal)

    @property
    def are_off(self) -> bool:
        return self._addresses is None and self._users is None

    def _charge_address(self, scope: Scope) -> float:
        """How long to wait, in seconds; 0 for a request that may pass and has been charged."""
        if self._addresses is None or scope["path"] in EXEMPT:
            return 0.0
        client = scope.get("client")
        network, is_local = place_of(client[0] if client else "")
        if is_local:
            return 0.0
        cost = 1 if scope["method"] in READING else WRITE_COST
        return self._addresses.charge(network, self._monotonic_s(), cost)

    def _charge_user(self, scope: Scope, principal: Principal) -> float:
        if self._users is None or scope["path"] in EXEMPT:
            return 0.0
        client = scope.get("client")
        network, is_local = place_of(client[0] if client else "")
        if is_local and not is_forwarded(scope["headers"]):
            return 0.0
        cost = 1 if scope["method"] in READING else WRITE_COST
        wait_s = self._users.charge(principal.subject, self._monotonic_s(), cost)
        if wait_s and self._addresses is not None:
            self._addresses.give_back(network, cost)
        return wait_s

    def remembered(self) -> int:
        """For how many addresses and users there is a count."""
        return sum(len(limit) for limit in (self._addresses, self._users) if limit is not None)

    def _refusal(self, kind: str, rate: Rate, wait_s: float) -> TooManyRequests:
        self.refused[kind] += 1
        whose = "from this address" if kind == "address" else "by this user"
        # The sum of periods has errors of its rounding; a whole second must not become two.
        refusal = TooManyRequests(round(wait_s, 6))
        again_s = refusal.headers["Retry-After"]
        refusal.detail = f"Too many requests {whose}. Try again in {again_s} s."
        # "RateLimit-Policy" and "RateLimit" as of draft-ietf-httpapi-ratelimit-headers-09, sections 3 and 4.
        window_s = round(rate.burst * rate.period_s)
        refusal.headers["RateLimit-Policy"] = f'"{kind}";q={rate.burst};w={window_s}'
        refusal.headers["RateLimit"] = f'"{kind}";r=0;t={again_s}'
        return refusal


def is_forwarded(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name in FORWARDED for name, _ in headers)
