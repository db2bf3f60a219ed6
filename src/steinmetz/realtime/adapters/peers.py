"""What one node knows of the others: how far each was heard, what was missed, who is gone. Deciding code: no I/O.

A node numbers what it says; each message names its predecessor in its channel. So whoever listens to a channel
notices what did not come at the next message, or at the next heartbeat, which tells the last number of each
channel. What is missing is asked for from the last known number on, and until the answer has come nothing else of
that node is taken: the answer holds all of it, in order. A node that cannot say it again any more makes it a
*loss*, and a loss is told to the clients.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from steinmetz.realtime.adapters.messages import Beat, Replay, Said
from steinmetz.realtime.adapters.seal import Message

HEARTBEAT_S = 5.0
DOWN_S = 10.0
ASK_AGAIN_S = 0.5
BLUR_S = 60.0
TAG_LENGTH = 8
"""Characters that stand for a node in the ids of its sockets."""
COMPANY_S = 3_600.0
"""So long something is kept for a node that is gone; it may only be cut off."""
MAX_PEERS = 256
"""Nodes that are known, the gone ones included: those are remembered so that their words are not taken twice."""


class Verdict(Enum):
    TAKE = auto()
    """Do what it says."""
    IGNORE = auto()
    ASK = auto()
    """Something before it is missing: send `Peer.question`."""


@dataclass(slots=True)
class Question:
    """`Kind.RESEND`: say again what came after ``since``.

    In a channel in which nothing was heard before, only what came after ``floor`` is for us, or after ``latest``
    if we have listened to it for a moment only.
    """

    since: int
    floor: int
    latest: int
    nonce: str
    asked_at_s: float


@dataclass(slots=True)
class Peer:
    """One other node. ``origin`` is drawn at its start, so a process that was started again is another peer."""

    origin: bytes
    heard_at_s: float
    is_confirmed: bool = False
    """It has answered a question of ours, so it lives: nobody repeats what it said long ago."""
    is_up: bool = False
    position: int = 0
    """Everything up to this number was heard for certain, as far as it is for us."""
    latest: int = 0
    """The highest number that was heard of, in whatever channel."""
    question: Question | None = None
    heard: dict[str, int] = field(default_factory=dict)
    """The last number in each channel that we listen to and in which something was said."""
    fresh: set[str] = field(default_factory=set)
    """Channels to which we have listened since its last heartbeat only."""
    unheard: int = 0
    """The highest number in the channels that we have left."""
    is_blurred: bool = False
    """What was heard of it is not known exactly any more."""

    def ask(self, since: int, nonce: str, now_s: float) -> Question:
        """What is missing begins after ``since``, or before that in a channel in which nothing came since."""
        since = min(since, self.position)
        if self.question is None or since < self.question.since:
            self.question = Question(since, self.position, self.latest, nonce, now_s)
        return self.question

    def take(self, channel: str, message: Message, others: Iterable[str], nonce: str, now_s: float) -> Verdict:
        """Judge a numbered message. ``others``: the other channels of ours to which it was said as well."""
        number = message.number
        if self.question is not None:
            return Verdict.IGNORE
        known = self.heard.get(channel)
        if number <= (self.unheard if known is None else known):
            return Verdict.IGNORE
        if known is None:
            known = message.previous if channel in self.fresh else self.position
        if message.previous > known:
            self.ask(known, nonce, now_s)
            return Verdict.ASK
        was_heard = any(self.heard.get(other, 0) >= number for other in others)
        self.heard[channel] = number
        if number > self.latest:
            self.latest = number
        return Verdict.IGNORE if was_heard else Verdict.TAKE

    def check(self, beat: Beat, ours: Callable[[str], bool], nonce: str, now_s: float) -> bool:
        """A heartbeat: whether anything in channels of ``ours`` is missing; then `question` is to be sent."""
        if self.question is not None:
            return False
        since = None if beat.since <= self.position and not beat.is_resumed else self.position
        for channel in filter(ours, beat.tails):
            known = self.heard.get(channel, self.latest if channel in self.fresh else self.position)
            if known < beat.tails[channel]:
                since = known if since is None else min(since, known)
        if since is not None:
            self.ask(since, nonce, now_s)
            return True
        self._certain(beat.number)
        return False

    def _certain(self, number: int) -> None:
        self.position = max(self.position, number)
        self.latest = max(self.latest, number)
        self.fresh.clear()

    def answered(self, replay: Replay, ours: Callable[[str], bool], now_s: float) -> list[Said] | None:
        """A part of the answer: what of it is new and in channels of ``ours``; None if nobody asked for it."""
        question = self.question
        if question is None or replay.nonce != question.nonce or replay.since != question.since:
            return None
        new = [said for said in replay.said if self._is_new(said, question, ours)]
        question.since, question.asked_at_s = replay.upto, now_s
        self.heard_at_s = now_s
        self.is_confirmed = self.is_up = True
        if replay.is_last:
            self.question = None
            self._certain(replay.upto)
        return new

    def _is_new(self, said: Said, question: Question, ours: Callable[[str], bool]) -> bool:
        is_new = was_heard = False
        for channel in filter(ours, said.channels):
            known = self.heard.get(channel)
            if known is None:
                floor = question.latest if channel in self.fresh else question.floor
                is_ours = said.number > max(floor, self.unheard)
            else:
                is_ours = said.number > known
                was_heard = was_heard or not is_ours
            if is_ours:
                self.heard[channel] = said.number
                is_new = True
        return is_new and not was_heard

    def forget_channel(self, channel: str) -> None:
        """We listen to it no more."""
        self.unheard = max(self.unheard, self.heard.pop(channel, 0))
        self.fresh.discard(channel)

    def is_due(self, now_s: float) -> bool:
        """Whether the question is to be sent again."""
        return self.question is not None and now_s - self.question.asked_at_s >= ASK_AGAIN_S

    def is_down(self, now_s: float) -> bool:
        return now_s - self.heard_at_s > DOWN_S

    def blur(self) -> None:
        """It has been gone for long: what was heard of it becomes one number. If it comes back it is a loss."""
        self.is_blurred = self.is_blurred or bool(self.heard)
        self.unheard = self.position = max(self.position, self.latest)
        self.heard.clear()
        self.fresh.clear()


class Peers:
    """Bound: `MAX_PEERS`; the one that was heard longest ago gives way to a new one, if it is down."""

    def __init__(self) -> None:
        self._known: dict[bytes, Peer] = {}
        self._tags: dict[str, Peer] = {}
        self.is_company = False
        """Whether there is, or was lately, another node that may want to hear what is said."""

    def get(self, origin: bytes) -> Peer | None:
        return self._known.get(origin)

    def meet(self, origin: bytes, now_s: float) -> Peer | None:
        """A node that nobody has heard of; None if there are too many already."""
        if len(self._known) >= MAX_PEERS:
            oldest = min(self._known.values(), key=lambda peer: peer.heard_at_s)
            if oldest.is_up or not oldest.is_down(now_s):
                return None
            self.forget(oldest)
        peer = self._known[origin] = self._tags[tag_of(origin)] = Peer(origin, now_s)
        self.is_company = True
        return peer

    def tagged(self, tag: str) -> Peer | None:
        """The node whose sockets have ids that begin with ``tag``, be it up or not."""
        return self._tags.get(tag)

    def all(self) -> list[Peer]:
        return list(self._known.values())

    def up(self) -> list[Peer]:
        """Those who have proven that they live, and were heard lately."""
        return [peer for peer in self._known.values() if peer.is_up]

    @property
    def is_any_asked(self) -> bool:
        """Whether something of any of them is missing, or may be."""
        return any(peer.question is not None for peer in self._known.values())

    def forget(self, peer: Peer) -> None:
        self._known.pop(peer.origin, None)
        self._tags.pop(tag_of(peer.origin), None)

    def look(self, now_s: float) -> None:
        """Find out whether there still `is_company`."""
        self.is_company = any(now_s - peer.heard_at_s < COMPANY_S for peer in self._known.values())

    def listened(self, channel: str) -> None:
        """We listen to ``channel`` from now on.

        Of a node that is gone, and all of whose words are known or given up, that says nothing: who comes and goes
        here for hours must not be remembered once for each server that there ever was.
        """
        for peer in self._known.values():
            if peer.is_up or peer.latest > peer.position:
                peer.fresh.add(channel)

    def forget_channel(self, channel: str) -> None:
        for peer in self._known.values():
            peer.forget_channel(channel)


def tag_of(origin: bytes) -> str:
    """What the ids of sockets of a node begin with: `TAG_LENGTH` characters, the first of all ids before them."""
    return "-" + urlsafe_b64encode(origin[:6]).decode()[1:]
