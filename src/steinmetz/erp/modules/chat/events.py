"""Chat by socket: what clients say is written first and heard after the commit; that they type is only heard."""

from __future__ import annotations

from functools import partial

from steinmetz.clock import Clock
from steinmetz.erp.db import Database
from steinmetz.erp.errors import Forbidden, NotFound
from steinmetz.erp.kit.roles import Actor, Role, may_write
from steinmetz.erp.modules.chat import messages, rules, service
from steinmetz.erp.modules.chat.pace import Pace
from steinmetz.erp.modules.chat.schemas import (
    HERE,
    PRESENCE,
    SAY,
    TYPE,
    TYPING,
    HeardPresence,
    HeardTyping,
    MessageInput,
    Present,
    Said,
    Speaker,
    TypingInput,
)
from steinmetz.realtime import Server, Socket
from steinmetz.realtime.events import Done


class Conversation:
    """The three events of clients, and who may enter a channel's room. `attach` it after the gate."""

    def __init__(self, database: Database, pace: Pace, clock: Clock) -> None:
        self._database = database
        self._pace = pace
        self._clock = clock

    def attach(self, io: Server) -> None:
        io.on(SAY, self.say)
        io.on(TYPE, self.type)
        io.on(HERE, self.here)
        presence = io.track_presence(_user_of, rules.is_room)
        presence.on_change(partial(self._tell_presence, io))

    @staticmethod
    def _tell_presence(io: Server, room: str, user: str, is_there: bool) -> None:
        # Everybody is in the general room: all telling all of all would be a storm at each restart.
        if (channel := rules.channel_of(room)) is not None:
            io.to(room).local.emit(PRESENCE, HeardPresence(channel=channel, user_id=int(user), present=is_there))

    async def may_enter(self, actor: Actor, room: str) -> bool:
        """The policy for rooms that begin with `rules.ROOM_PREFIX`."""
        async with self._database.unit(actor=actor, writes=False) as unit:
            return await service.may_enter(unit, room)

    async def say(self, socket: Socket, message: MessageInput) -> Said:
        """``chat:message {channel, text, key?}``; acknowledged with the message once it is written.

        Raises `Problem`.
        """
        actor = _speaker(socket)
        self._pace.speak(actor.id, self._clock.monotonic_s())
        async with self._database.unit(actor=actor) as unit:
            view = await messages.say(unit, message)
        return Said(message=view)

    def here(self, socket: Socket, told: TypingInput) -> Present:
        """``chat:here {channel}``: who else has entered the channel's room, at any server. Raises `Problem`."""
        room = rules.room_of(told.channel)
        if room not in socket.rooms:
            raise NotFound("channel whose room you have joined:", told.channel)
        return Present(user_ids=sorted(map(int, socket.namespace.presence(room))))

    def type(self, socket: Socket, told: TypingInput) -> Done:
        """``chat:typing {channel}``, for those who have entered the channel's room. Raises `Problem`."""
        actor = _speaker(socket)
        channel = told.channel
        room = rules.room_of(channel)
        if room not in socket.rooms:
            raise NotFound("channel whose room you have joined:", channel)
        if self._pace.types(actor.id, channel, self._clock.monotonic_s()):
            others = socket.to(room).except_(rules.user_room(actor.id))
            others.emit(TYPING, HeardTyping(channel=channel, user=Speaker(id=actor.id, name=actor.name)))
        return {"ok": True}


def _speaker(socket: Socket) -> Actor:
    actor: Actor = socket.data["user"]
    if not may_write(actor.role, Role.CLERK):
        raise Forbidden(Role.CLERK, f"The role {actor.role} reads only; writing here needs the role clerk.")
    return actor


def _user_of(socket: Socket) -> str | None:
    user: Actor | None = socket.data.get("user")
    return None if user is None or user.id is None else str(user.id)
