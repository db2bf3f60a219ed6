"""What the application does for the scenarios of `admin.mjs`."""

from __future__ import annotations

from steinmetz.realtime import ConnectError, Server, Socket

NAME, PASSWORD, SESSION = "operator", "right", "kept-by-the-ui"


def prepare(io: Server) -> None:
    io.instrument(authenticate, describe=lambda socket: {"user": socket.data.get("user")})


def authenticate(socket: Socket) -> str:
    shown = socket.handshake.auth
    if shown not in ({"username": NAME, "password": PASSWORD}, {"sessionId": SESSION}):
        raise ConnectError("invalid credentials")
    return SESSION
