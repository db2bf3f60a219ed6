"""The namespaces of one client, as a table: what each packet means in the state its namespace is in.

Decides only: Engine.IO messages and instants come in, a `Step` and its packet come out.
"""

from __future__ import annotations

from enum import Enum, auto

from steinmetz.realtime.errors import SocketIOError
from steinmetz.realtime.socketio.namespaces import ByNamespace
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, Packet, PacketType
from steinmetz.realtime.socketio.parser import Decoder, plain_event

MAX_UNADMITTED = 16_384
"""Characters of a message of a client that is in no namespace, and of any CONNECT: what a stranger sends is
neither parsed nor kept beyond that."""
MAX_NAMESPACES = 64
"""Of one client; a reply to each CONNECT is owed, so this bounds what a client can ask for."""


class State(Enum):
    """Of one namespace of one client."""

    ABSENT = auto()
    CONNECTING = auto()
    """CONNECT has come, the middlewares are thinking."""
    CONNECTED = auto()
    LEFT = auto()
    """The server has said DISCONNECT; what the client sent before it heard that is still on its way."""


class Step(Enum):
    """What the carrier does next with the packet."""

    CONNECT = auto()
    """Ask the middlewares, then answer `accept` or `refuse`."""
    DISCONNECT = auto()
    EVENT = auto()
    ACK = auto()
    IGNORE = auto()


_STEPS: dict[tuple[State, PacketType], tuple[State, Step]] = {
    (State.ABSENT, PacketType.CONNECT): (State.CONNECTING, Step.CONNECT),
    # An application that calls connect() twice in a row makes the stock client say CONNECT twice.
    (State.CONNECTING, PacketType.CONNECT): (State.CONNECTING, Step.IGNORE),
    (State.CONNECTED, PacketType.CONNECT): (State.CONNECTED, Step.IGNORE),
    (State.CONNECTING, PacketType.DISCONNECT): (State.ABSENT, Step.DISCONNECT),
    (State.CONNECTED, PacketType.EVENT): (State.CONNECTED, Step.EVENT),
    (State.CONNECTED, PacketType.ACK): (State.CONNECTED, Step.ACK),
    (State.CONNECTED, PacketType.DISCONNECT): (State.ABSENT, Step.DISCONNECT),
    (State.LEFT, PacketType.CONNECT): (State.CONNECTING, Step.CONNECT),
    (State.LEFT, PacketType.EVENT): (State.LEFT, Step.IGNORE),
    (State.LEFT, PacketType.ACK): (State.LEFT, Step.IGNORE),
    (State.LEFT, PacketType.DISCONNECT): (State.ABSENT, Step.IGNORE),
}


_CONNECTED = State.CONNECTED


class Connection:
    """One client's Socket.IO side. Instants are monotonic seconds.

    `deadline_s` is when `is_overdue` must be asked: a client that never connects to a namespace, or never sends
    the attachments it announced, may not stay.
    """

    __slots__ = (
        "_attachments_due_s",
        "_connect_due_s",
        "_decoder",
        "_grace_s",
        "_max_connect",
        "_max_size",
        "_states",
        "_timeout_s",
    )

    def __init__(
        self,
        *,
        max_size: int,
        timeout_s: float,
        now_s: float,
        silence_s: float | None = None,
        max_connect_payload: int = MAX_UNADMITTED,
    ) -> None:
        """``silence_s``: how long the first CONNECT may take; ``timeout_s`` is for its answer, too."""
        self._max_size = max_size
        self._decoder: Decoder | None = None
        """While attachments of a packet are still to come."""
        self._timeout_s = timeout_s
        self._max_connect = max_connect_payload
        self._states: ByNamespace[State] = ByNamespace()
        first_s = timeout_s if silence_s is None else min(silence_s, timeout_s)
        self._connect_due_s: float | None = now_s + first_s
        self._grace_s = timeout_s - first_s
        """By how much the first CONNECT moves the deadline; nothing moves it a second time."""
        self._attachments_due_s: float | None = None

    @property
    def deadline_s(self) -> float | None:
        if self._attachments_due_s is None or self._connect_due_s is None:
            return self._connect_due_s if self._attachments_due_s is None else self._attachments_due_s
        return min(self._connect_due_s, self._attachments_due_s)

    def is_overdue(self, now_s: float) -> bool:
        deadline_s = self.deadline_s
        return deadline_s is not None and now_s >= deadline_s

    def state(self, namespace: str) -> State:
        return self._states.get(namespace, State.ABSENT)

    def plain_event(self, message: str) -> Packet | None:
        """An event of the main namespace that waits for nothing, from the Engine.IO packet as it came.

        None for everything else: that goes the long way, through `receive`.
        """
        if self._states.get(MAIN_NAMESPACE) is not _CONNECTED or self._decoder is not None:
            return None
        return plain_event(message)

    def receive(self, message: str | bytes, now_s: float) -> tuple[Step, Packet] | None:
        """What ``message`` asks for, once its packet is whole.

        Raises `SocketIOError` for what the parser refuses and for a packet that does not fit the state of its
        namespace: the reference server closes the connection then, and so does ours.
        """
        if self._connect_due_s is not None and len(message) > self._max_connect:
            raise SocketIOError(f"a client in no namespace sends at most {self._max_connect} characters at once")
        decoder = self._decoder or Decoder(self._max_size)
        packet = decoder.feed(message)
        if packet is None:
            self._decoder = decoder
            if self._attachments_due_s is None:
                self._attachments_due_s = now_s + self._timeout_s
            return None
        self._decoder = self._attachments_due_s = None
        state = self._states.get(packet.namespace, State.ABSENT)
        known = _STEPS.get((state, packet.type))
        if known is None:
            raise SocketIOError(f"{packet.type.name} in a namespace that is {state.name}")
        after, step = known
        if step is Step.CONNECT:
            if len(message) > self._max_connect:
                raise SocketIOError(f"a CONNECT has at most {self._max_connect} characters")
            if self._grace_s and self._connect_due_s is not None:
                self._connect_due_s += self._grace_s
                self._grace_s = 0.0
        if after is not state:
            self._move(packet.namespace, after, now_s)
        return step, packet

    def accept(self, namespace: str) -> None:
        """The middlewares let the client into ``namespace``."""
        self._states[namespace] = State.CONNECTED
        self._connect_due_s = None

    def refuse(self, namespace: str, now_s: float) -> None:
        """They did not."""
        self._move(namespace, State.ABSENT, now_s)

    def leave(self, namespace: str, now_s: float) -> None:
        """The server has disconnected the client from ``namespace``."""
        self._move(namespace, State.LEFT, now_s)

    def _move(self, namespace: str, state: State, now_s: float) -> None:
        if state is State.ABSENT:
            self._states.pop(namespace, None)
        elif namespace not in self._states and len(self._states) >= MAX_NAMESPACES:
            raise SocketIOError(f"a client has at most {MAX_NAMESPACES} namespaces")
        else:
            self._states[namespace] = state
        if self._connect_due_s is None and State.CONNECTED not in self._states.values():
            self._connect_due_s = now_s + self._timeout_s
