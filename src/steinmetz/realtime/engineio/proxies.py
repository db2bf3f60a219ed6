"""Who is behind a proxy: the address and scheme that proxies forward, believed only if each of them is trusted.

"it may be modified, whether mistakenly or for malicious reasons, by every node on the way to the server, including
the client making the request" (RFC 7239, 8.1). So the list is read from its end, where the nearest proxy writes,
up to the first address that is not a trusted proxy. That one is the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

MAX_HOPS = 32
"""Addresses that are looked at."""
_SECURE = frozenset({"https", "wss"})
_PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*')


class Peer(NamedTuple):
    """Where a request comes from."""

    address: str
    secure: bool


class TrustedProxies:
    """``networks`` are addresses and networks; ``header`` is what these proxies write (`Config.proxy_header`)."""

    def __init__(self, networks: Iterable[str], header: str = "x-forwarded") -> None:
        self._networks = [ip_network(network, strict=False) for network in networks]
        self._is_standard = header == "forwarded"

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def peer(self, seen: Peer, headers: Iterable[tuple[bytes, bytes]]) -> Peer:
        """Who has sent a request that came from ``seen``; ``headers`` with names in lower case."""
        if not self._networks or not self.trusts(seen.address):
            return seen
        hops, scheme = (_forwarded if self._is_standard else _x_forwarded)(headers)
        address = seen.address
        for hop in reversed(hops[-MAX_HOPS:]):
            parsed = _address_of(hop)
            if parsed is None:
                break  # "unknown", or an obfuscated name: the nearest proxy whose address is known stands for it
            address = parsed
            if not self.trusts(address):
                break
        return Peer(address, seen.secure if scheme is None else scheme in _SECURE)


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """All values of the header ``name``, joined as RFC 9110 (5.3) joins them."""
    return ",".join([value.decode("latin-1") for found, value in headers if found == name])


def _x_forwarded(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Sequence[str], str | None]:
    headers = list(headers)
    hops = [part.strip() for part in _values(headers, b"x-forwarded-for").split(",")]
    schemes = [part.strip().lower() for part in _values(headers, b"x-forwarded-proto").split(",")]
    return [hop for hop in hops if hop], schemes[-1] or None


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Sequence[str], str | None]:
    """The ``for`` of each element and the ``proto`` of the last; nothing at all of a list that is malformed."""
    text = _values(headers, b"forwarded")
    hops: list[str] = []
    scheme: str | None = None
    at, element = 0, dict[str, str]()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            return [], None
        name, quoted, token = found.groups()
        element[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
        at = found.end()
        separator = text[at : at + 1]
        if separator not in {"", ";", ","}:
            return [], None
        at += 1
        if separator != ";":
            hops.append(element.get("for", ""))
            scheme = element.get("proto", "").lower() or None
            element = {}
    return hops, scheme


def _address_of(hop: str) -> str | None:
    """The address of ``192.0.2.7``, ``192.0.2.7:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    parsed = _parsed(hop)
    return None if parsed is None else str(parsed)


def _parsed(address: str) -> object | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
