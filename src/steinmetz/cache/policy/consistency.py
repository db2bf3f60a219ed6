"""How fresh an answer must be where several processes share a database through Redis (contracts, 2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strong:
    """No read is older than any acknowledged write: each hit is checked against the cluster's sequence."""


@dataclass(frozen=True, slots=True)
class Session:
    """Own writes and monotonic reads, by the token that writes return; others' writes as they come in."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """No read is older than a write acknowledged ``within_ms`` ago."""

    within_ms: float


Consistency = Strong | Session | Bounded
STRONG = Strong()
SESSION = Session()


def consistency_of(said: Consistency | str) -> Consistency:
    """What `cached` was told: one of the types, or ``"strong"`` or ``"session"``.

    Raises `ValueError` for anything else, and for a bound that is not positive.
    """
    if isinstance(said, Bounded) and said.within_ms <= 0:
        raise ValueError(f"Bounded(within_ms) must be positive, in milliseconds; got {said.within_ms!r}")
    if isinstance(said, Strong | Session | Bounded):
        return said
    if said == "strong":
        return STRONG
    if said == "session":
        return SESSION
    raise ValueError(f'cached(consistency=...) is "strong", "session" or Bounded(within_ms); got {said!r}')
