"""The port between a namespace and whoever knows its rooms. It fits on a card; one server or many is its secret.

An adapter belongs to one namespace and is used on the event loop only. It holds *members*: sockets, as far as it
cares, are hashable things with an id. Every member is alone in a room named like its id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.socketio.gathering import Gathering
from steinmetz.realtime.socketio.recovery import Entry, History

Member = TypeVar("Member")
Member_contra = TypeVar("Member_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Selection:
    """Members of any of ``rooms`` (none named: of the namespace) that are in none of ``except_rooms``."""

    rooms: frozenset[str] = frozenset()
    except_rooms: frozenset[str] = frozenset()
    is_local: bool = False
    """Only members that are connected to this very process."""


EVERYBODY = Selection()


@dataclass(frozen=True, slots=True)
class Flags:
    """How an emission is to be treated on its way to each client."""

    volatile: bool = False
    """May be dropped for a client that is not ready to receive."""

    newest: str | None = None
    """Of what still waits for a client under this key, only the newest stays."""

    compress: bool = True
    """May be deflated, where a client has agreed to that."""

    lagging: Callable[[], Outgoing] | None = None
    """Made for somebody for whom something still waits: he gets it, under ``newest``, in the place of the
    emission. It stays within the process."""


RELIABLE = Flags()


class Unstamped(NamedTuple):
    """Instead of a position: a recoverable emission is told before that is known, or out of its order.

    ``node`` counts what it records; ``number`` is this one's, `NEVER` if it is recorded nowhere.
    """

    node: str
    number: int


NEVER = 1 << 62


def is_recoverable(flags: Flags) -> bool:
    """Whether an emission has a position and an offset, where connection state recovery is on."""
    return not flags.volatile and flags.newest is None


@dataclass(frozen=True, slots=True)
class SocketDetails:
    """What one server tells another about a socket of its own. No credential is in it."""

    id: str
    handshake: Mapping[str, Any]
    """As `Handshake.details` says it."""
    rooms: frozenset[str]
    """With the one named like its id."""
    data: Mapping[str, Any]


class Local(Protocol[Member_contra]):
    """What an adapter asks of the namespace it serves: to carry things out on members of this process."""

    def deliver(
        self,
        members: Sequence[Member_contra],
        outgoing: Outgoing,
        flags: Flags,
        position: int | Unstamped | None = None,
    ) -> None:
        """Send ``outgoing`` to each of ``members``.

        ``position``: of a recoverable emission, whose offset is in ``outgoing`` already. With it, members that
        have been told this emission by a replay do not hear it twice.
        """

    def ask(
        self, members: Sequence[Member_contra], outgoing: Outgoing, flags: Flags, gathering: Gathering
    ) -> None:
        """Send ``outgoing``, which carries ``gathering.ack_id``, to each of ``members``, and say whom it asks.

        Answers and disconnections of these are told to ``gathering`` until it is settled, or `stop_asking`.
        """

    def stop_asking(self, ack_id: int) -> None:
        """Nobody waits for these answers any more."""

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        """Another server has emitted ``event`` to the servers; what this one's handler answers."""

    def note_removal(self) -> None:
        """Some members are being sent away or taken out of rooms, here or by another node.

        Whoever is being asked about at this moment (may he come in, may he join that room?) was perhaps meant but
        is not there yet: the question is put again. To be called for each `Adapter.disconnect_all` and
        `Adapter.leave_all` that this node carries out, whichever node began it.
        """

    def drop(self, members: Sequence[Member_contra], *, close: bool) -> None:
        """Disconnect ``members`` from the namespace, or (``close``) their whole transports."""


class Adapter(Protocol[Member]):
    def add(self, sid: str, member: Member) -> None:
        """A member is here."""

    def remove(self, sid: str) -> None:
        """It is gone, and out of all its rooms."""

    def join(self, sid: str, room: str) -> None:
        """Put a member into a room; unknown ids are ignored."""

    def leave(self, sid: str, room: str) -> None:
        """Take it out again."""

    def rooms_of(self, sid: str) -> Collection[str]:
        """The rooms of a member of this process, without the room of its own."""

    def rooms(self) -> Iterable[str]:
        """The rooms of this process, without the members' own."""

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether anybody may be in ``room``, wherever they are; exactly so of this process (``here``)."""

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        """Send to all selected members, wherever they are."""

    def broadcast_with_ack(
        self, selection: Selection, outgoing: Outgoing, flags: Flags, gathering: Gathering
    ) -> None:
        """The same, with an acknowledgement from each; ``outgoing`` carries ``gathering.ack_id``.

        Calls `Gathering.await_nodes` before it returns if others will be asked elsewhere, and `Gathering.check`
        last.
        """

    def server_side_emit(self, event: str, args: Sequence[Any]) -> None:
        """Tell the other servers."""

    async def server_side_emit_with_ack(self, event: str, args: Sequence[Any], timeout_s: float) -> list[Any]:
        """Ask the other servers; an answer from each. Raises `AckTimeoutError`."""

    async def fetch(self, selection: Selection) -> Sequence[Member | SocketDetails]:
        """The selected members, or what is known of them when they are elsewhere."""

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        """Put all selected members into ``rooms``."""

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        """Take all selected members out of ``rooms``."""

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        """Disconnect all selected members."""

    def catch_up(self, sid: str) -> None:
        """Let the member ``sid`` have now what has been said to it: something else is said to it next."""

    def close(self) -> None:
        """The namespace has ended, and has no members any more."""

    async def let_go(self, sid: str) -> bool:
        """Ask every other process that may have the member ``sid`` to let go of it, as `Local` does here.

        False if its client is there and answers; True once nobody has it, or whoever had it does not answer.
        """

    async def listen(self, rooms: Collection[str]) -> None:
        """Wait until emissions to ``rooms`` arrive here for certain: somebody may be put into them next.

        Raises `OSError` if that cannot be.
        """

    @property
    def is_recording(self) -> bool:
        """Whether everything that may be recovered is kept in the log of the namespace, and has arrived here."""

    @property
    def position(self) -> int:
        """Of the newest recoverable emission that was delivered here; 0 if recovery is off."""

    @property
    def disorder(self) -> int:
        """How often something that may be recovered was told here out of its place: `position` says nothing of it.

        Who was not there while this changed may lack it, though it stands behind what was read for him.
        """

    def told_behind(self, position: int) -> Sequence[Entry] | None:
        """What arrived here in its place behind ``position``, in order, events with their offsets.

        None if that is not known any more.
        """

    def history(self, sid: str) -> History:
        """The rooms of a member of this process, and since when."""

    def restore(self, sid: str, history: History) -> None:
        """Put a member that has just been added where it was."""
