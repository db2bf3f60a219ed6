"""What is said in a namespace, on its way from whoever says it to the clients of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import RELIABLE, Adapter, Flags, Selection, Unstamped
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.events.event import Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.server.delivery import Delivery
from steinmetz.realtime.server.listening import tell
from steinmetz.realtime.server.questions import Questions
from steinmetz.realtime.socketio.gathering import Gathering
from steinmetz.realtime.socketio.packet import RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.parser import Decoder, encode
from steinmetz.realtime.socketio.recovery import shield, without_offset

if TYPE_CHECKING:
    from steinmetz.realtime.server.recovery import Recovery
    from steinmetz.realtime.server.server import Server
    from steinmetz.realtime.server.socket import Socket


class Speaking:
    """As much of a namespace as those need who speak in it, and the adapter that carries what they say."""

    server: Server
    name: str
    adapter: Adapter[Socket]
    recovery: Recovery | None
    events: Registry
    delivery: Delivery
    watched: set[Socket]
    """The sockets with listeners for what is sent to them."""
    _questions: Questions

    def broadcast(self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags) -> None:
        """Encode here, in the caller's thread, so that the caller hears what is wrong with its data."""
        name, args, flags = self.events.outgoing(event, args, flags)
        outgoing = self._event(name, args, None)
        self.server.run_on_loop(self._broadcast, name, selection, outgoing, self._own(flags))

    def _own(self, flags: Flags) -> Flags:
        """A client may be in several namespaces, and what waits for it is one line."""
        return flags if flags.newest is None else replace(flags, newest=f"{self.name},{flags.newest}")

    def _broadcast(self, event: str, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        self.server.statistics.emitted(event)
        self.adapter.broadcast(selection, outgoing, flags)

    def send(self, socket: Socket, event: str | Event, args: Sequence[Any]) -> None:
        """To one socket of this process, in line behind the broadcasts before it."""
        name, args, flags = self.events.outgoing(event, args, RELIABLE)
        outgoing, flags = self._event(name, args, None), self._own(flags)
        if self.recovery is None:
            self.server.run_on_loop(self._send, name, (socket,), outgoing, flags)
        else:
            self.server.run_on_loop(self._broadcast, name, Selection(frozenset((socket.id,))), outgoing, flags)

    def say_to(
        self,
        sockets: Sequence[Socket],
        event: str | Event,
        *args: Any,
        newest: str | None = None,
        lagging: Callable[[], Any] | None = None,
    ) -> None:
        """Send ``event`` to ``sockets`` of this process, in line behind the broadcasts before it; on the loop
        only.

        For audiences that are no rooms: no other server hears of them, and who comes back is not told again. The
        same object ``sockets`` means the same members (`Delivery`). ``newest``: as `BroadcastOperator.newest`;
        with it, ``lagging`` makes the argument for those for whom something waits when their turn comes: at most
        once, and not before it is wanted.
        """
        policy = RELIABLE if newest is None else Flags(newest=newest)
        name, written, flags = self.events.outgoing(event, args, policy)
        if lagging is not None:
            flags = replace(flags, lagging=self._once(event, lagging, flags))
        self._send(name, sockets, self._unrecovered(name, written), self._own(flags))

    def _once(self, event: str | Event, argument: Callable[[], Any], flags: Flags) -> Callable[[], Outgoing]:
        """The same event with another argument, encoded when it is wanted first."""

        @cache
        def made() -> Outgoing:
            name, written, _ = self.events.outgoing(event, (argument(),), flags)
            outgoing = self._unrecovered(name, written)
            outgoing.is_compressible = flags.compress
            return outgoing

        return made

    def _unrecovered(self, event: str, args: Sequence[Any]) -> Outgoing:
        outgoing = self._event(event, args, None)
        return outgoing if self.recovery is None else shield(outgoing)

    def request(self, socket: Socket, event: str | Event, args: Sequence[Any], ack_id: int) -> None:
        """An event that wants an acknowledgement: whatever its policy, it is not dropped."""
        name, args, _ = self.events.outgoing(event, args, RELIABLE)
        self.adapter.catch_up(socket.id)
        self._send(name, (socket,), self._event(name, args, ack_id), RELIABLE)

    def _send(self, event: str, sockets: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
        self.server.statistics.emitted(event)
        self.deliver(sockets, outgoing, flags)

    async def question(
        self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags, timeout_s: float
    ) -> list[Any]:
        """A broadcast that wants an acknowledgement from each: whatever its policy, it is not dropped.

        See `BroadcastOperator.emit_with_ack`.
        """
        name, args, _ = self.events.outgoing(event, args, flags)

        def send(gathering: Gathering) -> None:
            outgoing = self._event(name, args, gathering.ack_id)
            self.server.statistics.emitted(name)
            self.adapter.broadcast_with_ack(selection, outgoing, self._own(flags), gathering)

        answers = await self._questions.ask(send, timeout_s)
        return answers if isinstance(event, str) else [self.events.acknowledged(event, one) for one in answers]

    def _event(self, event: str, args: Sequence[Any], ack_id: int | None) -> Outgoing:
        if event in RESERVED_EVENTS:
            raise ValueError(f'"{event}" is a reserved name; choose another for your event')
        return encode(Packet(PacketType.EVENT, self.name, [event, *args], ack_id))

    # -- what the adapter asks for (adapters.base.Local) --------------------------------------------------------

    def deliver(
        self,
        members: Sequence[Socket],
        outgoing: Outgoing,
        flags: Flags,
        position: int | Unstamped | None = None,
    ) -> None:
        if position is not None and self.recovery is not None:
            members, plain = self.recovery.split(self.recovery.unheard(members, position))
            if plain:
                self.deliver(plain, without_offset(outgoing), flags)
            if self.watched:
                self._show(members, without_offset(outgoing))
        elif self.watched:
            self._show(members, outgoing)
        if members:
            self.delivery.send(members, outgoing, flags)

    def _show(self, members: Sequence[Socket], outgoing: Outgoing) -> None:
        """To the listeners of these sockets. Read from the bytes: those of another server have nothing else."""
        watching = [socket for socket in members if socket in self.watched]
        if watching:
            decoder = Decoder(outgoing.size)
            [packet] = [whole for part in outgoing.packets if (whole := decoder.feed(part.data)) is not None]
            for socket in watching:
                tell(socket.listeners_any_outgoing(), *packet.data)

    def ask(self, members: Sequence[Socket], outgoing: Outgoing, flags: Flags, gathering: Gathering) -> None:
        gathering.expect([socket.id for socket in members])
        self._questions.remember(gathering)
        self.deliver(members, outgoing, flags)

    def stop_asking(self, ack_id: int) -> None:
        self._questions.forget(ack_id)

    def acknowledge(self, socket: Socket, ack_id: int, answers: list[Any]) -> None:
        """``socket`` has acknowledged a broadcast."""
        self._questions.answered(socket.id, ack_id, answers)
