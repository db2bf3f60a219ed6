"""Real sockets under frames of our own: on asyncio and uvloop, plain and over TLS, with fast and slow peers."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from uvicorn.server import ServerState

from steinmetz.realtime import Config, RealtimeApp, Server, Socket
from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
from tests.conformance.realtime.test_stock_client import CLIENT, node
from tests.unit.realtime.server.test_uvicorn import Peer

SCRIPT = Path(__file__).parent / "stock_client_wire.mjs"
SCENARIOS = re.findall(r'^  async "(.+)"\(place\)', SCRIPT.read_text(), re.MULTILINE)
CONFIG = Config(require_auth=False, deflate_threshold=1_000, client_queue_bytes=500_000)
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate that it has signed itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def application() -> Server:
    io = Server(CONFIG)

    def echo(_socket: Socket, data: object) -> object:
        return data

    def plainly(client: Socket, data: object) -> None:
        client.compress(False).emit("plainly", data)

    def burst(client: Socket, count: int) -> str:
        for number in range(count):
            io.emit("burst", number)
            if not number % 50:
                client.emit("only you", number)
        io.emit("burst over")
        return "done"

    async def flood(client: Socket) -> None:
        while client.connected:
            client.compress(False).emit("flood", "x" * 50_000)
            await asyncio.sleep(0)

    for event, handler in {"echo": echo, "plainly": plainly, "burst": burst, "flood me": flood}.items():
        io.on(event, handler)
    return io


# ---- The stock client ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes(certificate: tuple[Path, Path]) -> dict[tuple[str, str], str | None]:
    if not CLIENT.exists():
        if os.environ.get("STEINMETZ_STRICT"):
            pytest.fail(f"{CLIENT} is missing: run `python3 dev.py test`, which installs it")
        pytest.skip("web/node_modules has no socket.io-client; `python3 dev.py test` installs it")
    key, made = certificate
    tls = {"ssl_keyfile": str(key), "ssl_certfile": str(made)}
    servers: dict[str, tuple[uvicorn.Server, threading.Thread]] = {}
    for loop, options in (("asyncio", {}), ("uvloop", {}), ("uvloop", tls)):
        io, listener = application(), socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            RealtimeApp(io),
            http=with_doors(NativeDoor(io)),
            log_config=None,
            timeout_graceful_shutdown=2,
            **options,
        )
        server = uvicorn.Server(config)

        def serve(server: uvicorn.Server = server, listener: socket.socket = listener, loop: str = loop) -> None:
            with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                runner.run(server.serve([listener]))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        servers[f"http{'s' * bool(options)}://127.0.0.1:{listener.getsockname()[1]}"] = server, thread
    names = dict(zip(servers, ("asyncio", "uvloop", "TLS"), strict=True))
    done = subprocess.run(
        [node(), str(SCRIPT), str(CLIENT), *servers], capture_output=True, text=True, timeout=100, check=False
    )
    for server, _ in servers.values():
        server.should_exit = True
    for _, thread in servers.values():
        thread.join(10)
        assert not thread.is_alive(), "a server did not end"
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(names[line["url"]], line["name"]): line["problem"] for line in lines}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("wire", ["asyncio", "uvloop", "TLS"])
def test_the_stock_client(outcomes: dict[tuple[str, str], str | None], wire: str, scenario: str) -> None:
    assert outcomes[wire, scenario] is None


# ---- Peers that say what they like ---------------------------------------------------------------------------


class House:
    """A server in the running loop."""

    def __init__(self, certificate: tuple[Path, Path] | None) -> None:
        self.io = application()
        self._certificate = certificate
        self._config = uvicorn.Config(RealtimeApp(self.io), http=with_doors(NativeDoor(self.io)), log_config=None)
        self._config.load()

    async def open(self) -> None:
        context = None
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate[1], self._certificate[0])
        self.state, http = ServerState(), self._config.http_protocol_class
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: http(config=self._config, server_state=self.state, app_state={}),  # type: ignore[call-arg]
            "127.0.0.1",
            ssl=context,
        )

    async def peer(self) -> Peer:
        """Connected to the main namespace."""
        context = ssl.create_default_context(cafile=str(self._certificate[1])) if self._certificate else None
        port = self._listener.sockets[0].getsockname()[1]
        return await Peer(*await asyncio.open_connection("127.0.0.1", port, ssl=context)).connected()

    async def close(self) -> None:
        self._listener.close()
        for connection in list(self.state.connections):
            connection.stream.abort()  # type: ignore[union-attr]  # all are WebSockets here
        await self.io.shutdown()


def play(loop: str, story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(asyncio.wait_for(story, 30))


@pytest.fixture(params=["plain", "TLS"])
def house(request: pytest.FixtureRequest, certificate: tuple[Path, Path]) -> House:
    return House(certificate if request.param == "TLS" else None)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_peer_that_rests_hears_everything_in_order_when_it_reads_again(house: House, loop: str) -> None:
    async def story() -> None:
        await house.open()
        resting, other = await house.peer(), await house.peer()
        others = asyncio.create_task(_numbers(other, until=-1))
        resting.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a stream can
        [websocket] = [each for each in house.state.connections if _is_of(each, resting)]
        number = 0
        while not websocket.queued_bytes > 200_000:
            house.io.emit("n", number, "x" * 20_000)
            number += 1
            await asyncio.sleep(0)
        house.io.emit("n", -1, "")
        resting.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert await _numbers(resting, until=-1) == [*range(number), -1]
        assert await others == [*range(number), -1]
        assert house.io.statistics.slow_clients == 0
        await house.close()

    play(loop, story())


@pytest.mark.parametrize("loop", LOOPS)
def test_t26_a_peer_that_never_reads_is_cut_off_and_costs_nobody_else_anything(house: House, loop: str) -> None:
    async def story() -> None:
        await house.open()
        stalled, other = await house.peer(), await house.peer()
        stalled.writer.transport.pause_reading()  # type: ignore[attr-defined]
        others = asyncio.create_task(_numbers(other, until=-1))
        [websocket] = [each for each in house.state.connections if _is_of(each, stalled)]
        number, most = 0, 0
        while house.io.statistics.slow_clients == 0:
            house.io.emit("n", number, "x" * 20_000)
            number += 1
            await asyncio.sleep(0)
            most = max(most, websocket.queued_bytes)
        assert most <= CONFIG.client_queue_bytes
        assert websocket.queued_bytes == 0
        while websocket in house.state.connections:
            await asyncio.sleep(0)
        house.io.emit("n", -1, "")
        assert await others == [*range(number), -1]
        await house.close()

    play(loop, story())


def _is_of(websocket: Any, peer: Peer) -> bool:
    mine = peer.writer.get_extra_info("sockname")
    return bool(websocket.stream.get_extra_info("peername") == mine)


async def _numbers(peer: Peer, until: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] != until:
        _, data = await peer.hear()
        if data.startswith(b'42["n",'):
            found.append(int(data[7:].partition(b",")[0]))
    return found
