from __future__ import annotations

from benchmarks.harness.peers import Missing
from benchmarks.harness.wrk import HttpRate, parse_wrk

REPORT = """\
Running 1s test @ http://127.0.0.1:1/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   102.95us   36.02us   1.17ms   91.91%
  41055 requests in 1.10s, 4.93MB read
{bad}Requests/sec:  37325.96
Transfer/sec:      4.49MB
"""


def test_a_clean_report() -> None:
    assert parse_wrk(REPORT.format(bad="")) == HttpRate(41055, 37325.96, 0)


def test_refusals_and_broken_connections_are_counted() -> None:
    bad = "  Socket errors: connect 1, read 2, write 0, timeout 3\n  Non-2xx or 3xx responses: 40\n"
    assert parse_wrk(REPORT.format(bad=bad)) == HttpRate(41055, 37325.96, 46)


def test_what_cannot_be_read_is_missing_and_no_figure() -> None:
    assert isinstance(parse_wrk("unable to connect"), Missing)
