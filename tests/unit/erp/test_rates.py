from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import Principal
from steinmetz.clock import FakeClock
from steinmetz.erp.errors import TooManyRequests
from steinmetz.erp.rates import MAX_ADDRESSES, MAX_USERS, WRITE_COST, RateLimits
from steinmetz.gcra import Rate

ANNA = Principal("user:1", "clerk")
BERT = Principal("user:2", "clerk")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def asked(
    address: str | None = "192.0.2.1", method: str = "GET", path: str = "/api/x", **more: Any
) -> dict[str, Any]:
    client = None if address is None else (address, 4711)
    return {"client": client, "method": method, "path": path, "headers": [], **more}


def allowed(limits: RateLimits, scope: dict[str, Any], principal: Principal | None = None) -> int:
    """How many such requests are answered before one is refused."""
    for count in range(1_000):
        try:
            limits.charge_address(scope)
            if principal is not None:
                limits.charge_user(scope, principal)
        except TooManyRequests:
            return count
    return 1_000


def test_an_address_may_ask_its_burst_and_then_as_fast_as_its_rate(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(100, 0.5), user=None)
    assert allowed(limits, asked()) == 100
    assert allowed(limits, asked("192.0.2.2")) == 100
    clock.advance(0.5)
    assert allowed(limits, asked()) == 1
    assert limits.refused == {"address": 3, "user": 0}


def test_a_refusal_says_when_to_come_again_and_that_is_true_to_the_second(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(20, 0.7), user=None)
    writing = asked(method="POST")
    assert allowed(limits, writing) == 20 // WRITE_COST
    with pytest.raises(TooManyRequests) as refused:
        limits.charge_address(writing)
    headers = refused.value.headers
    assert headers["Retry-After"] == "4", "five times 0.7 s"
    assert headers["RateLimit-Policy"] == '"address";q=20;w=14'
    assert headers["RateLimit"] == '"address";r=0;t=4'
    assert "from this address" in refused.value.detail
    clock.advance(3)
    assert allowed(limits, writing) == 0
    clock.advance(1)
    assert allowed(limits, writing) == 1


def test_a_whole_number_of_seconds_does_not_become_one_more(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(30, 0.2), user=None)
    assert allowed(limits, asked()) == 30
    with pytest.raises(TooManyRequests) as refused:
        limits.charge_address(asked(method="PUT"))
    assert refused.value.headers["Retry-After"] == "1"


def test_a_user_is_one_wherever_he_asks_from_and_his_refusals_cost_the_address_nothing(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(100, 1), user=Rate(10, 1))
    assert allowed(limits, asked("192.0.2.1"), ANNA) == 10
    assert allowed(limits, asked("192.0.2.2"), ANNA) == 0
    assert allowed(limits, asked("192.0.2.1"), BERT) == 10
    for _ in range(500):
        assert allowed(limits, asked("192.0.2.1"), ANNA) == 0
    assert allowed(limits, asked("192.0.2.1")) == 80
    assert allowed(limits, asked("192.0.2.2")) == 100
    assert limits.refused["user"] == 503


def test_an_ipv6_customer_is_one_address(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(10, 1), user=None)
    assert allowed(limits, asked("2001:db8:1:2::1")) == 10
    assert allowed(limits, asked("2001:db8:1:2:ffff::9")) == 0
    assert allowed(limits, asked("2001:db8:1:3::1")) == 10
    assert allowed(limits, asked("::ffff:192.0.2.1")) == 10
    assert allowed(limits, asked("192.0.2.1")) == 0


def test_this_machine_is_its_operator(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(10, 1), user=Rate(10, 1))
    for address in ("127.0.0.1", "::1", None):
        assert allowed(limits, asked(address), ANNA) == 1_000


@pytest.mark.parametrize("field", [b"x-forwarded-for", b"forwarded", b"x-real-ip"])
def test_behind_a_proxy_that_is_not_trusted_users_are_counted_though_addresses_cannot_be(
    clock: FakeClock, field: bytes
) -> None:
    limits = RateLimits(clock, address=Rate(10, 1), user=Rate(20, 1))
    through = asked("127.0.0.1", headers=[(b"host", b"x"), (field, b"203.0.113.9")])
    assert allowed(limits, through) == 1_000
    assert allowed(limits, through, ANNA) == 20
    assert allowed(limits, through, BERT) == 20


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_always_answered(clock: FakeClock, path: str) -> None:
    limits = RateLimits(clock, address=Rate(10, 1), user=Rate(10, 1))
    assert allowed(limits, asked(path=path), ANNA) == 1_000


def test_without_a_rate_there_is_no_limit(clock: FakeClock) -> None:
    assert allowed(RateLimits(clock, address=None, user=None), asked(), ANNA) == 1_000


def test_memory_is_bounded_however_many_ask(clock: FakeClock) -> None:
    limits = RateLimits(clock, address=Rate(10, 60), user=Rate(10, 60))
    for number in range(100_000):
        scope = asked(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        limits.charge_address(scope)
        limits.charge_user(scope, Principal(f"user:{number}", "clerk"))
    assert 0 < limits.remembered() <= MAX_ADDRESSES + MAX_USERS
