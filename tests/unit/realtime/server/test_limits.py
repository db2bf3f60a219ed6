"""What is left for addresses, users and connections; pure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.gcra import Rate
from steinmetz.realtime import Limits
from steinmetz.realtime.server.limits import (
    PACKET_BYTES,
    REFUSED_EVENT_BYTES,
    SILENCE_S,
    Budgets,
    Flow,
    as_handshake_error,
    too_many_connections,
    too_many_requests,
)

ANNA, BEN = "203.0.113.1", "203.0.113.2"


class TestAddresses:
    def test_handshakes_have_a_rate_and_say_when_again(self) -> None:
        budgets = Budgets(Limits(handshakes_per_address=Rate(2, 1)))
        assert budgets.handshake(ANNA, 0) is None
        assert budgets.handshake(ANNA, 0) is None
        refusal = budgets.handshake(ANNA, 0)
        assert refusal is not None
        assert (refusal.message, refusal.data) == ("Too many requests", {"retryAfterMs": 1000})
        assert budgets.handshake(BEN, 0) is None
        assert budgets.handshake(ANNA, 1) is None

    def test_an_upgrade_is_one_of_them(self) -> None:
        budgets = Budgets(Limits(handshakes_per_address=Rate(1, 5)))
        assert budgets.upgrade(ANNA, 0) == 0
        assert budgets.upgrade(ANNA, 0) == 5
        assert budgets.handshake(ANNA, 0) is not None

    def test_an_ipv6_customer_is_one_address(self) -> None:
        budgets = Budgets(Limits(handshakes_per_address=Rate(1, 1)))
        assert budgets.handshake("2001:db8:1:2::1", 0) is None
        assert budgets.handshake("2001:db8:1:2:ffff::9", 0) is not None
        assert budgets.handshake("2001:db8:1:3::1", 0) is None

    def test_connections_are_counted_as_long_as_they_live(self) -> None:
        budgets = Budgets(Limits(connections_per_address=1))
        assert budgets.handshake(ANNA, 0) is None
        budgets.opened("a", ANNA, 0)
        refusal = budgets.handshake(ANNA, 0)
        assert refusal is not None
        assert refusal.message == "Too many connections"
        budgets.closed("a", ANNA)
        assert budgets.handshake(ANNA, 0) is None

    def test_this_machine_is_not_counted(self) -> None:
        budgets = Budgets(
            Limits(
                handshakes_per_address=Rate(1, 9),
                refusals_per_address=Rate(1, 9),
                connections_per_address=1,
                unauthenticated_per_address=1,
            )
        )
        for number in range(5):
            assert budgets.handshake("127.0.0.1", 0) is None
            assert budgets.upgrade("::1", 0) == 0
            assert budgets.has_room_for_silence("127.0.0.1")
            budgets.opened(str(number), "127.0.0.1", 0)
            budgets.credential_refused("127.0.0.1", 0)
            assert budgets.may_ask("127.0.0.1", 0) is None

    def test_whoever_shows_bad_credentials_is_not_even_asked_for_a_while(self) -> None:
        budgets = Budgets(Limits(refusals_per_address=Rate(2, 10)))
        for _ in range(2):
            assert budgets.may_ask(ANNA, 0) is None
            budgets.credential_refused(ANNA, 0)
        refusal = budgets.may_ask(ANNA, 0)
        assert refusal is not None
        assert refusal.data == {"retryAfterMs": 10_000}
        assert budgets.may_ask(BEN, 0) is None
        assert budgets.may_ask(ANNA, 10) is None


class TestSilence:
    def test_the_session_that_has_been_silent_longest_makes_room(self) -> None:
        budgets = Budgets(Limits(unauthenticated=2))
        budgets.opened("a", ANNA, 0)
        budgets.opened("b", BEN, 1)
        assert budgets.is_crowded
        assert budgets.most_silent(1) is None
        assert budgets.most_silent(SILENCE_S) == "a"
        budgets.authenticated("a")
        assert not budgets.is_crowded
        assert budgets.most_silent(1 + SILENCE_S) == "b"

    def test_an_address_has_a_share_of_its_own(self) -> None:
        budgets = Budgets(Limits(unauthenticated_per_address=1))
        budgets.opened("a", ANNA, 0)
        assert not budgets.has_room_for_silence(ANNA)
        assert budgets.has_room_for_silence(BEN)
        budgets.authenticated("a")
        assert budgets.has_room_for_silence(ANNA)
        budgets.closed("a", ANNA)
        assert budgets.remembered() == 0


class TestUsers:
    def test_a_user_has_so_many_sockets_in_a_namespace(self) -> None:
        budgets = Budgets(Limits(connections_per_user=1))
        assert budgets.enter("/", "user:5") is None
        assert budgets.enter("/hr", "user:5") is None
        assert budgets.enter("/", "user:6") is None
        assert budgets.enter("/", "user:5") is not None
        budgets.leave("/", "user:5")
        assert budgets.enter("/", "user:5") is None

    def test_events_have_a_rate_for_all_sockets_of_a_user(self) -> None:
        budgets = Budgets(Limits(events_per_user=Rate(2, 0.5)))
        assert budgets.event("user:5", "s1", "a", 0) == 0
        assert budgets.event("user:5", "s2", "b", 0) == 0
        assert budgets.event("user:5", "s3", "c", 0) == 0.5
        assert budgets.event("user:6", "s4", "a", 0) == 0
        assert [budgets.event(None, "s5", "a", 0) for _ in range(9)] == [0.0] * 9

    def test_a_single_event_may_have_a_rate_of_its_own(self) -> None:
        budgets = Budgets(Limits(events={"chat": Rate(1, 2)}))
        assert budgets.event("user:5", "s1", "chat", 0) == 0
        assert budgets.event("user:5", "s2", "chat", 0) == 2
        assert budgets.event("user:5", "s2", "other", 0) == 0
        assert budgets.event(None, "s3", "chat", 0) == 0
        assert budgets.event(None, "s3", "chat", 1) == 1
        assert budgets.event(None, "s4", "chat", 1) == 0
        assert budgets.event(None, "s4", 7, 1) == 0

    def test_names_that_nobody_limits_are_not_remembered(self) -> None:
        budgets = Budgets(Limits(events={"chat": Rate(1, 2)}))
        for number in range(500):
            budgets.event(None, "s", f"event {number}", 0)
        assert budgets.remembered() == 0


class TestFlow:
    def test_bytes_and_packets_share_one_bucket(self) -> None:
        flow = Flow(Rate(10_000, 0.001))
        arrival_s = flow.arrival_s(0.0, 100.0, 10_000 - PACKET_BYTES)
        assert arrival_s == pytest.approx(110)
        assert flow.arrival_s(arrival_s or 0, 100.0, 0) is None
        assert flow.arrival_s(arrival_s or 0, 101.0, 0) == pytest.approx(111)
        assert flow.refusal_s == pytest.approx(REFUSED_EVENT_BYTES / 1_000)

    def test_by_default_an_upload_passes_and_a_flood_does_not(self) -> None:
        flow = Budgets(Limits()).flow
        assert flow is not None
        arrival_s: float | None = 0.0
        for _ in range(19):
            arrival_s = flow.arrival_s(arrival_s or 0.0, 1.0, 1_000_000)
        assert arrival_s is not None
        assert flow.arrival_s(arrival_s, 1.0, 1_000_000) is None
        sent, tiny = 0, 0.0
        while (next_s := flow.arrival_s(tiny, 1.0, 1)) is not None:
            sent, tiny = sent + 1, next_s
        assert sent == 20_000_000 // (PACKET_BYTES + 1)


@settings(derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 3)), max_size=300))
def test_an_attacker_with_many_addresses_fills_no_table(visits: list[tuple[int, int]]) -> None:
    budgets = Budgets(
        Limits(
            handshakes_per_address=Rate(5, 100),
            refusals_per_address=Rate(5, 100),
            keys=50,
            events={"x": Rate(1, 9)},
        )
    )
    for number, kind in visits:
        address = f"198.51.{number // 250}.{number % 250}"
        if kind == 0:
            budgets.handshake(address, number)
        elif kind == 1:
            budgets.credential_refused(address, number)
        elif kind == 2:
            budgets.event(f"user:{number}", "s", "x", number)
        else:
            budgets.event(None, f"s{number}", "x", number)
    assert budgets.remembered() <= 4 * 50


def test_counts_go_when_what_they_count_is_gone() -> None:
    budgets = Budgets(Limits(handshakes_per_address=None))
    for number in range(200):
        address = f"198.51.100.{number % 50}"
        budgets.handshake(address, 0)
        budgets.opened(str(number), address, 0)
        budgets.enter("/", f"user:{number % 7}")
    for number in range(200):
        budgets.leave("/", f"user:{number % 7}")
        budgets.closed(str(number), f"198.51.100.{number % 50}")
    assert budgets.remembered() == 0


def test_a_refusal_has_an_http_form() -> None:
    later = as_handshake_error(too_many_requests(2.5))
    assert (later.status, later.code, later.message, later.retry_after_s) == (429, 3, "Too many requests", 2.5)
    assert as_handshake_error(too_many_connections(7)).status == 503


def test_limits_that_nobody_could_keep_are_refused() -> None:
    for name in ("connections_per_address", "connections_per_user", "unauthenticated", "keys"):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: 0})  # type: ignore[arg-type]  # the name is a variable
