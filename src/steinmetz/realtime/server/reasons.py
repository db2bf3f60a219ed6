"""Why a socket was disconnected, in Socket.IO's own words (docs: "disconnect" event, server side)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    TRANSPORT_ERROR = "transport error"
    TRANSPORT_CLOSE = "transport close"
    FORCED_CLOSE = "forced close"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    SERVER_SHUTTING_DOWN = "server shutting down"
    FORCED_SERVER_CLOSE = "forced server close"
    CLIENT_NAMESPACE_DISCONNECT = "client namespace disconnect"
    SERVER_NAMESPACE_DISCONNECT = "server namespace disconnect"

    def because(self, details: str) -> DisconnectReason:
        """The same, and what exactly happened; ``details`` quote no data of a client."""
        return DisconnectReason(self.value, details)


class DisconnectReason(str):
    """What "disconnect" handlers get: one of `Reason`, and in ``details`` more about it, if there is more."""

    __slots__ = ("details",)

    details: str | None

    def __new__(cls, reason: str, details: str | None = None) -> DisconnectReason:
        self = super().__new__(cls, reason)
        self.details = details
        return self


_ALONE = {reason.value: DisconnectReason(reason.value) for reason in Reason}


def in_full(reason: str) -> DisconnectReason:
    """``reason`` for a handler; thousands may go at once, so those without details are made once."""
    return reason if isinstance(reason, DisconnectReason) else _ALONE.get(reason) or DisconnectReason(reason)
