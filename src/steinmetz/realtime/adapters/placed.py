"""The members of one process where a log that all processes share gives the positions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from steinmetz.realtime.adapters.base import Flags, Local, Member, Selection, Unstamped
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.recent import Recent
from steinmetz.realtime.engineio.packet import Outgoing, Packet
from steinmetz.realtime.recovery.base import SharedLog
from steinmetz.realtime.recovery.record import Stamp
from steinmetz.realtime.socketio.recovery import BLANK, Entry, History, Kind, shield, stamp


class PlacedAdapter(MemoryAdapter[Member]):
    """Bound: as `MemoryAdapter` and `Recent`, and an entry for each member that has just joined a room new to this
    process."""

    def __init__(self, local: Local[Member], log: SharedLog) -> None:
        super().__init__(local)
        self._shared = log
        self._newest = 0
        self._disorder = 0
        self._recent = Recent()
        self._unsettled: dict[str, bool] = {}
        """Members of rooms that are not heard for certain yet, and whether they were told anything meanwhile."""

    @property
    def is_recording(self) -> bool:
        return True

    @property
    def position(self) -> int:
        return self._newest

    @property
    def disorder(self) -> int:
        return self._disorder

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        """What is in no log."""
        super().broadcast(selection, shield(outgoing), flags)

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whoever is away may come back here."""
        return not here or super().has_members(room)

    def told_behind(self, position: int) -> Sequence[Entry] | None:
        found = self._recent.behind(position)
        return None if found is None else [self._with_offset(entry) for entry in found]

    def _with_offset(self, entry: Entry) -> Entry:
        if entry.kind is not Kind.EMIT:
            return entry
        return entry._replace(packets=stamp(entry.packets, self._shared.epoch.offset(entry.position)).packets)

    def arrived(self, place: Stamp | Unstamped, entry: Entry) -> None:
        """``entry`` has come here, with this position or out of order."""
        if isinstance(place, Stamp):
            self._shared.lives(place.life)
        if isinstance(place, Stamp) and place.position > self._newest:
            self._newest = place.position
            self._recent.add(place.life, entry._replace(position=place.position))
        else:
            self._disorder += 1

    def tell(
        self,
        selection: Selection,
        packets: Sequence[Packet],
        flags: Flags,
        place: Stamp | Unstamped,
        *,
        is_sure: bool,
        but: Collection[str] = (),
    ) -> None:
        """To the members of this process, with the offset of ``place``: `BLANK` without one, or if not sure."""
        members = self.select(selection)
        if but:
            members = tuple([self._members[sid] for sid in self.ids(selection) if sid not in but])
        if not members:
            return
        position = place.position if isinstance(place, Stamp) else place
        offset = self._shared.epoch.offset(position) if is_sure and isinstance(position, int) else BLANK
        blank: list[str] = []
        if self._unsettled:
            blank = [sid for sid in self.ids(selection) if sid in self._unsettled and sid not in but]
            self._unsettled.update(dict.fromkeys(blank, True))
        if blank and offset != BLANK:
            self._local.deliver([self._members[sid] for sid in blank], stamp(packets, BLANK), flags, position)
            without = {*blank, *but}
            members = tuple([self._members[sid] for sid in self.ids(selection) if sid not in without])
        if members:
            self._local.deliver(members, stamp(packets, offset), flags, position)

    def tell_one(
        self, sid: str, selection: Selection, packets: Sequence[Packet], flags: Flags, place: Unstamped
    ) -> bool:
        """To the member ``sid`` out of order, if it is meant; whether it is."""
        rooms = {sid, *self.rooms_of(sid)}
        is_meant = not selection.rooms or not rooms.isdisjoint(selection.rooms)
        if not is_meant or not rooms.isdisjoint(selection.except_rooms) or sid not in self._members:
            return False
        self._local.deliver((self._members[sid],), stamp(packets, BLANK), flags, place)
        if sid in self._unsettled:
            self._unsettled[sid] = True
        return True

    # -- rooms that are new to this process ----------------------------------------------------------------------

    def remove(self, sid: str) -> None:
        self._unsettled.pop(sid, None)
        super().remove(sid)

    def unsettle(self, sid: str) -> None:
        """The member is in a room that this process does not hear for certain yet."""
        if sid in self._members:
            self._unsettled.setdefault(sid, False)

    def settle(self, sid: str, rooms: Collection[str], position: int, *, wholly: bool) -> None:
        """All that comes behind ``position`` in ``rooms`` will be heard. What came before was not for the member.

        ``wholly``: it is in no other room that is not heard for certain. If it was told anything meanwhile, who
        comes back must name something newer.
        """
        if sid not in self._unsettled:
            return
        joined = self._rooms_of.get(sid, {})
        for room in rooms:
            if room in joined:
                joined[room] = max(joined[room], position)
        if self._unsettled[sid]:
            known = self._left.get(sid) or History()
            self._left[sid] = History({}, known.left, max(known.whole_from, position))
        if wholly:
            del self._unsettled[sid]
        if self.on_change is not None:
            self.on_change(sid)
