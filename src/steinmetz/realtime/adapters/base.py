"""The port between a namespace and whoever knows its rooms. It fits on a card; one server or many is its secret.

An adapter belongs to one namespace and is used on the event loop only. It holds *members*: sockets, as far as it
cares, are hashable things with an id. Every member is alone in a room named like its id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from steinmetz.realtime.engineio.packet import Outgoing

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


RELIABLE = Flags()


class Local(Protocol[Member_contra]):
    """What an adapter asks of the namespace it serves: to carry things out on members of this process."""

    def deliver(self, members: Sequence[Member_contra], outgoing: Outgoing, flags: Flags) -> None:
        """Send ``outgoing`` to each of ``members``."""

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

    def has_members(self, room: str) -> bool:
        """Whether anybody is in ``room``, wherever they are."""

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        """Send to all selected members, wherever they are."""

    async def fetch(self, selection: Selection) -> Sequence[Member]:
        """The selected members, or what stands for them when they are elsewhere."""

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        """Put all selected members into ``rooms``."""

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        """Take all selected members out of ``rooms``."""

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        """Disconnect all selected members."""
