"""Who calls: asked once of the application's `Authenticator`, then remembered by the credential's digest.

An admission is kept by the same epoch rules as an answer, with a read set of its own (session, user and role
rows), so a revoked login is refused at its next request, and what sign-in reads never empties an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import structlog

from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.invalidation.reads import record
from steinmetz.cache.policy.variants import Caller, Known, Unproven
from steinmetz.cache.policy.weight import weight_of_reads
from steinmetz.cache.stores.base import Store
from steinmetz.clock import Clock
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.scope import ScopeKind

log = structlog.get_logger("steinmetz.cache")

ADMISSION = "steinmetz.admission"
"""Where a request's scope holds what was found out about its caller."""
DEFAULT_TTL_S = 300.0
REFUSED_TTL_S = 10.0
MEMO_ENTRY_BYTES = 1_500


@dataclass(frozen=True, slots=True)
class Principal:
    """An admitted caller. ``detail`` is the application's own view of it; ``expires_at`` is aware, or None."""

    subject: str
    role: str
    expires_at: datetime | None = None
    detail: object = None


@dataclass(frozen=True, slots=True)
class Admitted:
    principal: Principal


@dataclass(frozen=True, slots=True)
class Refused:
    """``reason`` is for the application's answer, which alone says 401; it holds no secret."""

    reason: str


Admission = Admitted | Refused


class Authenticator(Protocol):
    """What the application knows of its callers."""

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """The credential a request carries (a bearer token, a session cookie), or None. Quick and pure."""

    async def authenticate(self, credential: bytes) -> Admission:
        """Whose credential it is. May query; what it reads is recorded apart from any answer."""


class RememberedAdmission:
    """An admission and what it rests upon."""

    __slots__ = ("admission", "alive", "caller", "ends_s", "expires_s", "key", "read_set", "weight")

    def __init__(self, key: bytes, admission: Admission, read_set: ReadSet, now_s: float) -> None:
        self.key = key
        self.admission = admission
        self.alive = True
        self.caller = caller_of(admission)
        self.read_set = read_set
        self.weight = MEMO_ENTRY_BYTES + weight_of_reads(read_set)
        admitted = isinstance(admission, Admitted)
        self.ends_s = now_s + (DEFAULT_TTL_S if admitted else REFUSED_TTL_S)
        expires_at = admission.principal.expires_at if isinstance(admission, Admitted) else None
        self.expires_s = None if expires_at is None else expires_at.timestamp()

    def holds(self, clock: Clock) -> bool:
        """Whether it may still be used: neither its own time nor the credential's has ended."""
        if clock.monotonic_s() >= self.ends_s:
            return False
        return self.expires_s is None or clock.now().timestamp() < self.expires_s


def caller_of(admission: Admission) -> Caller:
    """The caller as the policy sees it; a Refused one gets no hit."""
    if isinstance(admission, Admitted):
        return Known(admission.principal.subject, admission.principal.role)
    return Unproven("credential refused")


UNCHECKED = Unproven("credential could not be checked")


class Admissions:
    """Admissions by credential digest. The credential itself is not kept."""

    def __init__(
        self,
        authenticator: Authenticator,
        coherence: Coherence,
        store: Store[RememberedAdmission],
        clock: Clock,
    ) -> None:
        self.credential = authenticator.credential
        self._authenticator = authenticator
        self._coherence = coherence
        self._store = store
        self._clock = clock
        self.asked = 0

    def remembered(self, credential: bytes) -> RememberedAdmission | None:
        """What is known of ``credential``, if it still holds."""
        found = self._coherence.find(self._store, sha256(credential).digest())
        if found is None or isinstance(found, Suspended) or not found.holds(self._clock):
            return None
        return found

    async def admit(self, credential: bytes) -> tuple[Admission | None, Caller]:
        """Ask the application; None if it failed, in which case its own routes decide."""
        self.asked += 1
        with record(ScopeKind.ADMISSION, "admission", self._coherence.begin()) as recording:
            try:
                admission = await self._authenticator.authenticate(credential)
            except Exception as error:
                # Only its kind: the message may hold what was bound to a statement; the routes tell the rest.
                log.error("The authenticator failed; no cached answer is given", error=type(error).__name__)
                return None, UNCHECKED
        reads = recording.read_set()
        remembered = RememberedAdmission(sha256(credential).digest(), admission, reads, self._clock.monotonic_s())
        if isinstance(admission, Admitted) and not remembered.holds(self._clock):
            admission = Refused("the credential has expired")
            return admission, caller_of(admission)
        if reads.is_certain and not recording.wrote:
            self._coherence.keep(self._store, remembered, recording.sequence)
        return admission, remembered.caller
