"""Whose answer it is: the variant of a key, or the reason why this caller can share none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never
from urllib.parse import quote

from steinmetz.cache.policy.route import CachePolicy, VaryOn


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credential came with the request."""


@dataclass(frozen=True, slots=True)
class Known:
    """An admitted caller, with the two variants that can be his."""

    subject: str
    role: str
    of_role: bytes = field(init=False, repr=False, compare=False)
    of_user: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        role = quote(self.role, safe="")
        object.__setattr__(self, "of_role", f"role={role}".encode())
        # The role beside the subject: a changed role is another variant even before the old one is dropped.
        object.__setattr__(self, "of_user", f"user={quote(self.subject, safe='')};role={role}".encode())


@dataclass(frozen=True, slots=True)
class Unproven:
    """A credential came, but it was refused or could not be checked."""

    reason: str


Caller = Anonymous | Known | Unproven
ANONYMOUS = Anonymous()


@dataclass(frozen=True, slots=True)
class NoVariant:
    """This caller gets no hit, and nothing computed for it is kept. ``reason`` is one of a fixed few."""

    reason: str


_ANONYMOUS_VARIANT = b"anonymous"
_NO_CREDENTIAL = NoVariant("no credential")


def variant_of(policy: CachePolicy, caller: Caller) -> bytes | NoVariant:
    """The variant of ``policy``'s answers that ``caller`` may be given.

    "No admission, no hit" (contracts, 2). ``shared`` routes have the empty variant for every admitted caller.
    """
    if isinstance(caller, Unproven):
        return NoVariant(caller.reason)
    if isinstance(caller, Anonymous):
        if not policy.public:
            return _NO_CREDENTIAL
        return b"" if policy.vary_on is VaryOn.NONE else _ANONYMOUS_VARIANT
    match policy.vary_on:
        case VaryOn.NONE:
            return b""
        case VaryOn.ROLE:
            return caller.of_role
        case VaryOn.USER:
            return caller.of_user
        case _ as never:
            assert_never(never)
