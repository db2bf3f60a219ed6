"""A node for `benchmarks/cluster.py`: hears rooms of a cluster, ours or python-socketio's, and says what it heard.

``python -m benchmarks.harness.cluster_node ours|recorded|python-socketio URL ROOMS...``: prints ``ready``, and
``done N`` for the Nth event named ``end``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import uvloop

from steinmetz.realtime.adapters.base import Flags, SocketDetails, Unstamped
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.members import ClusterAdapter
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.adapters.redis import redis_cluster
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.base import SharedLog
from steinmetz.realtime.socketio.gathering import Gathering

SECRET = "of all nodes of this benchmark"
PREFIX = "bench"


class Screen:
    """A namespace whose members are mere names: builds the frame that all of them would get, as one delivery."""

    name = "/"

    def __init__(self) -> None:
        self.frames = 0
        self._ends = 0

    def deliver(
        self,
        members: Sequence[str],
        outgoing: Outgoing,
        flags: Flags,
        position: int | Unstamped | None = None,
    ) -> None:
        frames = outgoing.frames
        self.frames += 1
        if b'["end"' in frames:
            self._ends += 1
            print(f"done {self._ends}", flush=True)

    def ask(self, members: Sequence[str], outgoing: Outgoing, flags: Flags, gathering: Gathering) -> None:
        raise NotImplementedError

    def stop_asking(self, ack_id: int) -> None:
        raise NotImplementedError

    def note_removal(self) -> None:
        raise NotImplementedError

    def drop(self, members: Sequence[str], *, close: bool) -> None:
        raise NotImplementedError

    def details(self, member: str) -> SocketDetails:
        raise NotImplementedError

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        raise NotImplementedError

    async def release(self, sid: str) -> bool:
        return True

    def lost(self) -> None:
        print("lost", flush=True)


def namespace(url: str, screen: Screen, *, recorded: bool) -> tuple[Cluster, ClusterAdapter[str]]:
    """One namespace of one node; ``recorded``: with connection state recovery."""
    cluster = redis_cluster(url, secret=SECRET, prefix=f"{PREFIX}-recorded" if recorded else PREFIX)
    if not recorded:
        return cluster, cluster.adapter(screen, MemoryAdapter(screen))
    assert cluster.store is not None
    log, _ = cluster.store(ConnectionStateRecovery(), 65.0).open("/")
    assert isinstance(log, SharedLog)
    return cluster, cluster.adapter(screen, PlacedAdapter(screen, log), log)


async def ours(url: str, rooms: list[str], *, recorded: bool) -> None:
    screen = Screen()
    cluster, adapter = namespace(url, screen, recorded=recorded)
    cluster.node.start()
    sid = f"{cluster.tag}-member"
    adapter.add(sid, sid) if rooms else None
    for room in rooms:
        adapter.join(sid, room)
    while not cluster.node.is_reachable:  # noqa: ASYNC110  it comes to be within milliseconds
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def python_socketio(url: str) -> None:
    """With nobody connected: what every event of the others costs a server that it does not concern."""
    import socketio

    server = socketio.AsyncServer(client_manager=socketio.AsyncRedisManager(url), async_mode="asgi")
    server.manager.set_server(server)
    server.manager.initialize()
    server.manager_initialized = True
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    which, url, *rooms = sys.argv[1:]
    if which == "python-socketio":
        uvloop.run(python_socketio(url))
    else:
        uvloop.run(ours(url, rooms, recorded=which == "recorded"))
