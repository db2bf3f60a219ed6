from __future__ import annotations

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.route import CachePolicy


def test_a_route_without_limits_of_its_own_has_none() -> None:
    assert CachePolicy().limits_of("/a") is None
    assert CachePolicy(max_entries=3).limits_of("/a") == Limits("/a", 3, None)
    assert CachePolicy(budget_bytes=5).limits_of("/a") == Limits("/a", None, 5)
