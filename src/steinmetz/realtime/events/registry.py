"""The typed events of one namespace: those that its clients send, and those that the server does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.errors import EventError, InvalidAckError, PayloadError
from steinmetz.realtime.events.event import Event

if TYPE_CHECKING:
    from steinmetz.realtime.server.statistics import Statistics

log = structlog.get_logger("steinmetz.realtime")


class Registry:
    """What comes in is checked before the handler sees it; what goes out before it is encoded.

    An emission or answer that breaks its schema is counted, and logged once for each event. With ``is_strict`` it
    raises `PayloadError` in whoever makes it; else it goes out as it is: a wrong field is better than none at all.
    """

    def __init__(self, statistics: Statistics, *, is_strict: bool) -> None:
        self.is_strict = is_strict
        self.received: dict[str, Event] = {}
        self.sent: dict[str, Event] = {}
        self._statistics = statistics

    def declare(self, *events: Event) -> None:
        """The server sends ``events``: emissions by their names are checked, too.

        Raises `ValueError` for a second event of the same name.
        """
        for event in events:
            if self.sent.setdefault(event.name, event) is not event:
                raise ValueError(f'"{event.name}" is declared already, as another event')

    def receiver(self, event: Event, handler: Callable[..., Any], *, leading: int) -> Callable[..., Any]:
        """``handler`` behind the schema of ``event``; its first ``leading`` arguments are not the client's."""
        self.received[event.name] = event

        if inspect.iscoroutinefunction(handler):

            @wraps(handler)
            async def received_later(*args: Any) -> Any:
                payload = self._read(event, args[leading:])
                return self._answer(event, await handler(*args[:leading], *payload))

            return received_later

        @wraps(handler)
        def received(*args: Any) -> Any:
            payload = self._read(event, args[leading:])
            answer = handler(*args[:leading], *payload)
            return self._later(event, answer) if inspect.isawaitable(answer) else self._answer(event, answer)

        return received

    async def _later(self, event: Event, answer: Any) -> Any:
        return self._answer(event, await answer)

    def _read(self, event: Event, sent: Sequence[Any]) -> tuple[Any, ...]:
        try:
            return event.read(sent)
        except PayloadError as error:
            self._statistics.invalid_payloads[event.name] += 1
            self._statistics.refused["invalid"] += 1
            raise EventError("invalid", str(error), fields=error.flaws) from None

    def acknowledged(self, event: Event, answer: Any) -> Any:
        """What a client has acknowledged, as the schema reads it. Raises `InvalidAckError`."""
        try:
            return event.read_ack(answer)
        except PayloadError as error:
            self._statistics.invalid_payloads[event.name] += 1
            raise InvalidAckError(f'the acknowledgement of "{event.name}" breaks its schema: {error}') from None

    def _answer(self, event: Event, answer: Any) -> Any:
        try:
            return event.write_ack(answer)
        except PayloadError as error:
            self._broken(event, error, "acknowledgement")
            return answer

    def outgoing(self, event: str | Event, args: Sequence[Any], flags: Flags) -> tuple[str, Sequence[Any], Flags]:
        """Name, arguments and flags of an emission. Raises `PayloadError` if strict."""
        if isinstance(event, str):
            declared = self.sent.get(event)
            if declared is None:
                return event, args, flags
            event = declared
        try:
            args = event.write(args)
        except PayloadError as error:
            self._broken(event, error, "emission")
        return event.name, args, event.flags(args, flags)

    def _broken(self, event: Event, error: PayloadError, what: str) -> None:
        self._statistics.broken_payloads[event.name] += 1
        if self._statistics.broken_payloads[event.name] == 1:
            log.error("An event breaks its own schema", event_name=event.name, what=what, flaw=str(error))
        if self.is_strict:
            raise PayloadError(error.flaws, f'this {what} of "{event.name}" breaks its schema') from None
