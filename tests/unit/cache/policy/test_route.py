from __future__ import annotations

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.route import CachePolicy


def test_200_has_the_time_of_the_route_others_only_what_is_said() -> None:
    policy = CachePolicy(ttl_s=60, statuses={404: 5.0})
    assert [policy.ttl_of(status) for status in (200, 404, 410, 500)] == [60, 5.0, None, None]


def test_policies_are_compared_and_hashed_though_their_statuses_are_a_mapping() -> None:
    assert CachePolicy(statuses={404: 5.0}) == CachePolicy(statuses={404: 5.0}) != CachePolicy()
    assert hash(CachePolicy(statuses={404: 5.0})) == hash(CachePolicy())


def test_a_route_without_limits_of_its_own_has_none() -> None:
    assert CachePolicy().limits_of("/a") is None
    assert CachePolicy(max_entries=3).limits_of("/a") == Limits("/a", 3, None)
    assert CachePolicy(budget_bytes=5).limits_of("/a") == Limits("/a", None, 5)
