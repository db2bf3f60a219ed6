"""Attacks on what a connection costs before anybody knows who it is."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from benchmarks.load.attacks.peer import POLLING, Peer, frame, request, text, upgrade

CROWD = 150


async def crowd(stack: AsyncExitStack, port: int, size: int = CROWD) -> list[Peer]:
    return [await stack.enter_async_context(Peer(port)) for _ in range(size)]


async def slow_handshakes(port: int) -> None:
    """A head of a request that comes byte by byte and never ends."""
    async with AsyncExitStack() as stack:
        peers = await crowd(stack, port)
        for byte in upgrade()[:60]:
            for peer in peers:
                peer.writer.write(bytes((byte,)))
            await asyncio.sleep(0.005)


async def header_floods(port: int) -> None:
    """A head that has no end."""
    async with AsyncExitStack() as stack:
        for peer in await crowd(stack, port, 40):
            await peer.say(upgrade()[:-2])
            for number in range(100):
                if not await peer.say(b"X-%d: %s\r\n" % (number % 7, b"y" * 4_000)):
                    break


async def many_headers(port: int) -> None:
    """Ten thousand small header fields."""
    async with AsyncExitStack() as stack:
        for peer in await crowd(stack, port, 40):
            await peer.push(upgrade()[:-2] + b"A: b\r\n" * 10_000)


async def idle_connections(port: int) -> None:
    """Connections on which nothing is said at all."""
    async with AsyncExitStack() as stack:
        await crowd(stack, port, 400)
        await asyncio.sleep(0.3)


async def idle_strangers(port: int) -> None:
    """WebSockets that never say who they are; gone when the connect timeout is over."""
    async with AsyncExitStack() as stack:
        peers = await crowd(stack, port)
        await asyncio.gather(*(peer.websocket() for peer in peers))
        await asyncio.gather(*(peer.ended() for peer in peers))


async def half_open_sessions(port: int) -> None:
    """Polling sessions that are opened and never polled."""
    async with AsyncExitStack() as stack:
        for peer in await crowd(stack, port, 100):
            await peer.say(request("GET", POLLING))
            await peer.answer()


async def connection_storm(port: int) -> None:
    """Connected, and gone without a word, five hundred times."""
    for _ in range(25):
        async with AsyncExitStack() as stack:
            peers = await crowd(stack, port, 20)
            await asyncio.gather(*(peer.websocket() for peer in peers))


async def upgrade_loops(port: int) -> None:
    """One session that is probed by one WebSocket after the other, none of which takes over."""
    async with Peer(port) as poller:
        query = await poller.polling()
        sid = query.rpartition("=")[2]
        for number in range(150):
            async with Peer(port) as prober:
                await prober.say(upgrade(sid) + text("2probe" if number % 2 else "2"))
                await prober.reader.readuntil(b"\r\n\r\n")


async def second_websockets(port: int) -> None:
    """A session that has a WebSocket and is asked for by a hundred others."""
    async with AsyncExitStack() as stack:
        poller, first = await crowd(stack, port, 2)
        sid = (await poller.polling()).rpartition("=")[2]
        await first.say(upgrade(sid) + text("2probe") + text("5"))
        for peer in await crowd(stack, port, 100):
            await peer.push(upgrade(sid) + frame(0x1, b"2" * 1_000))


async def many_polls(port: int) -> None:
    """Three hundred polls of one session at the same time."""
    async with AsyncExitStack() as stack:
        poller = await stack.enter_async_context(Peer(port))
        query = await poller.polling()
        for peer in await crowd(stack, port, 300):
            await peer.say(request("GET", query))


async def body_trickles(port: int) -> None:
    """Bodies of polling requests that come two bytes at a time and never end."""
    async with AsyncExitStack() as stack:
        peers = await crowd(stack, port, 40)
        for peer in peers:
            query = await peer.polling()
            await peer.say(request("POST", query, headers="Content-Length: 16000\r\n"))
        for _ in range(100):
            for peer in peers:
                peer.writer.write(b"44")
            await asyncio.sleep(0.005)


async def endless_bodies(port: int) -> None:
    """Chunked bodies that say no length and have no end."""
    async with AsyncExitStack() as stack:
        for peer in await crowd(stack, port, 20):
            query = await peer.polling()
            await peer.say(request("POST", query, headers="Transfer-Encoding: chunked\r\n"))
            for _ in range(100):
                if not await peer.say(b"4000\r\n" + b"4" * 0x4000 + b"\r\n"):
                    break


ATTACKS = (
    slow_handshakes,
    header_floods,
    many_headers,
    idle_connections,
    idle_strangers,
    half_open_sessions,
    connection_storm,
    upgrade_loops,
    second_websockets,
    many_polls,
    body_trickles,
    endless_bodies,
)
