"""A cached route at one path and query, and one request for it that was not answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steinmetz.cache.asgi.protocol import Receive, Scope, Send
from steinmetz.cache.asgi.routes import Route
from steinmetz.cache.policy.headers import Headers
from steinmetz.cache.policy.lookup import Demands
from steinmetz.cache.policy.route import CachePolicy
from steinmetz.cache.policy.tags import path_reads, tag_reads
from steinmetz.cache.statistics import RouteCounts

if TYPE_CHECKING:
    from steinmetz.sql.facts import Relation


class Target:
    """A cached route at one path and query: all that does not depend on the caller."""

    __slots__ = ("counts", "key", "path", "policy", "route")

    def __init__(self, route: Route, policy: CachePolicy, path: str, key: bytes, counts: RouteCounts) -> None:
        self.route = route
        self.policy = policy
        self.path = path
        self.key = key
        self.counts = counts

    def reads(self) -> frozenset[Relation]:
        """The path and the hand-made tags, which count as read. Not kept: most targets are computed once."""
        return path_reads(self.path) | tag_reads(self.policy.tags)


class Asked:
    """One request for a kept answer that was not given at once."""

    __slots__ = (
        "counted", "demands", "if_none_match", "is_ahead", "key", "receive", "scope", "send", "target", "variant",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        target: Target,
        key: bytes,
        variant: bytes,
        asked: Demands,
        if_none_match: bytes | None,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.target = target
        self.key = key
        self.variant = variant
        self.demands = asked
        self.if_none_match = if_none_match
        self.counted = False
        self.is_ahead = False
        """Whether nobody has asked yet: what is computed is for whoever comes next."""

    @property
    def headers(self) -> Headers:
        headers: Headers = self.scope["headers"]
        return headers
