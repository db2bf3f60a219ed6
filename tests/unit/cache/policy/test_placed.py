from __future__ import annotations

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.policy.placed import Placed


def test_nothing_is_known_of_its_cost_and_nothing_limits_it_unless_said() -> None:
    placed = Placed("/a")
    assert (placed.path, placed.cost_ns, placed.limits) == ("/a", 0, None)
    limits = Limits("/a", max_entries=1)
    assert Placed("/a", 5, limits).limits is limits
