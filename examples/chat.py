"""A chat room for the stock socket.io-client, under any ASGI server.

Run it: uvicorn examples.chat:app   In a browser or Node: io("http://localhost:8000", { auth: { name: "Ada" } })
"""

from typing import Any

from steinmetz.realtime import ConnectError, RealtimeApp, Server, Socket

io = Server()


@io.use
async def introduce(socket: Socket) -> None:
    name = socket.handshake.auth.get("name") if isinstance(socket.handshake.auth, dict) else None
    if not isinstance(name, str) or not name:
        raise ConnectError("Say who you are: auth: { name }")
    socket.data["name"] = name
    socket.join("chat-room")


@io.on("chat:message")
async def message(socket: Socket, text: Any) -> dict[str, Any]:
    if not isinstance(text, str) or not text.strip():
        return {"ok": False, "error": {"code": "empty", "message": "There is nothing to say."}}
    io.to("chat-room").emit("chat:message", {"user": socket.data["name"], "text": text[:2000]})
    return {"ok": True}


@io.on("chat:typing")
def typing(socket: Socket, *_anything: Any) -> None:
    socket.volatile.to("chat-room").emit("chat:typing", {"user": socket.data["name"]})


app = RealtimeApp(io)
