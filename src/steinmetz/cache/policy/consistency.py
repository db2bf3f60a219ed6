"""How fresh an answer must be where several processes share a database through Redis (contracts, 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONSISTENCY_TOKEN = b"x-consistency-token"


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


@dataclass(frozen=True, slots=True)
class Token:
    """X-Consistency-Token: its bearer has seen the cluster's log up to ``number`` of the life ``boot``."""

    boot: bytes
    number: int

    def __bytes__(self) -> bytes:
        return b"%b.%d" % (self.boot, self.number)


UNTOLD = Token(b"untold", 0)
"""Of a write that Redis could not be told of: no node can say that it knows of it, so its bearer gets no hits."""
ASK = Token(b"ask", 0)
"""Of a read past the cache: it may show what is not in the log yet. As the token of no life there is, it makes the
next node ask where the log ends before it gives anything."""
MAX_TOKENS = 8
_TOKEN = re.compile(rb"([0-9a-z]{1,64})\.([0-9]{1,16})")


def tokens_of(field: bytes | None) -> tuple[Token, ...]:
    """The tokens in a request's X-Consistency-Token; of one life the highest counts.

    A client may have mixed up several of them (a comma between), or somebody may have made one up: what is none,
    and more than `MAX_TOKENS`, is as good as `UNTOLD`, that is: its bearer gets no hits.
    """
    if not field:
        return ()
    highest: dict[bytes, Token] = {}
    for word in field.split(b","):
        matched = _TOKEN.fullmatch(word.strip())
        if matched is None or len(highest) > MAX_TOKENS:
            return (UNTOLD,)
        boot, number = matched[1], int(matched[2])
        if boot == UNTOLD.boot:
            return (UNTOLD,)
        if boot not in highest or highest[boot].number < number:
            highest[boot] = Token(boot, number)
    return tuple(highest.values())
