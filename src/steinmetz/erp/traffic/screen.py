"""One open screen: a Socket.IO client over a WebSocket that listens and says what it heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.errors import RealtimeError
from steinmetz.realtime.socketio.packet import PacketType
from steinmetz.realtime.socketio.parser import Decoder

MAX_EVENT_BYTES = 16 << 20
OPENED_WITHIN_S = 30.0

Hear = Callable[[str, Any], None]
"""Called with an event's name and its first argument."""
TokenNow = Callable[[], Awaitable[str]]
"""A token with life left in it."""


class ScreenError(Exception):
    """The socket was refused or lost; the server's own words are the message."""


def for_screens() -> aiohttp.ClientSession:
    """For any number of screens: aiohttp's own bound is 100 connections, and further ones would wait for ever."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=OPENED_WITHIN_S)
    )


async def listen(session: aiohttp.ClientSession, url: str, token_now: TokenNow, hear: Hear) -> None:
    """Open a screen and tell ``hear`` each event until cancelled.

    The connection outlives its token: a newer one is shown to the server at each heartbeat until it is taken.
    Raises `ScreenError`.
    """
    address = f"{url.rstrip('/')}/socket.io/?EIO=4&transport=websocket"
    try:
        async with session.ws_connect(address, max_msg_size=MAX_EVENT_BYTES, compress=0) as socket:
            decoder, taken, shown = Decoder(MAX_EVENT_BYTES), "", ""
            async for message in socket:
                if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                    break
                packet = engineio.decode(message.data)
                match packet.type:
                    case engineio.PacketType.OPEN:
                        taken = await token_now()
                        await socket.send_str(f"40{_json({'token': taken})}")
                    case engineio.PacketType.PING:
                        await socket.send_str("3")
                        if (shown := await token_now()) != taken:
                            await socket.send_str(f"421{_json(['auth:refresh', {'token': shown}])}")
                    case engineio.PacketType.MESSAGE:
                        # Refused are those who come with many others of their user.
                        if _take_message(packet.data, decoder, hear):
                            taken = shown
    except TimeoutError as error:
        raise ScreenError(f"the socket was not opened within {OPENED_WITHIN_S:g} s") from error
    except (aiohttp.ClientError, RealtimeError) as error:
        raise ScreenError(f"the socket failed: {error}") from error
    raise ScreenError("the server closed the socket")


def _json(data: Any) -> str:
    return orjson.dumps(data).decode()


def _take_message(message: str | bytes, decoder: Decoder, hear: Hear) -> bool:
    """Tell ``hear`` of an event; whether it is word that the newer token was taken."""
    # The decoder reads what clients send, and a client sends no CONNECT_ERROR.
    if isinstance(message, str) and message.startswith(str(int(PacketType.CONNECT_ERROR))):
        raise ScreenError(f"the socket was refused: {orjson.loads(message[1:])['message']}")
    packet = decoder.feed(message)
    if packet is None:
        return False
    if packet.type is PacketType.EVENT:
        hear(packet.data[0], packet.data[1] if len(packet.data) > 1 else None)
    return packet.type is PacketType.ACK and packet.data == [{"ok": True}]
