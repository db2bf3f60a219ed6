"""Marks on endpoint functions, and the table that finds them again from method and path before any routing.

`cached` and `invalidates` change nothing about the function they decorate. `RouteTable` reads the routes of a
Starlette-like application in their order, for a route before a marked one may take its requests: ``/items/latest``
is not ``/items/{id}``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any, TypeVar

import structlog

from steinmetz.cache.asgi.memo import Memo
from steinmetz.cache.policy.consistency import SESSION, Consistency, consistency_of
from steinmetz.cache.policy.route import DEFAULT_TTL_S, CachePolicy, KeyFunction, VaryOn

log = structlog.get_logger("steinmetz.cache")

F = TypeVar("F", bound=Callable[..., Any])

CACHED = "__steinmetz_cached__"
INVALIDATES = "__steinmetz_invalidates__"
REMEMBERED_BYTES = 512 * 1024
_PATH_BYTES = 400


def cached(
    ttl: float | timedelta = DEFAULT_TTL_S,
    *,
    shared: bool = False,
    public: bool = False,
    vary_on: VaryOn | str | None = None,
    key: KeyFunction | None = None,
    tags: Iterable[str] = (),
    stale_while_revalidate: float | timedelta = 0,
    stale_if_error: float | timedelta = 0,
    statuses: Mapping[int, float | timedelta] | None = None,
    early: float = 0.0,
    max_bytes: int | None = None,
    consistency: Consistency | str = SESSION,
    max_entries: int | None = None,
    budget_bytes: int | None = None,
    compress: bool = True,
    live: bool = False,
) -> Callable[[F], F]:
    """Mark a GET endpoint: its answers are kept for ``ttl`` (seconds) or until something they read is written.

    Who is given a kept answer: by default the user whose request computed it, and no other. ``vary_on="role"``:
    all admitted callers of one role. ``shared=True``: all admitted callers. ``public=True``: anybody, also without
    a credential. ``key`` stands in place of the query; ``tags`` are names for `ResponseCache.invalidate_tags`.
    ``stale_while_revalidate`` (seconds): how long after its time, never after an invalidation, an answer may be
    given while it is computed anew; ``stale_if_error`` (seconds): how long it may be given because computing it
    anew has failed, by an exception or a 5xx. ``statuses`` names other statuses than 200 that are kept, and for
    how long: ``{404: 5, 410: 60}``; a write drops them like any other answer. ``early`` (about 1.0): a hit near
    the end begins the next computation behind it, the sooner the longer computing takes, so that nobody waits.
    ``max_bytes`` bounds one body, ``max_entries`` and ``budget_bytes`` all answers of the route together.
    ``compress=False``: never as gzip or zstd (`CachePolicy` says when that matters). ``consistency``: how fresh
    where processes share a Redis, ``"strong"``, ``"session"`` (default) or ``Bounded(within_ms)``. ``live=True``:
    clients may subscribe to the answers, which are JSON (`steinmetz.live`).

    Works above and below a router's decorator, for coroutines and plain functions.

    Raises `ValueError` for times and limits that are not positive, for statuses that no cache may keep, and for
    ``shared=True`` with another ``vary_on``.
    """
    for name, limit in (("max_entries", max_entries), ("budget_bytes", budget_bytes)):
        if limit is not None and limit <= 0:
            raise ValueError(f"cached({name}=...) must be positive; got {limit!r}")
    policy = CachePolicy(
        ttl_s=_positive("ttl", ttl),
        vary_on=_vary_on(vary_on, shared=shared, public=public),
        public=public,
        key=key,
        tags=frozenset(tags),
        stale_while_revalidate_s=_not_negative("stale_while_revalidate", stale_while_revalidate),
        stale_if_error_s=_not_negative("stale_if_error", stale_if_error),
        statuses=_statuses(statuses or {}),
        early=_not_negative("early", early),
        max_bytes=max_bytes,
        consistency=consistency_of(consistency),
        max_entries=max_entries,
        budget_bytes=budget_bytes,
        compress=compress,
        live=live,
    )

    def mark(endpoint: F) -> F:
        setattr(endpoint, CACHED, policy)
        return endpoint

    return mark


def _seconds(name: str, duration: float | timedelta) -> float:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not isfinite(seconds):
        raise ValueError(f"cached({name}=...) must be a finite number; got {duration!r}")
    return seconds


def _positive(name: str, duration: float | timedelta) -> float:
    seconds = _seconds(name, duration)
    if seconds <= 0:
        raise ValueError(f"cached({name}=...) must be positive, in seconds; got {duration!r}")
    return seconds


def _not_negative(name: str, duration: float | timedelta) -> float:
    seconds = _seconds(name, duration)
    if seconds < 0:
        raise ValueError(f"cached({name}=...) must not be negative; got {duration!r}")
    return seconds


# No body of its own (204), a part (206), a comparison (304), what is true of this one caller (401, 403, 407, 429),
# a mishap (5xx): nothing of that is true of the next request.
_NEVER_KEPT = frozenset({204, 205, 206, 304, 401, 403, 407, 412, 416, 429})


def _statuses(said: Mapping[int, float | timedelta]) -> dict[int, float]:
    for status in said:
        if not isinstance(status, int) or not 201 <= status < 500 or status in _NEVER_KEPT:
            raise ValueError(
                f"cached(statuses=...) maps statuses such as 404 or 410 to seconds (200 has ttl=...); {status!r} "
                "is never kept"
            )
    return {status: _positive(f"statuses[{status}]", seconds) for status, seconds in said.items()}


def _vary_on(said: VaryOn | str | None, *, shared: bool, public: bool) -> VaryOn:
    if said is None:
        return VaryOn.NONE if shared or public else VaryOn.USER
    try:
        vary_on = VaryOn(said)
    except ValueError:
        raise ValueError(f'cached(vary_on=...) is "none", "role" or "user"; got {said!r}') from None
    if shared and vary_on is not VaryOn.NONE:
        raise ValueError(f'cached(shared=True) means vary_on="none"; it cannot also be {said!r}')
    return vary_on


def invalidates(*paths: str) -> Callable[[F], F]:
    """Mark a writing endpoint (POST, PUT, PATCH, DELETE): its success drops the answers at and below ``paths``.

    By whole segments and with all queries: ``/api/functions`` drops ``/api/functions/7?x=1``, not
    ``/api/functions-old``. After the commit, before the response starts, and only if its status is below 400.

    Raises `ValueError` without a path, or for one that does not start with ``/``.
    """
    if not paths or not all(path.startswith("/") for path in paths):
        raise ValueError(f'invalidates() takes paths such as "/api/functions"; got {paths!r}')

    def mark(endpoint: F) -> F:
        setattr(endpoint, INVALIDATES, (*getattr(endpoint, INVALIDATES, ()), *paths))
        return endpoint

    return mark


@dataclass(frozen=True, slots=True)
class Route:
    """What is known of the requests of one method at one path template.

    ``template`` is the path as the application wrote it (``/api/invoices/{id}``), so it is bounded in number.
    """

    template: str
    policy: CachePolicy | None = None
    invalidates: tuple[str, ...] = ()


UNKNOWN = Route("(unrouted)")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One route in its place; ``methods`` None: all. ``path`` matches the whole path."""

    path: re.Pattern[str]
    template: str
    methods: frozenset[str] | None
    endpoint: Any

    def route_for(self, method: str) -> Route:
        endpoint = self.endpoint
        if inspect.isclass(endpoint):
            endpoint = getattr(endpoint, method.lower(), None)
        policy = _marked(endpoint, CACHED) if method == "GET" else None
        return Route(self.template, policy, _marked(endpoint, INVALIDATES) or ())


def _marked(endpoint: Any, mark: str) -> Any:
    """The mark of an endpoint, also below `functools.partial`."""
    while endpoint is not None:
        if (found := getattr(endpoint, mark, None)) is not None:
            return found
        endpoint = getattr(endpoint, "func", None)
    return None


_PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::([a-zA-Z_][a-zA-Z0-9_]*))?}")
_CONVERTERS = {
    "str": "[^/]+",
    "path": ".*",
    "int": "[0-9]+",
    "float": r"[0-9]+(?:\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
}


def _compiled(template: str, converters: Any, suffix: str = "") -> re.Pattern[str]:
    expression, end = "", 0
    for parameter in _PARAMETER.finditer(template):
        name, kind = parameter.group(1), parameter.group(2) or "str"
        own = getattr(converters.get(name), "regex", None) if isinstance(converters, dict) else None
        expression += re.escape(template[end : parameter.start()]) + f"(?:{own or _CONVERTERS.get(kind, '.*')})"
        end = parameter.end()
    return re.compile(expression + re.escape(template[end:]) + suffix, re.DOTALL)


class RouteTable:
    """Method and path -> `Route`, as the application's own router would choose. Remembers `REMEMBERED_BYTES`."""

    def __init__(self, patterns: Iterable[_Pattern] = ()) -> None:
        self._patterns = tuple(patterns)
        self._remembered: Memo[tuple[str, str], Route] = Memo(REMEMBERED_BYTES)

    @classmethod
    def of(cls, app: Any) -> RouteTable:
        """The table of any application with Starlette-like ``.routes`` (nested routers and mounts included).

        An application without routes has an empty table: nothing is cached, everything passes.
        """
        return cls(_patterns(getattr(app, "routes", None) or (), ""))

    def __iter__(self) -> Iterator[tuple[str, Route]]:
        """Every method and route that carries a mark."""
        for pattern in self._patterns:
            for method in sorted(pattern.methods or ("GET", "POST", "PUT", "PATCH", "DELETE")):
                route = pattern.route_for(method)
                if route.policy is not None or route.invalidates:
                    yield method, route

    def match(self, method: str, path: str) -> Route:
        """The route of a request; HEAD is asked as GET. `UNKNOWN` if the application has none."""
        found = self._remembered.get((method, path))
        if found is None:
            found = self._search("GET" if method == "HEAD" else method, path)
            self._remembered.put((method, path), found, _PATH_BYTES + len(path))
        return found

    def _search(self, method: str, path: str) -> Route:
        for pattern in self._patterns:
            if (pattern.methods is None or method in pattern.methods) and pattern.path.fullmatch(path):
                return pattern.route_for(method)
        return UNKNOWN


def _patterns(routes: Iterable[Any], prefix: str) -> Iterator[_Pattern]:
    for route in routes:
        # FastAPI keeps an included router as one route that unfolds itself into its effective ones.
        unfold = getattr(route, "effective_route_contexts", None)
        if unfold is not None:
            yield from _patterns(unfold(), prefix)
            continue
        route = getattr(route, "starlette_route", None) or route
        if hasattr(route, "host") and not hasattr(route, "methods"):
            # Who answers depends on the Host header, which this table does not know: the rest is not cached.
            log.warning("Routes by host are not cached, nor what comes after them", host=str(route.host))
            yield _Pattern(re.compile(".*", re.DOTALL), "(by host)", None, None)
            return
        path = getattr(route, "path", None)
        if path is None:
            continue
        template, converters = prefix + path, getattr(route, "param_convertors", {})
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None:
            yield from _mounted(route, template, converters)
        elif not _is_websocket(route):
            methods = getattr(route, "methods", None)
            yield _Pattern(
                _compiled(template, converters), template, frozenset(methods) if methods else None, endpoint
            )


def _mounted(route: Any, template: str, converters: Any) -> Iterator[_Pattern]:
    """A mounted application takes all below its path, whether or not one of its own routes matches."""
    yield from _patterns(getattr(route, "routes", None) or (), template)
    yield _Pattern(_compiled(template, converters, "/.*"), template + "/", None, None)


def _is_websocket(route: Any) -> bool:
    return "WebSocket" in type(route).__name__
