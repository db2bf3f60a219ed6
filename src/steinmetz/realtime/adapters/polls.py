"""Broadcasts that want an acknowledgement from each, over all nodes: who is asked, who answers, who is gone.

All nodes are asked and each says whom it asks, also if that is nobody: so it is known of everybody who has not
answered whether he was asked at all. The packet is the same everywhere, with the id that its answers carry.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol

from steinmetz.realtime.adapters.base import Flags, Member, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.messages import Emission, checked, pack, pack_emission
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.seal import Kind, MessageError
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.errors import AckError

LIFE_S = 65.0
"""Who waits longer than a minute for an acknowledgement waits for clients of his own node only."""
MAX_OPEN = 1_000
"""Of questions of ours, and of questions of others that are being answered here."""
DOWN = "server down"
_ACK_ID = re.compile(r"[0-6](?:\d+-)?(?:/[^,]*,)?(\d+)\[")


class Gathering(Protocol):
    """The answers to one question, as far as they have come; see `Adapter.broadcast_with_ack`."""

    ack_id: int

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can come."""

    def is_waiting_for(self, sid: str) -> bool: ...

    def await_nodes(self, nodes: Collection[str]) -> None: ...

    def expect(self, sids: Collection[str], node: str | None = None) -> None: ...

    def answer(self, sid: str, answers: list[Any]) -> bool: ...

    def lose(self, sid: str, reason: str) -> None: ...

    def lose_node(self, node: str) -> None: ...

    def check(self) -> None: ...


@dataclass(slots=True)
class _Open:
    """A question of ours. ``asked``: by node, whom it asks; None until it has said so."""

    gathering: Gathering
    asked: dict[str, Collection[str] | None]
    until_s: float


@dataclass(slots=True)
class Relay:
    """A `Gathering` at the node of those who answer: passes on what comes, once a turn of the loop."""

    node: Node
    namespace: str
    origin: bytes
    ack_id: int
    until_s: float
    is_settled: bool = False
    _waiting: set[str] = field(default_factory=set)
    _asked: list[str] | None = None
    _answers: list[tuple[str, list[Any]]] = field(default_factory=list)
    _lost: list[tuple[str, str]] = field(default_factory=list)
    _is_scheduled: bool = False

    def expect(self, sids: Collection[str], node: str | None = None) -> None:
        self._asked = [*(self._asked or ()), *sids]
        self._waiting.update(sids)
        self._schedule()

    def is_waiting_for(self, sid: str) -> bool:
        return sid in self._waiting

    def answer(self, sid: str, answers: list[Any]) -> bool:
        if sid not in self._waiting:
            return False
        self._waiting.discard(sid)
        self._answers.append((sid, answers))
        self._schedule()
        return True

    def lose(self, sid: str, reason: str) -> None:
        if sid in self._waiting:
            self._waiting.discard(sid)
            self._lost.append((sid, str(reason)))
            self._schedule()

    def await_nodes(self, nodes: Collection[str]) -> None:
        """It is not asked to."""

    def lose_node(self, node: str) -> None:
        """It is not asked to."""

    def check(self) -> None:
        self.is_settled = not self._waiting

    def _schedule(self) -> None:
        self.check()
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._pass_on)

    def _pass_on(self) -> None:
        self._is_scheduled = False
        asked, answers, lost = self._asked, self._answers, self._lost
        self._asked, self._answers, self._lost = None, [], []
        told = {"namespace": self.namespace, "ackId": self.ack_id, "asked": asked, "lost": lost}
        channel = (self.node.channel_of(self.origin),)
        try:
            body = pack({**told, "answers": answers})
        except TypeError:  # bytes: it is known that he has answered, and that nobody hears what
            lost += [(sid, "binary acknowledgement") for sid, _ in answers]
            body = pack({**told, "answers": []})
        self.node.say(Kind.ANSWERS, channel, body)


class Polls(Generic[Member]):
    """Of one namespace. Bound: `MAX_OPEN` each way, for `LIFE_S` seconds."""

    def __init__(self, node: Node, local: Any, namespace: str, here: MemoryAdapter[Member]) -> None:
        """``local`` can ``ask(members, outgoing, flags, gathering)`` and ``stop_asking(ack_id)``."""
        self._node = node
        self._local = local
        self._namespace = namespace
        self._here = here
        self._open: dict[int, _Open] = {}
        self._relays: dict[tuple[bytes, int], Relay] = {}

    def __len__(self) -> int:
        return len(self._open) + len(self._relays)

    def ask(self, selection: Selection, outgoing: Outgoing, flags: Flags, gathering: Gathering) -> None:
        """See `Adapter.broadcast_with_ack`. Raises `AckError` if too many are open: nobody is asked then."""
        nodes = [] if selection.is_local else [peer.origin.hex() for peer in self._node.peers.up()]
        if nodes:
            if len(self._open) >= MAX_OPEN:
                self.tidy()
            if len(self._open) >= MAX_OPEN:
                raise AckError(f"{MAX_OPEN} broadcasts wait for acknowledgements of other servers already")
            gathering.await_nodes(nodes)
            until_s = self._node.clock.monotonic_s() + LIFE_S
            self._open[gathering.ack_id] = _Open(gathering, dict.fromkeys(nodes), until_s)
            body = pack_emission(Emission(self._namespace, selection, flags, outgoing))
            self._node.say(Kind.QUESTION, (self._node.control,), body)
        self._local.ask(self._here.select(selection), outgoing, flags, gathering)
        gathering.check()

    def asked(self, emission: Emission, origin: bytes) -> None:
        """Another node asks. Raises `MessageError`."""
        text = emission.outgoing.packets[0].data
        found = _ACK_ID.match(text) if isinstance(text, str) else None
        if found is None:
            raise MessageError("shape")
        if len(self._relays) >= MAX_OPEN:
            self.tidy()
        if len(self._relays) >= MAX_OPEN:
            # Who was asked longest ago and is silent is hardly waited for any more.
            self._end(next(iter(self._relays.values())))
        until_s = self._node.clock.monotonic_s() + LIFE_S
        relay = Relay(self._node, self._namespace, origin, int(found[1]), until_s)
        self._relays[origin, relay.ack_id] = relay
        self._local.ask(self._here.select(emission.selection), emission.outgoing, emission.flags, relay)

    def answered(self, told: dict[str, Any], origin: bytes) -> None:
        """Another node has asked its clients, or passes on what they say. Raises `MessageError`."""
        checked(told, ackId=int, asked=(list, type(None)), answers=list, lost=list)
        node, opened = origin.hex(), self._open.get(told["ackId"])
        if opened is None or node not in opened.asked:
            return
        gathering = opened.gathering
        if told["asked"] is not None:
            opened.asked[node] = told["asked"]
            gathering.expect(told["asked"], node)
        for sid, answers in _pairs(told["answers"], list):
            gathering.answer(sid, answers)
        for sid, reason in _pairs(told["lost"], str):
            gathering.lose(sid, reason)
        gathering.check()
        if gathering.is_settled:
            del self._open[told["ackId"]]

    def gone(self, origin: bytes) -> None:
        """A node is down: whom it asked, and who asked from there."""
        node = origin.hex()
        for opened in list(self._open.values()):
            if (asked := opened.asked.get(node)) is None:
                opened.gathering.lose_node(node)
            for sid in asked or ():
                opened.gathering.lose(sid, DOWN)
        for relay in [relay for relay in self._relays.values() if relay.origin == origin]:
            self._end(relay)

    def tidy(self) -> None:
        """Forget what is settled or old."""
        now_s = self._node.clock.monotonic_s()
        over = [ack_id for ack_id, one in self._open.items() if one.gathering.is_settled or one.until_s <= now_s]
        for ack_id in over:
            del self._open[ack_id]
        for relay in [relay for relay in self._relays.values() if relay.is_settled or relay.until_s <= now_s]:
            self._end(relay)

    def _end(self, relay: Relay) -> None:
        del self._relays[relay.origin, relay.ack_id]
        self._local.stop_asking(relay.ack_id)


def _pairs(told: Sequence[Any], kind: type) -> list[tuple[str, Any]]:
    for pair in told:
        if not (
            isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], kind)
        ):
            raise MessageError("shape")
    return [(sid, value) for sid, value in told]
