"""One process of a cluster: what it says to the others, and how it makes sure that it has heard them. The dance.

Everything that matters is numbered and kept in a journal for a while. Whoever misses something asks for it; who
was out of reach asks all others when the bus is back, and they ask him: so an outage of the bus delays, and loses
nothing as long as the journal holds it. If it does not, clients are made to reconnect (`ClusterLocal.lost`).

A stranger is asked before he is believed: only a living node can answer with our nonce, so what a dead one said
once does nothing when somebody repeats it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from steinmetz.clock import Clock, SystemClock
from steinmetz.realtime.adapters.bus import Bus
from steinmetz.realtime.adapters.hearing import Heard, Hearer
from steinmetz.realtime.adapters.journal import Journal
from steinmetz.realtime.adapters.messages import (
    Content,
    Replay,
    Said,
    content_of,
    pack,
    pack_beat,
    pack_replay,
    unpack,
    unpack_beat,
    unpack_replay,
)
from steinmetz.realtime.adapters.peers import BLUR_S, HEARTBEAT_S, Peer, Peers, Verdict, tag_of
from steinmetz.realtime.adapters.recording import Recording
from steinmetz.realtime.adapters.requests import Answers, Requests
from steinmetz.realtime.adapters.seal import MAX_MESSAGE, UNNUMBERED, Kind, Message, MessageError, Seal, origin_of
from steinmetz.realtime.adapters.traffic import Traffic
from steinmetz.realtime.recovery.record import Record, Stamp
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.realtime")

JOURNAL_BYTES = 8 * 1024 * 1024
REPLAY_BYTES = 512 * 1024
"""Of one part of an answer to a node that has missed something."""
TICK_S = 0.25
MAX_WORK = 1_000
"""Handlers of other servers' events that run at a time."""
_ROOM_FOR_HEADS = 100_000
STRANGERS_S = 1.0
"""After an outage: so long a node that began meanwhile, and has spoken, has time to be met."""


WARN_EVERY_S = 60.0
REMEDIES = {
    "signature": "all servers need the same secret, and others another prefix",
    "version": "let all servers run releases that understand each other",
    "shape": "let all servers run the same release",
}


class Node:
    """All methods but `aclose` and `ask` are plain calls on the event loop."""

    def __init__(
        self,
        bus: Bus,
        secret: str | bytes,
        *,
        prefix: str = "steinmetz",
        clock: Clock | None = None,
        journal_bytes: int = JOURNAL_BYTES,
    ) -> None:
        """Raises `ValueError` for a secret that is too short; see `Seal`."""
        self.origin = secrets.token_bytes(8)
        self.tag = tag_of(self.origin)
        """What the ids of sockets of this node begin with, so that others know where they are."""
        self.clock: Clock = clock or SystemClock()
        self.peers = Peers()
        self.traffic = Traffic()
        self.requests = Requests()
        self.is_reachable = False
        """Whether the bus is there."""
        self.hearer: Callable[[Kind, Content], Hearer | None] = lambda _kind, _content: None
        self.on_up: list[Callable[[Peer], None]] = []
        self.on_down: list[Callable[[Peer], None]] = []
        self.on_lost: list[Callable[[Peer], None]] = []
        self.on_beat: list[Callable[[], None]] = []
        self._slot = f"{{{prefix}:realtime}}"
        self.control = f"{self._slot}:c"
        self.own = self.channel_of(self.origin)
        self._bus = bus
        self._seal = Seal(secret)
        self._journal = Journal(journal_bytes)
        self.recording = Recording(self, bus, self._seal, self._journal, prefix)
        self._channels: set[str] = set()
        self._next_heartbeat_s = 0.0
        self._lost_at_s: float | None = None
        self._sure_at_s = 0.0
        self._warned_s: float | None = None
        self._tasks: Tasks | None = None

    # -- channels ------------------------------------------------------------------------------------------------

    def channel_of(self, origin: bytes) -> str:
        """Where one node alone listens."""
        return f"{self._slot}:n:{origin.hex()}"

    def channel_of_namespace(self, namespace: str) -> str:
        return f"{self._slot}:e:{namespace}"

    def channel_of_room(self, namespace: str, room: str) -> str:
        """A namespace has no comma, so no two rooms share a channel."""
        return f"{self._slot}:r:{namespace},{room}"

    def listen(self, channel: str) -> None:
        """Hear what others say in ``channel``."""
        self._channels.add(channel)
        self.peers.listened(channel)
        self._bus.subscribe(channel)

    def unlisten(self, channel: str) -> None:
        if channel in self._channels:
            self._channels.discard(channel)
            self._bus.unsubscribe(channel)
            self.peers.forget_channel(channel)

    def listens(self, channel: str) -> bool:
        return channel in self._channels

    def hears(self, channel: str) -> bool:
        """Whether nothing that is said in ``channel`` from now on can be missed while the bus is there."""
        return channel in self._channels and self._bus.stands(channel)

    async def settle(self, channels: Collection[str]) -> None:
        """Wait until this node `hears` each of ``channels``. Raises `OSError` when the bus is out of reach."""
        await self._bus.settle(channels)

    @property
    def is_sure(self) -> bool:
        """Whether all that others have recorded so far has been heard here, as far as it is for this node."""
        return (
            self.is_reachable
            and not self.peers.is_any_asked
            and (not self._sure_at_s or self.clock.monotonic_s() >= self._sure_at_s)
        )

    # -- life ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect; what is due is done by calls of `tick`."""
        self.listen(self.control)
        self.listen(self.own)
        self._bus.start(self)

    def start(self) -> None:
        """`begin`, and call `tick` from now on."""
        if self._tasks is None:
            self._tasks = Tasks("cluster")
            self.begin()
            self._tasks.spawn("tick", self._ticking())

    async def _ticking(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.tick()
            except Exception as error:  # of somebody who was told; the heart must go on beating
                log.error("A tick of the cluster failed", exc_info=error)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Do ``work`` on behalf of another node; False if there is too much of it, or this one is closing."""
        if self._tasks is None or len(self._tasks) >= MAX_WORK:
            self.traffic.ignored["too busy"] += 1
            work.close()
            return False
        self._tasks.spawn(name, work)
        return True

    async def aclose(self) -> None:
        """Say goodbye and leave. Idempotent."""
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()
        if self.is_reachable:
            self._tell(self.control, Kind.GOODBYE, pack({}))
        self.is_reachable = False
        await self._bus.aclose()

    def tick(self) -> None:
        """Heartbeats, questions that got no answer, nodes that have fallen silent."""
        now_s = self.clock.monotonic_s()
        self.recording.tick()
        if not self.is_reachable:
            return
        if now_s >= self._next_heartbeat_s:
            self._beat(now_s)
        self.peers.look(now_s)
        for peer in self.peers.all():
            if peer.is_down(now_s):
                self._down(peer)
                if now_s - peer.heard_at_s > BLUR_S:
                    peer.blur()
            elif peer.is_due(now_s):
                self._question(peer, now_s)

    def health(self) -> str:
        """``ok``, or what is wrong in words for an operator."""
        if self.is_reachable:
            return "ok"
        if self._lost_at_s is None:
            return "warning: the bus has not been reached yet; clients of other servers hear nothing from here"
        seconds = self.clock.monotonic_s() - self._lost_at_s
        return f"warning: out of reach for {seconds:.0f} s; clients of other servers hear it later"

    # -- saying --------------------------------------------------------------------------------------------------

    def say(self, kind: Kind, channels: tuple[str, ...], body: bytes) -> None:
        """Number it, keep it and publish it in each of ``channels``; nothing at all while nobody else is there."""
        if not channels or not self.peers.is_company or self.is_too_large(body):
            return
        number, previous = self._journal.say(kind, channels, body)
        self.traffic.said += 1
        if self.is_reachable:
            for channel, before in zip(channels, previous, strict=True):
                sealed = self._seal.close(channel, Message(kind, self.origin, number, before, body))
                self._bus.publish(channel, sealed)

    def is_too_large(self, body: bytes) -> bool:
        """Whether ``body`` cannot be said to others; it is counted then."""
        if len(body) <= MAX_MESSAGE - _ROOM_FOR_HEADS:
            return False
        self.traffic.too_large += 1
        log.error("Too large for other servers; only clients of this one hear it", bytes=len(body))
        return True

    def _tell(self, channel: str, kind: Kind, body: bytes) -> None:
        message = Message(kind, self.origin, self._journal.number, 0, body)
        self._bus.publish(channel, self._seal.close(channel, message))

    def _beat(self, now_s: float, *, is_resumed: bool = False) -> None:
        self._next_heartbeat_s = now_s + HEARTBEAT_S
        for due in self.on_beat:
            due()
        self._tell(self.control, Kind.HEARTBEAT, pack_beat(self._journal.take_beat(is_resumed=is_resumed)))

    async def ask(self, kind: Kind, body: dict[str, Any], timeout_s: float) -> Answers:
        """Ask all nodes that are up; who goes down meanwhile is missing.

        Raises `TypeError` for what JSON cannot say.
        """
        nodes = [peer.origin for peer in self.peers.up()]
        request = secrets.token_hex(8)
        question = pack({**body, "request": request})
        self.requests.begin(request, nodes)
        self.say(kind, (self.control,), question)
        return await self.requests.end(request, timeout_s)

    def answer(self, origin: bytes, request: str, answer: Any) -> None:
        """To a question of the node ``origin``. Raises `TypeError` for what JSON cannot say."""
        self.say(Kind.RESPONSE, (self.channel_of(origin),), pack({"request": request, "answer": answer}))

    # -- hearing (bus.Receiver) ----------------------------------------------------------------------------------

    def receive(self, channel: str, message: bytes, stamp: Stamp | None = None) -> None:
        is_ours = origin_of(message) == self.origin
        if channel not in self._channels or (is_ours and (stamp is None or channel != self.own)):
            return
        try:
            opened = self._seal.open(channel, message)
            if is_ours and stamp is not None:
                self.recording.returned(opened.number, stamp)
            else:
                self._receive(channel, opened, stamp)
        except MessageError as error:
            self.traffic.ignored[error.reason] += 1
            self._warn(error.reason)

    def _warn(self, reason: str) -> None:
        """Two servers with different secrets or releases hear nothing of each other, and both are well."""
        now_s = self.clock.monotonic_s()
        if self._warned_s is None or now_s - self._warned_s >= WARN_EVERY_S:
            self._warned_s = now_s
            log.warning("What came over the bus is no word of a server of ours", reason=reason,
                        ignored=self.traffic.ignored[reason], remedy=REMEDIES.get(reason))  # fmt: skip

    def unrecorded(self, record: Record) -> None:
        self.recording.refused(record.number)

    def lost(self, reason: str) -> None:
        self.is_reachable = False
        self._lost_at_s = self.clock.monotonic_s()
        self.traffic.outages[reason] += 1
        self.recording.lost()

    def restored(self) -> None:
        """First everybody must know that we were away; what they hear after that, they hear in its order."""
        self.is_reachable = True
        now_s = self.clock.monotonic_s()
        if self._lost_at_s is not None:
            self._sure_at_s = now_s + STRANGERS_S
        self._beat(now_s, is_resumed=True)
        self.recording.restored()
        for peer in self.peers.all():
            peer.heard_at_s = now_s
            peer.ask(peer.position, secrets.token_hex(8), now_s)
            self._question(peer, now_s)

    def _receive(self, channel: str, message: Message, stamp: Stamp | None) -> None:
        now_s = self.clock.monotonic_s()
        peer = self.peers.get(message.origin) or self._meet(message.origin, now_s)
        if peer is None:
            self.traffic.ignored["too many nodes"] += 1
            return
        if not peer.is_up:
            self._challenge(peer, message, now_s)
        else:
            peer.heard_at_s = now_s
        match message.kind:
            case Kind.RESEND:
                self._resend(peer, unpack(message.body, since=int, nonce=str))
            case Kind.REPLAY:
                self._replayed(peer, unpack_replay(message.body), now_s)
            case _ if not peer.is_up:
                self.traffic.ignored["stranger"] += 1
            case Kind.HEARTBEAT:
                self._beaten(peer, message, now_s)
            case Kind.GOODBYE:
                self._down(peer)
                peer.blur()
            case _:
                self._numbered(peer, channel, message, stamp, now_s)

    def _meet(self, origin: bytes, now_s: float) -> Peer | None:
        if not self.peers.is_company:
            self._journal.skip()  # what was said to nobody is not kept
        return self.peers.meet(origin, now_s)

    def _challenge(self, peer: Peer, message: Message, now_s: float) -> None:
        """It says that it lives; let it prove that, and tell what came since we knew it last."""
        if peer.question is None and message.kind is not Kind.GOODBYE:
            since = message.number - (message.kind not in UNNUMBERED)
            if not peer.is_confirmed and now_s < self._sure_at_s:
                since = 0  # it began while we were away: all that it has said is news
            if not peer.is_confirmed:
                peer.position = peer.latest = since
            peer.ask(peer.position, secrets.token_hex(8), now_s)
            self._question(peer, now_s)

    def _numbered(self, peer: Peer, channel: str, message: Message, stamp: Stamp | None, now_s: float) -> None:
        content = content_of(message.kind, message.body)
        heard = Heard(message.kind, content, message.body, channel, message.origin, message.number, stamp)
        hearer = self.hearer(message.kind, content)
        also = () if hearer is None else hearer.channels_of(content)
        others = [each for each in also if each != channel and each in self._channels]
        match peer.take(channel, message, others, secrets.token_hex(8), now_s):
            case Verdict.TAKE:
                self.traffic.heard += 1
                self._do(hearer, heard)
            case Verdict.ASK:
                self.traffic.gaps += 1
                self._question(peer, now_s)
            case Verdict.IGNORE:
                self.traffic.ignored["heard before" if peer.question is None else "asked for"] += 1

    def _do(self, hearer: Hearer | None, heard: Heard) -> None:
        try:
            self._carry_out(hearer, heard)
        except MessageError:
            raise
        except Exception as error:  # of the application's; what else was said must be heard nevertheless
            self.traffic.failed += 1
            log.error("What another server said could not be done", kind=heard.kind.name, exc_info=error)

    def _carry_out(self, hearer: Hearer | None, heard: Heard) -> None:
        if heard.kind is Kind.RESPONSE:
            told = heard.content
            if isinstance(told, dict) and isinstance(request := told.get("request"), str):
                self.requests.answered(request, heard.origin, told.get("answer"))
        elif hearer is not None:
            hearer.hear(heard)

    def _beaten(self, peer: Peer, message: Message, now_s: float) -> None:
        beat = unpack_beat(message.number, message.body)
        if peer.check(beat, self.listens, secrets.token_hex(8), now_s):
            self.traffic.gaps += not beat.is_resumed
            self._question(peer, now_s)

    # -- what was missed -----------------------------------------------------------------------------------------

    def _question(self, peer: Peer, now_s: float) -> None:
        if peer.question is not None:
            peer.question.asked_at_s = now_s
            body = pack({"since": peer.question.since, "nonce": peer.question.nonce})
            self._tell(self.channel_of(peer.origin), Kind.RESEND, body)

    def _resend(self, peer: Peer, asked: dict[str, Any]) -> None:
        """A part of the answer; he asks for the next one when he has this, so the line is free for others."""
        since, journal = asked["since"], self._journal
        is_lost = not journal.is_whole_since(since)
        self.traffic.unsayable += is_lost and peer.is_confirmed
        said: list[Said] = []
        size = 0
        is_last = True
        for each in journal.since(since):
            size += len(each.body)
            if said and size > REPLAY_BYTES:
                is_last = False
                break
            said.append(each)
        upto = journal.number if is_last else said[-1].number
        self.traffic.said_again += len(said)
        replay = Replay(asked["nonce"], since, upto, is_last, is_lost, said)
        self._tell(self.channel_of(peer.origin), Kind.REPLAY, pack_replay(replay))

    def _replayed(self, peer: Peer, replay: Replay, now_s: float) -> None:
        was_up, was_confirmed = peer.is_up, peer.is_confirmed
        new = peer.answered(replay, self.listens, now_s)
        if new is None:
            self.traffic.ignored["heard before"] += 1
            return
        for number, kind, channels, body in new:
            # What was said before in this answer may have ended our interest in what comes behind it.
            if (channel := next(filter(self.listens, channels), None)) is not None:
                self.traffic.heard_late += 1
                with suppress(MessageError):
                    content = content_of(kind, body)
                    self._do(self.hearer(kind, content), Heard(kind, content, body, channel, peer.origin, number))
        if was_confirmed and (replay.is_lost or peer.is_blurred):
            self._lose(peer)
        peer.is_blurred = False
        if not was_up:
            self._up(peer)
        self._question(peer, now_s)

    def _lose(self, peer: Peer) -> None:
        self.traffic.losses += 1
        log.warning("Another server said things that cannot be had any more", node=peer.origin.hex())
        for told in self.on_lost:
            told(peer)

    # -- who is there --------------------------------------------------------------------------------------------

    def _up(self, peer: Peer) -> None:
        log.info("Another server is there", node=peer.origin.hex())
        for told in self.on_up:
            told(peer)

    def _down(self, peer: Peer) -> None:
        if not peer.is_confirmed:
            self.peers.forget(peer)
            return
        was_up, was_asked = peer.is_up, peer.question is not None
        peer.is_up, peer.question = False, None
        if was_up:
            log.info("Another server is gone", node=peer.origin.hex())
            self.requests.gone(peer.origin)
            for told in self.on_down:
                told(peer)
            if was_asked:
                self._lose(peer)
