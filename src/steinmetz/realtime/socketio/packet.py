"""Socket.IO 5 packets: what one message of a namespace says, independent of its bytes."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

MAIN_NAMESPACE = "/"

RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names with a meaning of their own on one of the sides; no event may carry them."""


class PacketType(IntEnum):
    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


class Packet(NamedTuple):
    """A BINARY_EVENT is an EVENT whose data hold `bytes`: only the parser knows the difference.

    ``data``: a list (EVENT: name and arguments; ACK: the answers), a dict (CONNECT, CONNECT_ERROR) or None.
    """

    type: PacketType
    namespace: str = MAIN_NAMESPACE
    data: Any = None
    id: int | None = None
