"""Which web pages may talk to this server. A browser sends cookies along with a foreign page's WebSocket, so the
Origin header is the only thing that tells the company's page from another (cross-site WebSocket hijacking)."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def origin_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page from ``origin`` may connect to the server that was addressed as ``host``.

    No Origin header: not a foreign page. Otherwise the origin is in ``allowed``, or is the server's own: same host
    and port. The scheme is not compared, because behind a proxy that ends TLS the server does not know it.
    """
    if origin is None or "*" in allowed or origin in allowed:
        return True
    if host is None:
        return False
    try:
        page = urlsplit(origin)
        default = _DEFAULT_PORTS.get(page.scheme)
        if default is None or page.hostname is None:
            return False
        own = urlsplit(f"//{host}")
        own_ports = {own.port} if own.port is not None else {80, 443}
        return page.hostname == own.hostname and (page.port or default) in own_ports
    except ValueError:
        return False
