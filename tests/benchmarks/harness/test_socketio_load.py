"""The load client in C, against python-socketio as a foreign server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.pinning import Cores
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, answers
from benchmarks.harness.socketio_load import Arrivals, LoadClientError, SocketIOLoad
from steinmetz.clock import perf_ns

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None and shutil.which("gcc") is None, reason="the load client is compiled from C"
)

CORES = Cores.of_this_machine()
SERVER = """
import sys, socketio, uvicorn
io = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", ping_interval=1, ping_timeout=1)

@io.event
async def connect(sid, environ, auth):
    if not auth or auth.get("token") != "right":
        raise socketio.exceptions.ConnectionRefusedError("Authentication required")

@io.on("go")
async def go(sid, times):
    for number in range(times):
        await io.emit("dashboard:update", {"number": number, "filler": "x" * 70_000 if number == 0 else ""})

@io.on("echo")
async def echo(sid, value):
    return value

async def alive(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})

uvicorn.run(socketio.ASGIApp(io, alive), port=int(sys.argv[1]), log_level="warning")
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("socketio")
    (folder / "server.py").write_text(SERVER)
    number = free_port()
    command = [sys.executable, folder / "server.py", str(number)]
    with Program(command, log=folder / "log", cores=CORES.server) as program:
        program.wait_until(answers(f"http://127.0.0.1:{number}/"), within_s=30)
        yield number


def screens(port: int, token: str = "right") -> SocketIOLoad:
    return SocketIOLoad(port, cores=CORES.load, auth={"token": token})


def test_every_screen_hears_every_event_and_says_when(port: int) -> None:
    with screens(port) as load:
        connected = load.connect(40)
        assert (connected.ready, connected.failed, connected.error) == (40, 0, "")
        load.expect("dashboard:update", 120, within_s=20)
        marker = perf_ns()
        assert load.send('42["go",3]', who=0) == 1
        assert load.reached() == (True, 120)
        arrivals = Arrivals()
        load.arrivals("dashboard:update", marker, arrivals)
        assert arrivals.count == 120
        assert 0 < arrivals.quantile_ms(0.5) <= arrivals.quantile_ms(0.99) < 20_000
        stats = load.stats()
        assert stats["ready"] == 40
        assert stats["events"]["dashboard:update"] == 120
        assert stats["bytesIn"] > 40 * 70_000


def test_an_expectation_that_is_not_met_says_how_much_arrived(port: int) -> None:
    with screens(port) as load:
        load.connect(5)
        load.expect("dashboard:update", 6, within_s=1)
        load.send('42["go",1]', who=0)
        assert load.reached() == (False, 5)


def test_round_trips_go_out_one_at_a_time_and_bursts_at_once(port: int) -> None:
    with screens(port) as load:
        load.connect(4)
        load.expect("(ack)", 4 * 25, within_s=20)
        load.roundtrip('421["echo",1]', times=25)
        assert load.reached() == (True, 100)
        load.expect("(ack)", 4 * 50, within_s=20)
        assert load.send('421["echo",1]', times=50) == 200
        assert load.reached() == (True, 200)


def test_pings_are_answered_so_that_the_server_keeps_the_screens(port: int) -> None:
    with screens(port) as load:
        load.connect(3)
        load.expect("never", 1, within_s=2.6)
        assert load.reached() == (False, 0)
        stats = load.stats()
        assert stats["pings"] >= 3
        assert (stats["ready"], stats["closedByPeer"]) == (3, 0)


def test_a_refused_screen_is_told_with_the_servers_words(port: int) -> None:
    with screens(port, token="wrong") as load:
        connected = load.connect(3)
        assert (connected.ready, connected.failed) == (0, 3)
        assert "Authentication required" in connected.error


def test_clients_can_vanish_without_a_word(port: int) -> None:
    with screens(port) as load:
        load.connect(3)
        load.vanish()
        with pytest.raises((LoadClientError, BrokenPipeError)):
            load.stats()
    with screens(port) as load:
        assert load.connect(1).ready == 1


def test_nobody_listening_is_told() -> None:
    with SocketIOLoad(free_port(), cores=CORES.load) as load:
        connected = load.connect(2)
        assert (connected.ready, connected.failed) == (0, 2)
        assert connected.error == "Connection refused"


def test_a_wrong_command_is_refused_with_its_usage(port: int) -> None:
    with screens(port) as load, pytest.raises(LoadClientError, match="connect N"):
        load.connect(0)


def test_arrivals_add_up_over_markers() -> None:
    arrivals = Arrivals()
    arrivals.add([[1000, 1], [3000, 1]])
    arrivals.add([[2000, 2]])
    assert (arrivals.count, arrivals.quantile_ms(0.5), arrivals.quantile_ms(1.0)) == (4, 2.0, 3.0)
