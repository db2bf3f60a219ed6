"""What the application must do for `typed_events.mjs`: the same events by each kind of schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, Field

from steinmetz.realtime import Event, InvalidAckError, PayloadError, Server, Socket


class Say(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=20)]


class Said(BaseModel):
    ok: Literal[True] = True
    text: str


class Heard(TypedDict):
    text: str


@dataclass
class Picture:
    name: str
    data: bytes


SAY = Event("typed say", Say, ack=Said)
HEARD = Event("typed heard", Heard)
PICTURE = Event("typed picture", Picture, ack=Picture)
STOP = Event("typed stop", ack=bool)
QUESTION = Event("typed question", str, ack=int)


def prepare(io: Server) -> None:
    io.declare(HEARD, PICTURE, QUESTION)

    @io.on(SAY)
    async def say(socket: Socket, said: Say) -> Said:
        socket.emit(HEARD, {"text": said.text})
        return Said(text=said.text)

    @io.on(PICTURE)
    def picture(socket: Socket, sent: Picture) -> Picture:
        socket.emit(PICTURE, sent)
        return Picture(sent.name.upper(), sent.data[::-1])

    @io.on(STOP)
    def stop(_socket: Socket) -> bool:
        return True

    @io.on("typed emission")
    def emission(socket: Socket, text: Any) -> str:
        """By the event and by its name."""
        refused = []
        for event in (HEARD, "typed heard"):
            try:
                socket.emit(event, {"text": text})
            except PayloadError as error:
                refused.append(str(error))
        return " / ".join(refused)

    @io.on("typed ask me")
    async def ask(socket: Socket) -> Any:
        try:
            return await socket.emit_with_ack(QUESTION, "how many", timeout_s=5)
        except InvalidAckError as error:
            return str(error)
