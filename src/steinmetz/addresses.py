"""What counts as one address, and which are this machine's own."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

MAX_UNKNOWN_CHARS = 64
"""Of what is no address: a proxy may say anything."""


def network_of(address: str) -> str:
    """What counts as one address: an IPv6 customer owns a whole /64 (RFC 6177)."""
    return place_of(address)[0]


def is_local(address: str) -> bool:
    """Whether only this machine can come from ``address``: its loopback, or a socket that is a file."""
    return place_of(address)[1]


@lru_cache(maxsize=8_192)
def place_of(address: str) -> tuple[str, bool]:
    """`network_of` and `is_local` in one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:MAX_UNKNOWN_CHARS], not address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return parsed.exploded[:19], parsed.is_loopback
        parsed = parsed.ipv4_mapped
    return str(parsed), parsed.is_loopback
