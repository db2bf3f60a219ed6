"""Typed events: what each one carries, checked both ways, told to people and to TypeScript.

>>> SAY = Event("chat:message", Message, ack=Done)
>>> @io.on(SAY)
... async def say(socket, message):  # a Message
...     io.to("chat-room").emit(SAID, message)
...     return {"ok": True}
"""

from __future__ import annotations

from steinmetz.realtime.events.asyncapi import asyncapi
from steinmetz.realtime.events.event import EVERYBODY, Done, Event, Refusal
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.events.schema import Schema, schema_of
from steinmetz.realtime.events.typescript import typescript

__all__ = [
    "EVERYBODY",
    "Done",
    "Event",
    "Refusal",
    "Registry",
    "Schema",
    "asyncapi",
    "schema_of",
    "typescript",
]
