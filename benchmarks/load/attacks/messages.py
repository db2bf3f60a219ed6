"""Attacks by what is said: frames, packets and events, of strangers and of those who have shown a token."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from benchmarks.load.attacks.connections import crowd
from benchmarks.load.attacks.peer import GOOD, Peer, frame, request, text


async def bytewise_frames(port: int) -> None:
    """Frames that come one byte a segment."""
    async with AsyncExitStack() as stack:
        peers = [await peer.websocket(admitted=True) for peer in await crowd(stack, port, 20)]
        for byte in text('42["take","' + "x" * 300 + '"]'):
            for peer in peers:
                peer.writer.write(bytes((byte,)))
            await asyncio.sleep(0.001)


async def tiny_fragments(port: int) -> None:
    """Messages in fragments of one byte."""
    for _ in range(20):
        async with Peer(port) as peer:
            await peer.websocket(admitted=True)
            await peer.push(frame(0x1, b"4", final=False) + frame(0x0, b"x", final=False) * 20_000)


async def unfinished_frames(port: int) -> None:
    """Strangers who announce a megabyte and send nearly all of it."""
    async with AsyncExitStack() as stack:
        peers = [await peer.websocket() for peer in await crowd(stack, port, 40)]
        for peer in peers:
            await peer.push(frame(0x1, b"4" * 900_000, length=999_999))


async def unfinished_attachments(port: int) -> None:
    """Events whose attachments never come; gone when the connect timeout is over."""
    async with AsyncExitStack() as stack:
        peers = [await peer.websocket(admitted=True) for peer in await crowd(stack, port, 50)]
        for peer in peers:
            await peer.say(text('451-["take",{"_placeholder":true,"num":0}]'))
        await asyncio.gather(*(peer.ended() for peer in peers))


async def too_many_attachments(port: int) -> None:
    """Attachments that are few, and too much together; and too many of them."""
    ten = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(10))
    for head in (f'4510-["take",{ten}]', '45999-["take"]'):
        async with Peer(port) as peer:
            await peer.websocket(admitted=True)
            await peer.push(text(head) + frame(0x2, b"x" * 200_000) * 10)


async def ack_floods(port: int) -> None:
    """Acknowledgements that nobody has asked for."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(b"".join(text(f"43{number}[]") for number in range(40_000)))


async def event_floods(port: int) -> None:
    """Events that want an answer, from a client that reads none of them."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(b"".join(text(f'42{n}["echo","{"x" * 200}"]') for n in range(20_000)))


async def unknown_events(port: int) -> None:
    """Events whose names nobody has ever heard."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(b"".join(text(f'42["name-{n}"]') for n in range(20_000)))


async def namespace_floods(port: int) -> None:
    """A stranger who asks for twenty thousand namespaces."""
    async with Peer(port) as peer:
        await peer.websocket()
        await peer.push(b"".join(text(f"40/name-{n},") for n in range(20_000)))


async def connect_storms(port: int) -> None:
    """Who asks to be let in, and leaves again at once, faster than the middlewares can think."""
    async with Peer(port) as peer:
        await peer.websocket()
        await peer.push((text(GOOD) + text("41")) * 10_000)


async def room_floods(port: int) -> None:
    """Twenty thousand rooms, their names as long as they may be."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(b"".join(text(f'42["room:join",{{"room":"open:{n:0>190}"}}]') for n in range(20_000)))


async def deep_json(port: int) -> None:
    """Brackets in brackets, in what is said to come in and after."""
    for opening in ('40{"a":', '42["take",'):
        for deep in ("[" * 16_000, '{"a":' * 3_000, '["\\ud83d",' * 1_600):
            async with Peer(port) as peer:
                await peer.websocket(admitted=opening.startswith("42"))
                await peer.push(text(opening + deep))
                await peer.ended(0.2)


async def wide_json(port: int) -> None:
    """A megabyte of empty objects, with and without something binary among them."""
    many = ",".join(["{}"] * 330_000)
    for head in (f'42["take",{many}]', f'451-["take",{{"_placeholder":true,"num":0}},{many}]'):
        async with Peer(port) as peer:
            await peer.websocket(admitted=True)
            await peer.push(text(head) + frame(0x2, b"x"))
            await peer.ended(0.3)


async def halves_of_pairs(port: int) -> None:
    """A megabyte of halves of surrogate pairs, which the fast parser of JSON does not take."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(text('42["take","' + "\\ud83d" * 160_000 + '"]'))
        await peer.ended(0.5)


async def ping_floods(port: int) -> None:
    """PINGs of RFC 6455 from a client that never reads a PONG."""
    async with Peer(port) as peer:
        await peer.websocket(admitted=True)
        await peer.push(frame(0x9, b"x" * 125) * 60_000)


async def pong_floods(port: int) -> None:
    """PONGs of Engine.IO that nobody has asked for, from a stranger."""
    async with Peer(port) as peer:
        await peer.websocket()
        await peer.push(text("3") * 60_000)


async def crowded_payloads(port: int) -> None:
    """Polling requests of nearly ten thousand packets."""
    async with Peer(port) as peer:
        query = await peer.polling()
        await peer.say(request("POST", query, body=GOOD.encode()))
        await peer.answer()
        await peer.say(request("GET", query))
        await peer.answer()
        for packet in (b"3", b'42["take"]'):
            await peer.push(request("POST", query, body=b"\x1e".join([packet] * 9_900)))
            await asyncio.wait_for(peer.answer(), 5)


async def slow_readers(port: int) -> None:
    """Who asks for much and reads nothing."""
    async with AsyncExitStack() as stack:
        for peer in await crowd(stack, port, 3):
            await peer.websocket(admitted=True)
            await peer.push(text('42["back","' + "x" * 60_000 + '"]') * 40)


async def nonsense(port: int) -> None:
    """A hundred clients, each with one thing that no protocol knows."""
    kinds = [
        text("9"), text("4"), text("4abc"), text("42"), text("42{}"), text('42["disconnect"]'), text("44{}"),
        text("43[]"), text("451-[]"), text("0{}"), text("2"), text("5"), text(""), frame(0x1, b"\xff\xfe"),
        frame(0x3, b""), frame(0x9, b"x" * 126), frame(0x8, b"\x00"), frame(0xB, b""), b"\xc1\x80" + b"\0" * 4,
        b"\x81\x01x", frame(0x0, b"x"), frame(0x2, b"x"),
    ]  # fmt: skip
    for number in range(100):
        async with Peer(port) as peer:
            await peer.websocket(admitted=number % 2 == 0)
            await peer.push(kinds[number % len(kinds)])
            await peer.ended(0.02)


ATTACKS = (
    bytewise_frames,
    tiny_fragments,
    unfinished_frames,
    unfinished_attachments,
    too_many_attachments,
    ack_floods,
    event_floods,
    unknown_events,
    namespace_floods,
    connect_storms,
    room_floods,
    deep_json,
    wide_json,
    halves_of_pairs,
    ping_floods,
    pong_floods,
    crowded_payloads,
    slow_readers,
    nonsense,
)
