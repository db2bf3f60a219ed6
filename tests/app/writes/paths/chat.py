"""Channels and messages. Each reader's socket is in the rooms of the channels that he sees, as a screen's is."""

from __future__ import annotations

from tests.app.writes.house import House

CHANNELS = "/api/chat/channels"
HEARD = {"chat:message": "^/api/chat/messages"}


async def a_private_channel(house: House) -> str:
    """Of the clerk's: the id of the one that the others do not see, made if need be."""
    listed = (await house.clerk.get(CHANNELS, params={"limit": 500})).json()["data"]
    for channel in listed:
        if channel["isPrivate"] and channel["name"] == "Messe intern":
            return str(channel["id"])
    new = {"name": "Messe intern", "isPrivate": True}
    return str((await house.clerk.post(CHANNELS, json=new)).json()["data"]["id"])


async def paths(house: House) -> list[str]:
    private = await a_private_channel(house)
    for reader in house.readers:
        for channel in (await reader.http.get(CHANNELS, params={"limit": 500})).json()["data"]:
            if channel["id"] != "general":
                assert await reader.socket.call("room:join", {"room": channel["room"]}) == {"ok": True}
    return [
        CHANNELS,
        f"{CHANNELS}?archived=true",
        f"{CHANNELS}/general",
        f"{CHANNELS}/{private}",
        f"{CHANNELS}/{private}/members",
        f"{CHANNELS}/general/messages?limit=5",
        f"{CHANNELS}/{private}/messages",
        "/api/chat/people",
        "/api/chat/people?q=Hier",
        "/api/chat/messages?limit=5",
        "/api/chat/messages?q=Pr%C3%BCfstand",
    ]
