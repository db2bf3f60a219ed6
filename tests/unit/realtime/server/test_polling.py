"""Long polling."""

from __future__ import annotations

import asyncio

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Server
from steinmetz.realtime.server.polling import PACKETS_A_TURN
from tests.unit.realtime.server.asgi_driver import Exchange, WebSocket, opened, turns

pytestmark = pytest.mark.anyio


async def test_a_poll_waits_for_news(app: RealtimeApp, io: Server) -> None:
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    await Exchange(app, query=query).run()
    poll = asyncio.create_task(Exchange(app, query=query).run())
    await turns()
    assert not poll.done()
    io.emit("a", 1)
    io.emit("b", b"\x01")
    assert (await poll).text == '42["a",1]\x1e451-["b",{"_placeholder":true,"num":0}]\x1ebAQ=='


async def test_a_body_is_counted_while_it_comes(app: RealtimeApp, io: Server) -> None:
    for headers in ({}, {"content_length": "1000001"}):
        query = await opened(app)
        exchange = await Exchange(app, "POST", query, b"4" * 1_000_001, **headers).run()
        assert exchange.status == 413
        assert (await Exchange(app, query=query).run()).status == 400


async def test_a_second_post_at_the_same_time_ends_the_session(app: RealtimeApp, io: Server) -> None:
    query = await opened(app)
    first = Exchange(app, "POST", query)
    first._incoming.get_nowait()
    running = asyncio.create_task(first.run())
    await turns()
    assert (await Exchange(app, "POST", query, b"40").run()).status == 400
    assert not io.clients
    first.hang_up()
    await running


async def test_a_poll_that_hangs_up_ends_the_session(app: RealtimeApp, io: Server) -> None:
    poll = Exchange(app, query=await opened(app))
    running = asyncio.create_task(poll.run())
    await turns()
    poll.hang_up()
    await running
    assert not io.clients


async def test_a_disconnect_is_heard_even_if_no_poll_was_waiting(app: RealtimeApp, io: Server) -> None:
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    await Exchange(app, query=query).run()
    io.disconnect_sockets(close=True)
    assert [(await Exchange(app, query=query).run()).text for _ in range(2)] == ["41", "1"]
    assert (await Exchange(app, query=query).run()).status == 400


async def test_a_session_that_is_overdue_is_gone_even_before_the_wheel_turns(
    app: RealtimeApp, io: Server, clock: FakeClock
) -> None:
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    await Exchange(app, query=query).run()
    clock.advance(25)
    assert (await Exchange(app, query=query).run()).text == "2"
    clock.advance(20)
    assert (await Exchange(app, query=query).run()).status == 400
    assert not io.clients


async def test_a_credential_that_ends_is_noticed_by_a_poll_that_waits(
    app: RealtimeApp, io: Server, clock: FakeClock
) -> None:
    """NOOP, not CLOSE: python-socketio's client would stay away."""
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    await Exchange(app, query=query).run()
    [socket] = await io.fetch_sockets()
    socket.expires_at = clock.now().timestamp() + 10
    waiting = asyncio.create_task(Exchange(app, query=query).run())
    for seconds, clients in ((9.9, 1), (0.5, 0)):
        await asyncio.sleep(0)
        clock.advance(seconds)
        io.wheel.run_due()
        assert len(io.clients) == clients
    assert (await waiting).text == "6"
    assert (await Exchange(app, query=query).run()).status == 400


async def test_a_slow_poller_is_cut_off(clock: FakeClock) -> None:
    io = Server(Config(require_auth=False, client_queue_bytes=10_000), clock=clock)
    app = RealtimeApp(io)
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    for _ in range(20):
        io.emit("x", "y" * 1_000)
    await asyncio.sleep(0)
    assert not io.clients
    assert io.statistics.slow_clients == 1
    await io.shutdown()


async def test_a_body_that_trickles_ends_with_its_session(app: RealtimeApp, io: Server, clock: FakeClock) -> None:
    query = await opened(app)
    exchange = Exchange(app, "POST", query)
    exchange._incoming.get_nowait()
    exchange._incoming.put_nowait({"type": "http.request", "body": b"4", "more_body": True})
    running = asyncio.create_task(exchange.run())
    await turns()
    [client] = io.clients.values()
    clock.advance(25)
    io.wheel.run_due()
    clock.advance(20)
    io.wheel.run_due()
    await running
    assert exchange.status == 400
    assert client.session.is_closed


async def test_whoever_cancels_a_post_is_not_mistaken_for_the_end_of_the_session(app: RealtimeApp) -> None:
    exchange = Exchange(app, "POST", await opened(app))
    exchange._incoming.get_nowait()
    running = asyncio.create_task(exchange.run())
    await turns()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_payload_of_thousands_of_packets_lets_others_go_first(app: RealtimeApp, io: Server) -> None:
    taken: list[int] = []
    io.on("take", lambda _socket, number: taken.append(number))
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    packets = b"\x1e".join(b'42["take",%d]' % number for number in range(2_000))
    posting = asyncio.create_task(Exchange(app, "POST", query, packets).run())
    seen = set()
    while not posting.done():
        seen.add(len(taken))
        await asyncio.sleep(0)
    assert len(seen) >= 2_000 // PACKETS_A_TURN
    assert taken == list(range(2_000))


async def test_a_stranger_posts_no_more_than_a_credential(app: RealtimeApp, io: Server) -> None:
    token = "t" * (io.config.max_connect_payload - 20)
    for size, status in ((0, 200), (100, 413)):
        query = await opened(app)
        body = b'40{"token":"' + token.encode() + b"t" * size + b'"}'
        assert (await Exchange(app, "POST", query, body).run()).status == status
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    assert (await Exchange(app, "POST", query, b'42["x","' + b"x" * 900_000 + b'"]').run()).status == 200


async def test_a_post_that_is_overtaken_by_the_upgrade_does_not_end_the_session(
    app: RealtimeApp, io: Server
) -> None:
    query = await opened(app)
    await Exchange(app, "POST", query, b"40").run()
    late = Exchange(app, "POST", query)
    late._incoming.get_nowait()
    posting = asyncio.create_task(late.run())
    websocket = WebSocket(app, query.replace(b"polling", b"websocket"))
    taking_over = asyncio.create_task(websocket.run())
    websocket.say("2probe")
    websocket.say("5")
    await posting
    assert late.status == 400
    websocket.say('421["nobody handles this"]')
    async with asyncio.timeout(5):
        while len(websocket.texts) < 3:
            await asyncio.sleep(0)
    assert websocket.texts[-1].startswith("431[")
    assert len(io.clients) == 1
    websocket.hang_up()
    await taking_over
