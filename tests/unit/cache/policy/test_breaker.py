from __future__ import annotations

from steinmetz.cache.policy.breaker import Breaker


def test_it_opens_at_a_failure_and_lets_one_try_after_a_while() -> None:
    breaker = Breaker(open_s=1.0)
    assert breaker.is_closed
    assert breaker.allows(10.0)
    breaker.failed(10.0)
    assert not breaker.allows(10.9)
    assert breaker.allows(11.0)
    assert not breaker.allows(11.0)  # the probe is under way
    breaker.failed(11.2)
    assert not breaker.allows(12.0)
    assert breaker.allows(12.2)
    breaker.succeeded()
    assert breaker.is_closed
    assert breaker.allows(12.2)
    assert breaker.opened == 1


def test_each_opening_counts_once() -> None:
    breaker = Breaker()
    for now_s in (1.0, 2.0):
        breaker.failed(now_s)
    breaker.succeeded()
    breaker.failed(3.0)
    assert breaker.opened == 2
