"""The realtime server as Prometheus metric families, made from its counters when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from steinmetz.realtime import Server

MAX_NAMES = 200
"""Events and reasons that are label values of their own; what came later is one."""
OTHER = "(other)"


def socket_families(io: Server) -> Iterator[Metric]:
    """All of them. A label has at most `MAX_NAMES` values and one more."""
    stats = io.stats()
    yield from _clients(stats)
    yield from _events(stats)
    yield from _troubles(stats)
    yield from _durations(io, stats)
    if (nodes := stats["nodes"]) is not None:
        yield from _nodes(nodes)


def bounded(counts: Mapping[str, float]) -> dict[str, float]:
    """The first `MAX_NAMES`: a counter keeps its order, so a name that has a label keeps it."""
    names = list(counts)
    kept = {name: counts[name] for name in names[:MAX_NAMES] if name != OTHER}
    if rest := sum(count for name, count in counts.items() if name not in kept):
        kept[OTHER] = rest
    return kept


def _clients(stats: dict[str, Any]) -> Iterator[Metric]:
    queues = stats["queues"]
    yield GaugeMetricFamily("steinmetz_sockets", "Clients that are in a namespace.", stats["activeConnections"])
    sessions = GaugeMetricFamily("steinmetz_socket_sessions", "Open sessions.", labels=["transport"])
    sessions.add_metric(["polling"], queues["polling"])
    sessions.add_metric(["websocket"], queues["sessions"] - queues["polling"])
    yield sessions
    yield _gauge("waiting", "Clients for whom something waits because they read slowly.", queues["waiting"])
    yield _gauge("queued_bytes", "Bytes that wait for all of them.", queues["bytes"])
    yield _gauge("queued_bytes_largest", "Bytes that wait for one of them, at most.", queues["largestBytes"])
    yield _gauge("draining", "1 once this server sends its clients elsewhere.", stats["draining"])


def _events(stats: dict[str, Any]) -> Iterator[Metric]:
    for name, text, counts in (
        ("steinmetz_events_emitted", "Emitted events.", stats["events"]),
        ("steinmetz_events_received", "Events of clients that have a handler.", stats["received"]),
    ):
        yield _by(name, text, "event", counts)
    traffic = stats["traffic"]
    for name, text, count in (
        ("steinmetz_socket_sessions_opened", "Sessions that were opened.", traffic["sessionsOpened"]),
        ("steinmetz_socket_deliveries", "Emissions, once for each recipient.", traffic["deliveries"]),
        ("steinmetz_socket_sent_bytes", "Of these, framed and not deflated.", traffic["bytesOut"]),
        ("steinmetz_socket_received_bytes", "Of clients.", traffic["bytesIn"]),
    ):
        yield CounterMetricFamily(name, text, count)
    dropped = stats["dropped"]
    counts = {"volatile": dropped["volatile"], "replaced by a newer one": dropped["replaced"]}
    yield _by("steinmetz_socket_messages_dropped", "Messages that slow clients did not get.", "why", counts)


def _troubles(stats: dict[str, Any]) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "steinmetz_socket_slow_clients", "Clients cut off for reading too slowly.", stats["slowClients"]
    )
    yield _by("steinmetz_socket_refused", "Connections and events turned away.", "reason", stats["refused"])
    yield _by(
        "steinmetz_socket_invalid_payloads", "Payloads that broke their schema.", "direction", stats["invalid"]
    )
    yield _by("steinmetz_socket_recoveries", "Clients that came back.", "outcome", stats["recoveries"])
    yield CounterMetricFamily("steinmetz_socket_revocations", "Calls to tell users to go.", stats["revocations"])


def _durations(io: Server, stats: dict[str, Any]) -> Iterator[Metric]:
    statistics = io.statistics
    for name, text, histogram in (
        ("steinmetz_socket_round_trip_seconds", "From a PING to its PONG.", statistics.round_trips),
        ("steinmetz_socket_writes_seconds", "Broadcasts of one turn of the loop.", statistics.writes),
    ):
        buckets = [(f"{bound_s:g}", count) for bound_s, count in histogram.octaves()]
        yield HistogramMetricFamily(
            name, text, buckets=[*buckets, ("+Inf", histogram.count)], sum_value=histogram.sum_s
        )
    yield CounterMetricFamily("steinmetz_socket_stalls", "Of these, above 50 ms.", statistics.stalls)
    collector = stats["collector"]
    yield CounterMetricFamily("steinmetz_collections", "Full collections of garbage.", collector["collections"])
    pauses = GaugeMetricFamily("steinmetz_collection_pause_seconds", "How long they took.", labels=["which"])
    pauses.add_metric(["last"], collector["pauseMs"] / 1000)
    pauses.add_metric(["worst"], collector["worstPauseMs"] / 1000)
    yield pauses


def _nodes(nodes: dict[str, Any]) -> Iterator[Metric]:
    yield GaugeMetricFamily("steinmetz_nodes_up", "Other servers that are heard.", nodes["others"])
    yield GaugeMetricFamily("steinmetz_node_bus_reachable", "1 while the bus answers.", nodes["reachable"])
    said = {"said": "said", "said again": "saidAgain", "heard": "heard", "heard late": "heardLate"}
    yield _by(
        "steinmetz_node_messages",
        "Messages between servers.",
        "kind",
        {label: nodes[name] for label, name in said.items()},
    )
    yield _by("steinmetz_node_ignored", "Messages that did nothing.", "reason", nodes["ignored"])
    yield _by("steinmetz_node_outages", "Times that the bus was lost.", "reason", nodes["outages"])
    troubles = {
        "gap": "gaps",
        "loss": "losses",
        "not kept": "unsayable",
        "failed": "failed",
        "too large": "tooLarge",
    }
    yield _by(
        "steinmetz_node_troubles",
        "What did not go as it should.",
        "kind",
        {label: nodes[name] for label, name in troubles.items()},
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"steinmetz_socket_{name}", text, value)


def _by(name: str, text: str, label: str, counts: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in bounded(counts).items():
        family.add_metric([value], count)
    return family
