"""A server that is stopped says so, sends its sockets elsewhere, and answers until they have gone."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.server import RunningServer, running_server

SOCKETS = 12
A_SECOND = 5


def ready(server: RunningServer) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def opened(server: RunningServer, sockets: ExitStack) -> ClientConnection:
    """A session that is in no namespace: a connection is a connection."""
    url = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    socket = sockets.enter_context(connect(url, open_timeout=20, close_timeout=5))
    assert str(socket.recv(timeout=20)).startswith("0{")
    return socket


def end_of(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=60)
    received = closed.value.rcvd
    return 0 if received is None else received.code


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_t28_readiness_goes_down_and_sockets_leave_by_rate(tmp_path: Path, sockets: ExitStack) -> None:
    slowly = {"STEINMETZ_DRAIN_PER_S": str(A_SECOND), "STEINMETZ_DRAIN_TIMEOUT_S": "300"}
    with running_server(tmp_path, **slowly) as server:
        guests = [opened(server, sockets) for _ in range(SOCKETS)]
        os.kill(server.pid, signal.SIGTERM)
        while (answer := ready(server))[0] == 200:
            pass
        assert answer[0] == 503
        assert int(answer[1]["checks"]["sockets"].split()[1]) > 0, "not all of them at once"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server.url}/socket.io/?EIO=4&transport=polling", timeout=5)
        with refused.value:
            assert refused.value.code == 503
        assert [end_of(guest) for guest in guests] == [1012] * SOCKETS
