"""The pages for those who come from another server map every public call of it, to names that exist."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import engineio
import pytest
import socketio

import steinmetz.realtime
from steinmetz.realtime import (
    BroadcastOperator,
    Config,
    Conn,
    Engine,
    Namespace,
    ParentNamespace,
    RemoteSocket,
    Server,
    Socket,
)

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
ROOTS: dict[str, Any] = {
    "io": Server(),
    "namespace": Server().of("/x"),
    "parent": ParentNamespace,
    "socket": Socket,
    "operator": BroadcastOperator,
    "remote": RemoteSocket,
    "engine": Engine,
    "conn": Conn,
}
"""What the words stand for with which the pages write our names; objects where they get names when made."""

# https://socket.io/docs/v4/server-api/ and the public members of packages/socket.io/lib in 4.8.
OPERATOR = """
    emit emitWithAck to in except compress volatile local timeout allSockets fetchSockets socketsJoin socketsLeave
    disconnectSockets
"""
NAMESPACE = f"{OPERATOR} send write on use serverSideEmit serverSideEmitWithAck"
NODE = {
    "io": f"""
        {NAMESPACE} engine sockets httpServer adapter attach attachApp bind onconnection listen close path
        connectTimeout serveClient of
    """,
    "namespace": f"{NAMESPACE} name adapter sockets server",
    "parent": "emit fetchSockets createChild",
    "socket": """
        id data handshake request rooms recovered connected disconnected nsp client conn on once off listeners
        removeListener removeAllListeners eventNames use emit emitWithAck send write join leave to in except
        broadcast local volatile compress timeout disconnect onAny prependAny offAny listenersAny onAnyOutgoing
        prependAnyOutgoing offAnyOutgoing listenersAnyOutgoing
    """,
    "operator": OPERATOR,
    "remote": "id handshake rooms data timeout emit join leave disconnect",
    "client": "conn request",
    "engine": "clientsCount generateId handleUpgrade use",
}
NODE_EVENTS = """
    connect connection new_namespace disconnect disconnecting error connection_error headers initial_headers
    upgrade close packet packetCreate drain
"""
# https://socket.io/docs/v4/server-options/
NODE_OPTIONS = """
    path serveClient adapter parser connectTimeout connectionStateRecovery cleanupEmptyChildNamespaces
    pingInterval pingTimeout upgradeTimeout maxHttpBufferSize allowRequest transports allowUpgrades
    perMessageDeflate httpCompression wsEngine cors cookie allowEIO3 addTrailingSlash destroyUpgrade
    destroyUpgradeTimeout
"""


def rows(page: str) -> list[list[str]]:
    """Theirs, ours, and what there is to say about it."""
    found = []
    for line in (HOWTO / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" |")]
        if line.startswith("| `") and len(cells) >= 2:
            found.append([cells[0].strip("| "), cells[1].strip("| "), "".join(cells[2:]).strip("| ")])
    return found


def theirs(page: str) -> set[str]:
    """The names in the first column, without what is called with them."""
    return {re.sub(r"\(.*", "", row[0].strip("`")) for row in rows(page)}


def exists(name: str) -> bool:
    root, _, member = name.partition(".")
    if root == "Config" and member:
        return member in Config.__dataclass_fields__
    if root in ROOTS:
        return not member or hasattr(ROOTS[root], member)
    return hasattr(steinmetz.realtime, root)


@pytest.mark.parametrize("page", ["from-node.md", "from-python-socketio.md"])
def test_each_name_of_ours_exists_and_each_lack_has_its_reason(page: str) -> None:
    lacking = []
    for their_name, ours, remark in rows(page):
        names = re.findall(r"`([^`]+)`", ours)
        if ours == "no":
            assert len(remark) > 5, their_name
        elif ours == "the same name":
            names = [their_name.strip("`")] if remark == "" else []
        else:
            assert names, their_name
        lacking += [name for name in names if not exists(name)]
    assert lacking == []


def test_every_call_of_node_is_there() -> None:
    wanted = {f"{root}.{name}" for root, names in NODE.items() for name in names.split()}
    wanted |= {f'"{event}"' for event in NODE_EVENTS.split()} | set(NODE_OPTIONS.split())
    known = theirs("from-node.md") - {"new Server", "conn.transport"}
    assert (wanted - known, known - wanted) == (set(), set())


def public(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_")}


def parameters(*of: type) -> set[str]:
    found = {name for each in of for name in inspect.signature(each.__init__).parameters}  # type: ignore[misc]
    return found - {"self", "kwargs"}


def test_every_call_of_python_socketio_is_there() -> None:
    known = theirs("from-python-socketio.md")
    wanted = {f"sio.{name}" for name in public(socketio.AsyncServer)}
    wanted |= {f"namespace.{name}" for name in public(socketio.AsyncNamespace)}
    wanted |= {f"app.{name}" for name in public(socketio.ASGIApp)}
    wanted |= parameters(socketio.AsyncServer, socketio.base_server.BaseServer, engineio.AsyncServer)
    wanted |= parameters(engineio.base_server.BaseServer)
    assert wanted - known == set()


def test_the_reasons_of_a_disconnection_are_those_of_both_worlds() -> None:
    """https://socket.io/docs/v4/server-api/#event-disconnect lists them."""
    from steinmetz.realtime import Reason

    assert {
        "server namespace disconnect", "client namespace disconnect", "server shutting down", "ping timeout",
        "transport close", "transport error", "parse error", "forced close", "forced server close",
    } == set(Reason)  # fmt: skip


def test_the_roots_are_what_they_are_called() -> None:
    assert isinstance(ROOTS["namespace"], Namespace)
    assert asyncio.iscoroutinefunction(ROOTS["io"].shutdown)
