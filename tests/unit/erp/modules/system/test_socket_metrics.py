"""The realtime server as Prometheus reads it."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from steinmetz.clock import FakeClock
from steinmetz.erp.modules.system.metrics import ProcessFigures, exposition
from steinmetz.erp.modules.system.socket_metrics import MAX_NAMES, OTHER, bounded, socket_families
from steinmetz.realtime import Config, Server
from steinmetz.realtime.adapters.bus import MemoryBus, MemoryExchange
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio


def samples(io: Server) -> dict[tuple[str, ...], float]:
    text = exposition(ProcessFigures({}, 0, 0, sockets=socket_families(io), queries=(), cache=None)).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_it_is_all_there() -> None:
    clock = FakeClock()
    cluster = Cluster(Node(MemoryBus(MemoryExchange()), "a secret of all of them", clock=clock))
    io = Server(Config(require_auth=False), clock=clock, cluster=cluster)
    io.on("ask", lambda socket: None)
    async with connect(io) as anna, connect(io):
        await anna.call("ask")
        io.emit('odd"\n\\name')
        await anna.heard('odd"\n\\name')
        io.statistics.round_trips.add(0.02)
        io.statistics.collected(0.5)
        io.statistics.refuse("no")
        io.statistics.recoveries["recovered"] += 2
        found = samples(io)
    await io.shutdown()
    assert found["steinmetz_sockets",] == 2
    assert found["steinmetz_socket_sessions", "websocket"] == 2
    assert found["steinmetz_socket_queued_bytes",] == 0
    assert found["steinmetz_events_emitted_total", 'odd"\n\\name'] == 1
    assert found["steinmetz_events_received_total", "ask"] == 1
    assert found["steinmetz_socket_refused_total", "no"] == 1
    assert found["steinmetz_socket_recoveries_total", "recovered"] == 2
    assert found["steinmetz_socket_round_trip_seconds_count",] == 1
    assert found["steinmetz_socket_round_trip_seconds_bucket", "0.0256"] == 1
    assert found["steinmetz_socket_round_trip_seconds_bucket", "0.0128"] == 0
    assert found["steinmetz_socket_writes_seconds_count",] >= 1
    assert found["steinmetz_collection_pause_seconds", "worst"] == 0.5
    assert found["steinmetz_socket_draining",] == 0
    assert found["steinmetz_node_bus_reachable",] == 1
    assert found["steinmetz_node_troubles_total", "gap"] == 0
    await asyncio.sleep(0)


def test_labels_are_bounded_and_stay_what_they_are() -> None:
    counts = {f"event {number}": 1.0 for number in range(MAX_NAMES + 5)}
    first = bounded(counts)
    assert len(first) == MAX_NAMES + 1
    assert first[OTHER] == 5
    counts["event 0"] += 1
    counts["new"] = 7
    second = bounded(counts)
    assert set(second) == set(first)
    assert second[OTHER] == 12
