"""On what terms an answer is kept: decided when it is stored, obeyed at each look-up."""

from __future__ import annotations

from dataclasses import dataclass

NO_FIELDS: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """How long an answer lives and what may happen to it afterwards; all times in seconds.

    ``age_s`` is the age that it already had when it came. The two stale times begin where ``ttl_s`` ends and never
    cross an invalidation (RFC 5861). ``must_revalidate`` forbids both (RFC 9111, 5.2.2.2). ``no_cache``: to be
    validated at every use (5.2.2.4). ``withheld`` names, in lower case, the header fields that are not kept.
    ``early`` is the beta of the early refresh (`steinmetz.cache.policy.early`).
    """

    ttl_s: float
    vary: tuple[bytes, ...] = ()
    age_s: float = 0.0
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float = 0.0
    must_revalidate: bool = False
    no_cache: bool = False
    withheld: frozenset[bytes] = NO_FIELDS
    early: float = 0.0
