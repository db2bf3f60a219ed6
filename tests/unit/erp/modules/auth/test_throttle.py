from __future__ import annotations

import pytest

from steinmetz.erp.errors import TooManyRequests
from steinmetz.erp.modules.auth.throttle import LoginThrottle
from steinmetz.gcra import Rate


def test_a_wrong_attempt_counts_against_address_and_account() -> None:
    throttle = LoginThrottle(Rate(2, 60), Rate(1, 60))
    throttle.charge("a", "x", 0)
    with pytest.raises(TooManyRequests):
        throttle.check("b", "x", 0)
    throttle.charge("a", "y", 0)
    with pytest.raises(TooManyRequests) as refused:
        throttle.charge("a", "z", 0)
    assert refused.value.headers["Retry-After"] == "60"
    throttle.check("b", "z", 0)


def test_a_right_attempt_is_given_back() -> None:
    throttle = LoginThrottle(Rate(1, 60), Rate(1, 60))
    for _ in range(10):
        throttle.charge("a", "x", 0)
        throttle.give_back("a", "x")
