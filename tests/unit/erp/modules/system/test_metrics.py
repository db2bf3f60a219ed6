from __future__ import annotations

from prometheus_client.core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from steinmetz.erp.modules.system.metrics import ProcessFigures, exposition


def test_prometheus_reads_what_we_write() -> None:
    emitted = CounterMetricFamily("steinmetz_events_emitted", "Events.", labels=["event"])
    emitted.add_metric(['odd"\n\\name'], 4)
    figures = ProcessFigures(
        requests={("GET", "2xx"): 3},
        request_seconds=0.25,
        in_flight=1,
        sockets=[emitted],
        queries=[CounterMetricFamily("steinmetz_queries", "Queries.", 5)],
        rate_limited={"user": 7},
        cache={"hits": 6, "hitRate": 0.5, "enabled": True, "routes": []},
        live={
            "answers": 1,
            "subscriptions": 8,
            "computations": 9,
            "updates": 2,
            "patches": 1,
            "stale": 0,
            "ended": 0,
        },
    )
    text = exposition(figures).decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["steinmetz_http_requests_total", "GET", "2xx"] == 3
    assert samples["steinmetz_http_requests_rate_limited_total", "user"] == 7
    assert samples["steinmetz_http_request_seconds_total",] == 0.25
    assert samples["steinmetz_events_emitted_total", 'odd"\n\\name'] == 4
    assert samples["steinmetz_queries_total",] == 5
    assert samples["steinmetz_cache", "hitRate"] == 0.5
    assert samples["steinmetz_live_subscriptions",] == 8
    assert samples["steinmetz_live_computations_total",] == 9
    assert samples["steinmetz_live_told_total", "patches"] == 1
    assert ("steinmetz_cache", "enabled") not in samples


def test_a_part_that_is_off_says_nothing() -> None:
    text = exposition(ProcessFigures({}, 0, 0, sockets=(), queries=(), cache=None)).decode()
    assert "cache" not in text
    assert "queries" not in text
