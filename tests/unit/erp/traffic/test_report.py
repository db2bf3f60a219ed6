from __future__ import annotations

from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.traffic import report as report_module
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.report import MAX_EVENTS, OTHER, Latencies, Oracle, Tally

LOOK = Call("GET /api/invoices/{id}", "/api/invoices/7")
PAY = Call("POST /api/invoices/{id}/pay", "/api/invoices/7/pay")


class TestOracle:
    def test_hits_when_the_bytes_are_those_of_the_last_answer(self) -> None:
        oracle = Oracle()
        for body in (b"a", b"a", b"b", b"b", b"a"):
            oracle.take("/x", "clerk", body)
        assert (oracle.hits, oracle.reads) == (2, 5)

    def test_keeps_paths_and_variants_apart_but_shares_equal_bytes(self) -> None:
        oracle = Oracle()
        oracle.take("/x", "clerk", b"a")
        oracle.take("/y", "clerk", b"a")
        oracle.take("/x", "manager", b"other")
        assert oracle.hits == 0
        oracle.take("/x", "manager", b"a")
        assert oracle.hits == 1

    def test_forgets_the_oldest_path_above_its_bound(self, monkeypatch: object) -> None:
        oracle = Oracle()
        original = report_module.MAX_PATHS
        report_module.MAX_PATHS = 2
        try:
            for path in ("/a", "/b", "/c", "/a"):
                oracle.take(path, "clerk", b"same")
        finally:
            report_module.MAX_PATHS = original
        assert oracle.hits == 0


class TestLatencies:
    @given(st.lists(st.floats(0, 60_000), min_size=1, max_size=200), st.floats(0.01, 1.0))
    def test_a_quantile_is_at_most_one_bucket_too_low(self, durations: list[float], q: float) -> None:
        latencies = Latencies()
        for duration_ms in durations:
            latencies.add(duration_ms)
        exact = sorted(durations)[max(0, -int(-q * len(durations) // 1) - 1)]
        found = latencies.quantile_ms(q)
        assert exact * (1 - 1 / 64) - 0.001 <= found <= exact

    def test_nothing_counted_is_zero(self) -> None:
        assert Latencies().quantile_ms(0.5) == 0.0

    def test_memory_grows_with_the_logarithm_of_time(self) -> None:
        latencies, random = Latencies(), Random(1)
        for _ in range(50_000):
            latencies.add(random.lognormvariate(1, 2))
        assert len(latencies.counts) < 2_000


def tally() -> Tally:
    found = Tally()
    found.take(LOOK, Reply(200, None, "MISS"), b"one", "clerk", 20.0)
    found.take(LOOK, Reply(200, None, "HIT"), b"one", "clerk", 0.1)
    found.take(LOOK, Reply(404, None), b"", "clerk", 1.0)
    found.take(PAY, Reply(200, None), b"", "clerk", 9.0)
    return found


def test_hits_are_a_share_of_all_reads_and_writes_are_apart() -> None:
    found = tally()
    assert (found.requests, found.read_count, found.refused) == (4, 3, 1)
    assert found.hit_rate == 1 / 3
    assert found.oracle_hit_rate == 1 / 2
    assert found.writes.counts.total() == 1


def test_after_a_warm_up_counts_begin_anew_but_the_oracle_remembers_and_lies_stay() -> None:
    found = tally()
    found.ledger.stale = 1
    found.start_counting()
    assert (found.requests, found.read_count, found.oracle.reads, found.ledger.stale) == (0, 0, 0, 1)
    found.take(LOOK, Reply(200, None, "HIT"), b"one", "clerk", 0.1)
    assert (found.hit_rate, found.oracle_hit_rate) == (1.0, 1.0)


def test_an_empty_tally_has_rates_of_zero() -> None:
    assert (Tally().hit_rate, Tally().oracle_hit_rate, Tally().requests) == (0, 0, 0)


def test_the_summary_is_json_with_figures_by_route() -> None:
    summary = orjson.loads(orjson.dumps(tally().summary()))
    route = summary["routes"]["GET /api/invoices/{id}"]
    assert (route["requests"], route["refused"], route["xCache"]) == (3, 1, {"HIT": 1, "MISS": 1, "none": 1})
    assert route["oracleHits"] == 1
    assert summary["writes"] == 1
    assert summary["stale"] == 0


def test_names_of_events_cannot_grow_the_tally() -> None:
    found = Tally()
    for number in range(MAX_EVENTS + 40):
        found.hear(f"event-{number}")
    assert len(found.events) <= MAX_EVENTS + 1
    assert found.events[OTHER] == 40
