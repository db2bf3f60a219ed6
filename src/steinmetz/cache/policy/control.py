"""What a response says about its caching: Cache-Control, or the targeted field in its place (RFC 9213)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steinmetz.cache.policy.headers import Headers, cache_control, delta_seconds, value_of
from steinmetz.cache.policy.structured_fields import Member, NotStructuredError, parse_dictionary

TARGETED = b"cdn-cache-control"

_TAKES_SECONDS = frozenset({"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"})


@dataclass(frozen=True, slots=True)
class Control:
    """The directives in force, names in lower case. ``targeted``: Cache-Control and Expires count for nothing."""

    directives: Mapping[str, str | None]
    targeted: bool = False

    def __contains__(self, name: str) -> bool:
        return name in self.directives

    def seconds(self, name: str) -> int | None:
        return delta_seconds(self.directives, name)

    def fields(self, name: str) -> frozenset[bytes]:
        """The field names in the argument of ``no-cache`` or ``private``; empty if the directive has none."""
        argument = self.directives.get(name) or ""
        named = {field.strip().lower() for field in argument.split(",")}
        return frozenset(field.encode("latin-1") for field in named if field)

    def is_whole(self, name: str) -> bool:
        """Whether the directive is there and concerns the whole answer, not just fields of it."""
        return name in self.directives and not self.fields(name)


def control_of(headers: Headers) -> Control:
    """The directives that a shared cache close to the origin obeys.

    "if the targeted field's value is empty or parsing fails, the cache MUST ignore that field ... Otherwise it
    MUST ignore the Cache-Control and Expires header fields" (RFC 9213, 2.1 and 2.2).
    """
    said = value_of(headers, TARGETED)
    if said is not None:
        try:
            members = parse_dictionary(said)
        except NotStructuredError:
            members = {}
        if members:
            return Control(_directives(members), targeted=True)
    return Control(cache_control(value_of(headers, b"cache-control") or b""))


def _directives(members: Mapping[str, Member]) -> dict[str, str | None]:
    """ "the values of the wrong type" are as if their directive were absent (RFC 9213, 2.1)."""
    directives: dict[str, str | None] = {}
    for name, value in members.items():
        if name in _TAKES_SECONDS:
            if isinstance(value, int) and not isinstance(value, bool):
                directives[name] = str(value)
        elif value is not False and not isinstance(value, Decimal):
            directives[name] = None
    return directives
