"""Questions from node to node in one namespace: who is where, what a handler answers, who may go elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, Protocol

from steinmetz.realtime.adapters.base import Local, Member, Member_contra, Selection, SocketDetails
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.messages import checked, pack
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.requests import Answers
from steinmetz.realtime.adapters.seal import Kind, MessageError
from steinmetz.realtime.errors import AckTimeoutError

TIMEOUT_S = 5.0
"""So long other nodes have to answer `fetch`."""
RELEASE_S = 0.5
"""Beyond the time that a client has to answer, so long other nodes have to say whether it did."""


class ClusterLocal(Local[Member_contra], Protocol[Member_contra]):
    """What a cluster asks of the namespace beside what every adapter asks."""

    @property
    def name(self) -> str: ...

    def details(self, member: Member_contra) -> SocketDetails:
        """What other nodes may know of a member of this one: JSON values and no credential."""

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        """Another server has emitted ``event`` to the servers; what this one's handler answers."""

    async def release(self, sid: str) -> bool:
        """The client of a socket here may have come back elsewhere: whether its old connection is over."""

    def lost(self) -> None:
        """Events of other nodes are missing: let all clients connect anew, and recover nobody."""


class IncompleteError(AckTimeoutError):
    """Some nodes have not answered. ``answers``: what the others said; ``missing``: those nodes."""

    def __init__(self, answers: list[Any], missing: frozenset[str]) -> None:
        super().__init__(f"{len(missing)} other servers did not answer in time", answers, missing)


class Inquiries(Generic[Member]):
    """Bound: as `Requests`, and `node.MAX_WORK` answers that are being thought of."""

    def __init__(self, node: Node, local: ClusterLocal[Member], here: MemoryAdapter[Member]) -> None:
        self._node = node
        self._local = local
        self._here = here

    # -- asking --------------------------------------------------------------------------------------------------

    async def fetch(self, selection: Selection) -> Sequence[Member | SocketDetails]:
        """Raises `IncompleteError` if another node does not answer within `TIMEOUT_S`, or is not understood."""
        found: list[Member | SocketDetails] = list(self._here.select(selection))
        if selection.is_local:
            return found
        question = {"rooms": list(selection.rooms), "except": list(selection.except_rooms)}
        answers = await self._ask(Kind.FETCH, question, TIMEOUT_S)
        for node, told in answers.given.items():
            try:
                found += [_details(each) for each in told]
            except (MessageError, TypeError):  # a server of another release
                answers.missing.add(node)
        if answers.missing:
            raise IncompleteError(found, _names(answers.missing))
        return found

    async def release(self, sid: str, takeover_s: float) -> bool:
        """False if a client elsewhere is there. A node that does not answer is dead, or out of reach."""
        answers = await self._ask(Kind.RELEASE, {"sid": sid}, takeover_s + RELEASE_S)
        return all(answer is not False for answer in answers.given.values())

    def server_side_emit(self, event: str, args: Sequence[Any]) -> None:
        """To the handlers of all other nodes. Raises `TypeError` for what JSON cannot say."""
        told = {"namespace": self._local.name, "event": event, "args": list(args)}
        self._node.say(Kind.SERVER_SIDE, (self._node.control,), pack(told))

    async def server_side_emit_with_ack(self, event: str, args: Sequence[Any], timeout_s: float) -> list[Any]:
        """As `server_side_emit`; one answer of each other node. Raises `IncompleteError`."""
        answers = await self._ask(Kind.SERVER_SIDE, {"event": event, "args": list(args)}, timeout_s)
        given = list(answers.given.values())
        if answers.missing:
            raise IncompleteError(given, _names(answers.missing))
        return given

    async def _ask(self, kind: Kind, question: dict[str, Any], timeout_s: float) -> Answers:
        return await self._node.ask(kind, {"namespace": self._local.name, **question}, timeout_s)

    # -- answering -----------------------------------------------------------------------------------------------

    def answer(self, kind: Kind, told: dict[str, Any], origin: bytes) -> None:
        """What another node asks, or tells the handlers. Raises `MessageError`."""
        match kind:
            case Kind.FETCH:
                self._fetched(told, origin)
            case Kind.SERVER_SIDE:
                self._heard_server_side(told, origin)
            case Kind.RELEASE:
                self._asked_to_release(told, origin)

    def _fetched(self, question: dict[str, Any], origin: bytes) -> None:
        told = checked(question, **{"request": str, "rooms": list, "except": list})
        selection = Selection(frozenset(map(str, told["rooms"])), frozenset(map(str, told["except"])))
        found = [self._local.details(member) for member in self._here.select(selection)]
        described = [[each.id, dict(each.handshake), sorted(each.rooms), dict(each.data)] for each in found]
        self._node.answer(origin, told["request"], described)

    def _asked_to_release(self, told: dict[str, Any], origin: bytes) -> None:
        checked(told, sid=str, request=str)
        self._node.spawn("release", self._release(told["sid"], told["request"], origin))

    async def _release(self, sid: str, request: str, origin: bytes) -> None:
        self._node.answer(origin, request, await self._local.release(sid))

    def _heard_server_side(self, told: dict[str, Any], origin: bytes) -> None:
        checked(told, event=str, args=list)
        self._node.spawn("server side emit", self._answer_server_side(told, origin))

    async def _answer_server_side(self, told: dict[str, Any], origin: bytes) -> None:
        answer = await self._local.hear(told["event"], told["args"])
        if isinstance(request := told.get("request"), str):
            self._node.answer(origin, request, answer)


def _details(told: Any) -> SocketDetails:
    match told:
        case [str(sid), dict(handshake), list(rooms), dict(data)]:
            return SocketDetails(sid, handshake, frozenset(map(str, rooms)), data)
        case _:
            raise MessageError("shape")


def _names(nodes: Iterable[bytes]) -> frozenset[str]:
    return frozenset(node.hex() for node in nodes)
