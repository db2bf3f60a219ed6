"""Channels and messages over HTTP and sockets, with several people side by side, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Publication
from steinmetz.erp.kit.announcements import Announcement, Departure
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.realtime.testing import connect
from tests.app.people import Arrive, Person, data, problem

pytestmark = pytest.mark.anyio

CHANNELS = "/api/chat/channels"
MESSAGES = "/api/chat/messages"
GENERAL = f"{CHANNELS}/general"
MESSAGE = "chat:message"


async def say(person: Person, channel: str, text: str, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = await data(
        person.http.post(f"{CHANNELS}/{channel}/messages", json={"text": text, **more}), 201
    )
    return said


async def opened_by(person: Person, name: str, **more: Any) -> dict[str, Any]:
    opened: dict[str, Any] = await data(person.http.post(CHANNELS, json={"name": name, **more}), 201)
    return opened


async def row_of(person: Person, channel: str) -> dict[str, Any]:
    """The channel as the person has it before him."""
    row: dict[str, Any] = await data(person.http.get(f"{CHANNELS}/{channel}"))
    return row


async def texts(person: Person, path: str = MESSAGES, **query: Any) -> list[str]:
    return [each["text"] for each in await data(person.http.get(path, params=query))]


class TestChannels:
    @pytest.mark.both_databases
    async def test_general_is_there_for_everybody(self, arrive: Arrive, engine_name: str) -> None:
        for role in Role:
            person = await arrive(role)
            (general,) = await data(person.http.get(CHANNELS))
            assert (general["id"], general["room"], general["isPrivate"]) == ("general", "chat-room", False)
            assert (general["unread"], general["lastMessage"]) == (0, None)

    @pytest.mark.both_databases
    async def test_a_new_channel_has_a_lasting_id_and_a_room_of_its_own(
        self, arrive: Arrive, engine_name: str
    ) -> None:
        clerk, manager = await arrive("clerk"), await arrive("manager")
        opened = await opened_by(clerk, "Vertrieb Süd", topic="Angebote")
        assert (opened["id"], opened["room"]) == ("vertrieb-sued", "chat-room:vertrieb-sued")
        assert opened["ownerId"] == clerk.id
        renamed = await data(
            manager.http.patch(f"{CHANNELS}/vertrieb-sued", json={"version": 1, "name": "Vertrieb Bayern"})
        )
        assert (renamed["id"], renamed["name"], renamed["version"]) == ("vertrieb-sued", "Vertrieb Bayern", 2)
        again = await opened_by(clerk, "Vertrieb Süd")
        assert again["id"] == "vertrieb-sued-2"
        stale = await problem(
            clerk.http.patch(f"{CHANNELS}/vertrieb-sued", json={"version": 1, "topic": "x"}), 409
        )
        assert stale["current"]["name"] == "Vertrieb Bayern"

    @pytest.mark.both_databases
    async def test_names_are_unique(self, arrive: Arrive, engine_name: str) -> None:
        clerk = await arrive("clerk")
        await opened_by(clerk, "Lager")
        for same in ("Lager", " lager ", "LAGER"):
            taken = await problem(clerk.http.post(CHANNELS, json={"name": same}), 409)
            assert taken["current"]["id"] == "lager"
        await opened_by(clerk, "Versand")
        await problem(clerk.http.patch(f"{CHANNELS}/versand", json={"version": 1, "name": "Lager"}), 409)
        both = await asyncio.gather(*(clerk.http.post(CHANNELS, json={"name": "Messe"}) for _ in range(4)))
        assert sorted(answer.status_code for answer in both) == [201, 409, 409, 409]

    async def test_only_owner_and_manager_administer_it(self, arrive: Arrive) -> None:
        owner, other, manager = await arrive("clerk"), await arrive("clerk", "Ben"), await arrive("manager")
        await opened_by(owner, "Einkauf")
        change = {"version": 1, "topic": "Stahl"}
        refused = await problem(other.http.patch(f"{CHANNELS}/einkauf", json=change), 403)
        assert refused["neededRole"] == "manager"
        await problem(other.http.post(f"{CHANNELS}/einkauf/archive", json={"version": 1}), 403)
        await data(owner.http.patch(f"{CHANNELS}/einkauf", json=change))
        await data(manager.http.post(f"{CHANNELS}/einkauf/archive", json={"version": 2}))

    async def test_an_archived_channel_can_be_read_and_searched_only(self, arrive: Arrive) -> None:
        clerk = await arrive("clerk")
        await opened_by(clerk, "Umzug")
        said = await say(clerk, "umzug", "Die Kartons sind da.")
        archived = await data(clerk.http.post(f"{CHANNELS}/umzug/archive", json={"version": 1}))
        assert archived["archivedAt"] == "2026-03-02T09:00:00Z"
        assert [row["id"] for row in await data(clerk.http.get(CHANNELS))] == ["general"]
        assert [row["id"] for row in await data(clerk.http.get(CHANNELS, params={"archived": True}))] == ["umzug"]
        assert await texts(clerk, q="kartons") == ["Die Kartons sind da."]
        await problem(clerk.http.post(f"{CHANNELS}/umzug/messages", json={"text": "Noch da?"}), 409)
        await problem(clerk.http.patch(f"{MESSAGES}/{said['id']}", json={"version": 1, "text": "x"}), 409)
        await problem(clerk.http.post(f"{GENERAL}/archive", json={"version": 1}), 403)
        manager = await arrive("manager")
        await problem(manager.http.post(f"{GENERAL}/archive", json={"version": 1}), 409)

    async def test_channels_come_in_pages(self, arrive: Arrive) -> None:
        clerk = await arrive("clerk")
        for name in ("Alpha", "Beta", "Gamma"):
            await opened_by(clerk, name)
        first = (await clerk.http.get(CHANNELS, params={"limit": 3})).json()
        second = (await clerk.http.get(CHANNELS, params={"limit": 3, "cursor": first["page"]["next"]})).json()
        assert [row["id"] for row in first["data"] + second["data"]] == ["alpha", "beta", "gamma", "general"]
        assert (first["page"]["total"], second["page"]["next"]) == (4, None)

    async def test_the_auditor_reads_what_is_public_and_writes_nothing(self, arrive: Arrive) -> None:
        clerk, auditor = await arrive("clerk"), await arrive("auditor")
        said = await say(clerk, "general", "Guten Morgen")
        assert await texts(auditor) == ["Guten Morgen"]
        for attempt in (
            auditor.http.post(CHANNELS, json={"name": "Prüfung"}),
            auditor.http.post(f"{GENERAL}/messages", json={"text": "Hallo"}),
            auditor.http.post(f"{GENERAL}/read", json={"messageId": said["id"]}),
            auditor.http.delete(f"{MESSAGES}/{said['id']}"),
        ):
            await problem(attempt, 403)
        for event, payload in (("chat:message", {"text": "Hallo"}), ("chat:typing", {})):
            answer = await auditor.socket.call(event, {"channel": "general", **payload})
            assert answer["error"]["code"] == "forbidden"
        assert (await row_of(auditor, "general"))["unread"] == 0


class TestPresence:
    async def test_members_see_who_is_there(
        self, app: Application, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("steinmetz.realtime.presence.LINGER_S", 0.01)
        owner, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        channel = await opened_by(owner, "Vertrieb")
        for member in (owner, ben):
            assert await member.socket.call("room:join", {"room": channel["room"]}) == {"ok": True}
        here = await owner.socket.call("chat:here", {"channel": channel["id"]})
        assert here == {"ok": True, "userIds": sorted((owner.id, ben.id))}
        assert (await ben.socket.call("chat:here", {"channel": "general"}))["userIds"] == here["userIds"]
        await ben.socket.call("room:leave", {"room": channel["room"]})
        told = [(await owner.socket.heard("chat:presence"))[0] for _ in range(3)]
        assert told == [
            {"channel": channel["id"], "userId": user, "present": present}
            for user, present in ((owner.id, True), (ben.id, True), (ben.id, False))
        ]
        refused = await ben.socket.call("chat:here", {"channel": channel["id"]})
        assert refused["error"]["code"] == "not_found"


class TestPrivateChannels:
    @pytest.mark.both_databases
    async def test_do_not_exist_for_others(self, app: Application, arrive: Arrive, engine_name: str) -> None:
        owner, stranger = await arrive("clerk"), await arrive("clerk", "Ben")
        watchers = [stranger, await arrive("manager"), await arrive("admin"), await arrive("auditor")]
        private = await opened_by(owner, "Betriebsrat", topic="Tarifrunde", isPrivate=True)
        secret, room = private["id"], private["room"]
        assert "betriebsrat" not in secret
        assert room == f"chat-room:{secret}"
        assert await owner.socket.call("room:join", {"room": room}) == {"ok": True}
        said = await say(owner, secret, "Vertraulich: Forderung 6 Prozent")
        assert [heard["text"] for heard in owner.heard(MESSAGE)] == ["Vertraulich: Forderung 6 Prozent"]

        for watcher in watchers:
            http = watcher.http
            listed = (await http.get(CHANNELS)).json()
            assert [row["id"] for row in listed["data"]] == ["general"]
            assert (listed["unread"], listed["page"]["total"]) == (0, 1)
            assert (await http.get(MESSAGES)).json()["page"]["total"] == 0
            assert await texts(watcher, q="vertraulich") == []
            for attempt in (
                http.get(f"{CHANNELS}/{secret}"),
                http.get(f"{CHANNELS}/{secret}/messages"),
            ):
                await problem(attempt, 404)
            assert (await watcher.socket.call("room:join", {"room": room}))["error"]["code"] == "forbidden"
            assert watcher.heard(MESSAGE) == []
        for attempt in (
            stranger.http.post(f"{CHANNELS}/{secret}/messages", json={"text": "Hallo"}),
            stranger.http.post(MESSAGES, json={"channel": secret, "text": "Hallo"}),
            stranger.http.post(f"{CHANNELS}/{secret}/read", json={"messageId": said["id"]}),
            stranger.http.patch(f"{CHANNELS}/{secret}", json={"version": 1, "topic": "x"}),
            stranger.http.post(f"{CHANNELS}/{secret}/archive", json={"version": 1}),
            stranger.http.patch(f"{MESSAGES}/{said['id']}", json={"version": 1, "text": "x"}),
            stranger.http.delete(f"{MESSAGES}/{said['id']}"),
            stranger.http.get(f"{CHANNELS}/{secret}/members"),
            stranger.http.put(f"{CHANNELS}/{secret}/members/{stranger.id}"),
            stranger.http.delete(f"{CHANNELS}/{secret}/members/{owner.id}"),
        ):
            await problem(attempt, 404)
        for event in ("chat:message", "chat:typing"):
            payload = {"channel": secret} | ({"text": "Hallo"} if event == "chat:message" else {})
            assert (await stranger.socket.call(event, payload))["error"]["code"] == "not_found"
        # Even its name is free for others, and no list of rooms tells of it.
        assert (await opened_by(stranger, "Betriebsrat"))["id"] == "betriebsrat"
        stats = (await stranger.http.get("/api/ws/stats")).json()["stats"]
        assert "chat-room" in stats["rooms"]
        assert not any(secret in name for name in stats["rooms"])
        log = (await watchers[2].http.get("/api/audit", params={"entityId": secret})).json()
        assert log["page"]["total"] == 1
        assert "Betriebsrat" not in str(log)

    @pytest.mark.both_databases
    async def test_everybody_finds_by_name_whom_to_let_in_and_learns_nothing_else(
        self, arrive: Arrive, engine_name: str
    ) -> None:
        clerk, ben, admin = await arrive("clerk"), await arrive("clerk", "Ben"), await arrive("admin")
        await arrive("auditor")
        people = "/api/chat/people"
        listed = await data(clerk.http.get(people))
        assert all(each.keys() == {"id", "name"} for each in listed)
        names = [each["name"] for each in listed]
        assert names == sorted(names)
        assert {clerk.name, "Ben", admin.name} <= set(names)
        assert not any("Auditor" in name for name in names), "nobody lets an auditor in"
        assert await data(clerk.http.get(people, params={"q": " ben"})) == [{"id": ben.id, "name": "Ben"}]
        for unsaid in ("example.com", "_en", "%"):
            assert await data(clerk.http.get(people, params={"q": unsaid})) == []
        first = (await clerk.http.get(people, params={"limit": 2})).json()
        rest = await data(clerk.http.get(people, params={"cursor": first["page"]["next"]}))
        assert (first["data"] + rest, first["page"]["total"]) == (listed, len(listed))

        user = await data(admin.http.get(f"/api/users/{ben.id}"))
        await data(admin.http.post(f"/api/users/{ben.id}/disable", json={"version": user["version"]}))
        assert await data(clerk.http.get(people, params={"q": "ben"})) == []

    @pytest.mark.both_databases
    async def test_members_are_let_in_and_taken_out(
        self, app: Application, arrive: Arrive, engine_name: str, published: list[Publication]
    ) -> None:
        owner, ben, cem = await arrive("clerk"), await arrive("clerk", "Ben"), await arrive("clerk", "Cem")
        manager, auditor = await arrive("manager"), await arrive("auditor")
        secret = (await opened_by(owner, "Neubau", isPrivate=True))["id"]
        room, where = f"chat-room:{secret}", f"{CHANNELS}/{secret}/members"
        before = await say(owner, secret, "Das war vorher")

        assert (await data(owner.http.put(f"{where}/{ben.id}")))["name"] == "Ben"
        assert (await data(owner.http.put(f"{where}/{ben.id}")))["name"] == "Ben", "once more changes nothing"
        (told, _) = await asyncio.gather(ben.socket.heard("system:notification"), asyncio.sleep(0))
        assert "Neubau" in told[0]["message"]
        assert len(ben.heard("system:notification")) == 1
        assert (await row_of(ben, secret))["unread"] == 0, "what was said before he came is no news"
        assert await ben.socket.call("room:join", {"room": room}) == {"ok": True}
        await say(owner, secret, "Jetzt sind wir zu zweit")
        assert (await row_of(ben, secret))["unread"] == 1
        assert [heard["text"] for heard in ben.heard(MESSAGE)] == ["Jetzt sind wir zu zweit"]

        await problem(ben.http.put(f"{where}/{cem.id}"), 403)
        await problem(cem.http.put(f"{where}/{cem.id}"), 404)
        await problem(owner.http.put(f"{where}/{auditor.id}"), 422)
        await problem(owner.http.put(f"{where}/4711"), 404)
        await data(manager.http.put(f"{where}/{cem.id}"))
        listed = await data(ben.http.get(where))
        assert [member["name"] for member in listed] == [owner.name, "Ben", "Cem"]
        assert [member["name"] for member in await data(manager.http.get(where))] == [owner.name, "Ben", "Cem"]
        await problem(manager.http.get(f"{CHANNELS}/{secret}/messages"), 404)

        published.clear()
        await data(owner.http.delete(f"{where}/{ben.id}"))
        assert published == [Departure(f"user:{ben.id}", room)]
        await say(owner, secret, "Ben ist nicht mehr dabei")
        assert len(ben.heard(MESSAGE)) == 1, "his sockets left the room with the commit"
        for path in (f"{CHANNELS}/{secret}", f"{CHANNELS}/{secret}/messages", where):
            await problem(ben.http.get(path), 404)
        assert await texts(ben) == []
        assert (await ben.socket.call("room:join", {"room": room}))["error"]["code"] == "forbidden"
        assert (await ben.socket.call("chat:typing", {"channel": secret}))["error"]["code"] == "not_found"
        await problem(owner.http.delete(f"{where}/{ben.id}"), 404)

        await data(cem.http.delete(f"{where}/{cem.id}"))
        await problem(cem.http.get(f"{CHANNELS}/{secret}"), 404)
        assert before["id"] in [each["id"] for each in await data(owner.http.get(f"{CHANNELS}/{secret}/messages"))]
        await problem(owner.http.get(f"{GENERAL}/members"), 409)

    async def test_are_closed_to_a_member_who_becomes_auditor(self, arrive: Arrive) -> None:
        owner, ben, admin = await arrive("clerk"), await arrive("clerk", "Ben"), await arrive("admin")
        secret = (await opened_by(owner, "Neubau", isPrivate=True))["id"]
        await data(owner.http.put(f"{CHANNELS}/{secret}/members/{ben.id}"))
        await data(ben.http.get(f"{CHANNELS}/{secret}"))
        await data(admin.http.patch(f"/api/users/{ben.id}", json={"version": 1, "role": "auditor"}))
        await problem(ben.http.get(f"{CHANNELS}/{secret}"), 404)
        assert [row["id"] for row in await data(ben.http.get(CHANNELS))] == ["general"]

    async def test_nobody_slips_into_a_room_while_he_is_taken_out(
        self, app: Application, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The policy has read that he is a member; before the socket is in the room, he is none."""
        from steinmetz.erp.modules.chat import service

        owner, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        secret = (await opened_by(owner, "Neubau", isPrivate=True))["id"]
        where = f"{CHANNELS}/{secret}/members/{ben.id}"
        await data(owner.http.put(where))
        may_enter, asked = service.may_enter, list[bool]()

        async def allow_then_remove(unit: Any, room: str) -> bool:
            asked.append(await may_enter(unit, room))
            if len(asked) == 1:
                await data(owner.http.delete(where))
            return asked[-1]

        monkeypatch.setattr(service, "may_enter", allow_then_remove)
        answer = await ben.socket.call("room:join", {"room": f"chat-room:{secret}"})
        assert answer["error"]["code"] == "forbidden"
        assert asked == [True, False]
        await say(owner, secret, "Unter uns")
        assert ben.heard(MESSAGE) == []


class TestMessages:
    @pytest.mark.both_databases
    async def test_are_heard_by_everybody_in_the_room_after_the_commit(
        self, arrive: Arrive, engine_name: str
    ) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        acknowledged = await ben.socket.call("chat:message", {"channel": "general", "text": "  Mahlzeit!\n"})
        message = acknowledged["message"]
        expected = {
            "id": message["id"],
            "channel": "general",
            "user": {"id": ben.id, "name": "Ben"},
            "text": "Mahlzeit!",
            "at": "2026-03-02T09:00:00Z",
        }
        assert acknowledged["ok"] is True
        assert message == {**expected, "editedAt": None, "deleted": False, "version": 1}
        assert (await clerk.socket.heard("chat:message"))[0] == expected
        assert (await ben.socket.heard("chat:message"))[0] == expected
        assert await data(clerk.http.get(f"{GENERAL}/messages")) == [message]
        assert (await row_of(clerk, "general"))["lastMessage"] == message

    async def test_of_other_channels_are_heard_in_their_rooms_only(self, arrive: Arrive) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        await opened_by(clerk, "Lager")
        assert await ben.socket.call("room:join", {"room": "chat-room:lager"}) == {"ok": True}
        await say(ben, "lager", "Palette 7 fehlt")
        await say(ben, "general", "Kaffee ist fertig")
        assert [heard["text"] for heard in ben.heard(MESSAGE)] == ["Palette 7 fehlt", "Kaffee ist fertig"]
        assert [heard["text"] for heard in clerk.heard(MESSAGE)] == ["Kaffee ist fertig"]
        for closed in ("chat-room:nirgends", "chat-room:general", "chat-room:", "chat-room:" + "x" * 100):
            assert (await ben.socket.call("room:join", {"room": closed}))["error"]["code"] == "forbidden"

    async def test_are_found_by_their_words(self, arrive: Arrive) -> None:
        clerk = await arrive("clerk")
        for text in ("Angebot 4711 ist raus", "100% fertig", "100 Stück bestellt"):
            await say(clerk, "general", text)
        assert await texts(clerk, q="ANGEBOT") == ["Angebot 4711 ist raus"]
        assert await texts(clerk, q="100%") == ["100% fertig"]
        assert await texts(clerk, q="nirgends") == []
        assert await texts(clerk, limit=2) == ["100 Stück bestellt", "100% fertig"]

    @pytest.mark.both_databases
    async def test_paging_neither_skips_nor_repeats_while_others_talk(
        self, arrive: Arrive, clock: FakeClock, engine_name: str
    ) -> None:
        clerk = await arrive("clerk")
        said = [(await say(clerk, "general", f"Nummer {number}"))["id"] for number in range(9)]
        for path in (f"{GENERAL}/messages", MESSAGES):
            seen: list[int] = []
            query: dict[str, Any] = {"limit": 2}
            while True:
                page = (await clerk.http.get(path, params=query)).json()
                seen += [each["id"] for each in page["data"]]
                if page["page"]["next"] is None:
                    break
                query["cursor"] = page["page"]["next"]
                clock.advance(2)
                await say(clerk, "general", "Zwischenruf")
            assert seen[-9:] == said[::-1]
            assert len(set(seen)) == len(seen)

    @pytest.mark.both_databases
    async def test_catching_up_gives_what_came_later_in_order(self, arrive: Arrive, engine_name: str) -> None:
        clerk = await arrive("clerk")
        said = [(await say(clerk, "general", f"Nummer {number}"))["id"] for number in range(6)]
        first = (await clerk.http.get(f"{GENERAL}/messages", params={"after": said[1], "limit": 3})).json()
        assert [each["id"] for each in first["data"]] == said[2:5]
        rest = {"after": said[1], "limit": 3, "cursor": first["page"]["next"]}
        second = (await clerk.http.get(f"{GENERAL}/messages", params=rest)).json()
        assert [each["id"] for each in second["data"]] == said[5:]
        assert second["page"] == {"next": None, "total": 4}
        assert await texts(clerk, f"{GENERAL}/messages", after=said[-1]) == []
        assert len(await texts(clerk, f"{GENERAL}/messages", after=0)) == 6

    @pytest.mark.both_databases
    async def test_are_changed_by_their_author_for_a_while(
        self, arrive: Arrive, clock: FakeClock, engine_name: str
    ) -> None:
        clerk, manager = await arrive("clerk"), await arrive("manager")
        said = await say(clerk, "general", "Um drei")
        where = f"{MESSAGES}/{said['id']}"
        clock.advance(14 * 60)
        changed = await data(clerk.http.patch(where, json={"version": 1, "text": "Um vier"}))
        assert (changed["text"], changed["editedAt"]) == ("Um vier", "2026-03-02T09:14:00Z")
        assert manager.heard(MESSAGE)[-1] == {
            **{name: changed[name] for name in ("id", "channel", "user", "text", "at", "editedAt")}
        }
        await problem(clerk.http.patch(where, json={"version": 1, "text": "Um fünf"}), 409)
        await problem(manager.http.patch(where, json={"version": 2, "text": "Um fünf"}), 403)
        renewed = await data(clerk.http.post("/api/auth/refresh"))
        clerk.http.headers["Authorization"] = f"Bearer {renewed['accessToken']}"
        clock.advance(61)
        late = await problem(clerk.http.patch(where, json={"version": 2, "text": "Um fünf"}), 409)
        assert "15 minutes" in late["detail"]
        assert len(manager.heard(MESSAGE)) == 2

    @pytest.mark.both_databases
    async def test_leave_a_tombstone_when_deleted(self, arrive: Arrive, engine_name: str) -> None:
        clerk, ben, manager = await arrive("clerk"), await arrive("clerk", "Ben"), await arrive("manager")
        first, second = await say(clerk, "general", "Falscher Kanal"), await say(clerk, "general", "Unfreundlich")
        await problem(ben.http.delete(f"{MESSAGES}/{first['id']}"), 403)
        gone = await data(clerk.http.delete(f"{MESSAGES}/{first['id']}"))
        assert (gone["text"], gone["deleted"]) == ("", True)
        await data(manager.http.delete(f"{MESSAGES}/{second['id']}"))
        assert await data(manager.http.delete(f"{MESSAGES}/{first['id']}")) == gone, "once more changes nothing"
        rows = await data(ben.http.get(f"{GENERAL}/messages"))
        assert [(row["id"], row["text"], row["deleted"]) for row in rows] == [
            (second["id"], "", True),
            (first["id"], "", True),
        ]
        assert [(heard["id"], heard["deleted"]) for heard in ben.heard(MESSAGE)[2:]] == [
            (first["id"], True),
            (second["id"], True),
        ]
        assert await texts(ben, q="Unfreundlich") == []
        assert (await row_of(ben, "general"))["unread"] == 0
        await problem(clerk.http.patch(f"{MESSAGES}/{first['id']}", json={"version": 2, "text": "x"}), 409)
        await problem(clerk.http.delete(f"{MESSAGES}/4711"), 404)


class TestAtLeastOnce:
    """Trap T30: a client that heard no acknowledgement sends again, and is not heard twice."""

    @pytest.mark.both_databases
    async def test_the_same_key_is_the_same_message(self, arrive: Arrive, engine_name: str) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        await opened_by(clerk, "Lager")
        first = await say(clerk, "general", "Einmal", key="k1")
        again = await clerk.socket.call("chat:message", {"channel": "general", "text": "Einmal", "key": "k1"})
        elsewhere = await say(clerk, "lager", "Anders", key="k1")
        assert again["message"] == elsewhere == first
        assert await texts(clerk) == ["Einmal"]
        assert len(ben.heard(MESSAGE)) == 1
        assert (await say(ben, "general", "Meins", key="k1"))["id"] != first["id"], "another user's key is another"

    @pytest.mark.both_databases
    async def test_also_at_the_same_time_and_in_two_channels(
        self, arrive: Arrive, engine_name: str, published: list[Publication]
    ) -> None:
        clerk = await arrive("clerk")
        await opened_by(clerk, "Lager")
        published.clear()
        answers = await asyncio.gather(
            *(say(clerk, ("general", "lager")[number % 2], "Einmal", key="k1") for number in range(5)),
            *(
                clerk.socket.call("chat:message", {"channel": "general", "text": "Einmal", "key": "k1"})
                for _ in range(3)
            ),
        )
        ids = {answer["id"] if "id" in answer else answer["message"]["id"] for answer in answers}
        assert len(ids) == 1
        assert await texts(clerk) == ["Einmal"]
        assert [type(each) for each in published] == [Announcement]

    async def test_a_repeat_after_the_channel_was_archived_is_answered(self, arrive: Arrive) -> None:
        clerk = await arrive("clerk")
        await opened_by(clerk, "Lager")
        first = await say(clerk, "lager", "Einmal", key="k1")
        await data(clerk.http.post(f"{CHANNELS}/lager/archive", json={"version": 1}))
        assert await say(clerk, "lager", "Einmal", key="k1") == first


class TestReading:
    @pytest.mark.both_databases
    async def test_marks_only_move_forward(self, arrive: Arrive, engine_name: str) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        said = [(await say(clerk, "general", f"Nummer {number}"))["id"] for number in range(3)]
        await say(ben, "general", "Meine eigene")
        assert (await row_of(ben, "general"))["unread"] == 3
        assert (await row_of(clerk, "general"))["unread"] == 1
        steps = [(said[1], said[1], 1), (said[0], said[1], 1), (said[2], said[2], 0), (said[2], said[2], 0)]
        for message_id, mark, unread in steps:
            read = await data(ben.http.post(f"{GENERAL}/read", json={"messageId": message_id}))
            assert read == {"channel": "general", "messageId": mark, "unread": unread}
            listed = (await ben.http.get(CHANNELS)).json()
            assert (listed["data"][0]["unread"], listed["unread"]) == (unread, unread)
        await opened_by(clerk, "Lager")
        elsewhere = await say(clerk, "lager", "Woanders")
        for wrong in (elsewhere["id"], 4711):
            await problem(ben.http.post(f"{GENERAL}/read", json={"messageId": wrong}), 422)
        assert (await ben.http.get(CHANNELS)).json()["unread"] == 1

    async def test_what_was_said_before_a_user_came_is_no_news_to_him(
        self, arrive: Arrive, clock: FakeClock
    ) -> None:
        clerk = await arrive("clerk")
        await say(clerk, "general", "Längst vorbei")
        clock.advance(60)
        dora = await arrive("clerk", "Dora")
        assert (await row_of(dora, "general"))["unread"] == 0
        await say(clerk, "general", "Willkommen, Dora")
        assert (await row_of(dora, "general"))["unread"] == 1
        assert len(await texts(dora)) == 2


class TestTyping:
    async def test_is_heard_by_the_others_at_most_once_a_second(
        self, app: Application, arrive: Arrive, clock: FakeClock
    ) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        token = ben.http.headers["Authorization"].removeprefix("Bearer ")
        assert app.state.io is not None
        async with connect(app.state.io, auth={"token": token}) as his_phone:
            for _ in range(3):
                assert await ben.socket.call("chat:typing", {"channel": "general"}) == {"ok": True}
            clock.advance(1)
            await ben.socket.call("chat:typing", {"channel": "general"})
            await say(ben, "general", "Fertig getippt")
            await his_phone.heard("chat:message")
            assert [name for name, _ in his_phone.events] == ["chat:message"]
        assert [name for name, _ in ben.socket.events] == ["chat:message"]
        assert [name for name, _ in clerk.socket.events] == ["chat:typing", "chat:typing", "chat:message"]
        assert clerk.heard("chat:typing")[0] == {"channel": "general", "user": {"id": ben.id, "name": "Ben"}}

    async def test_is_for_those_who_are_in_the_room(self, arrive: Arrive) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        await opened_by(clerk, "Lager")
        await clerk.socket.call("room:join", {"room": "chat-room:lager"})
        assert (await ben.socket.call("chat:typing", {"channel": "lager"}))["error"]["code"] == "not_found"
        assert clerk.heard("chat:typing") == []


class TestHostileClients:
    HOSTILE: tuple[Any, ...] = (
        (),
        (None,),
        ("general",),
        ([{"channel": "general", "text": "x"}],),
        ({"channel": "general", "text": "x"}, {"channel": "general", "text": "y"}),
        ({},),
        ({"text": "x"},),
        ({"channel": "general"},),
        ({"channel": "general", "text": ""},),
        ({"channel": "general", "text": " \n\t "},),
        ({"channel": "general", "text": "x" * 4_001},),
        ({"channel": "general", "text": "x" * 900_000},),
        ({"channel": "general", "text": "a\x00b"},),
        ({"channel": "general", "text": 5},),
        ({"channel": "general", "text": None},),
        ({"channel": "general", "text": True},),
        ({"channel": "general", "text": ["x"]},),
        ({"channel": "general", "text": {"$ne": ""}},),
        ({"channel": "general", "text": b"bytes"},),
        ({"channel": 1, "text": "x"},),
        ({"channel": "", "text": "x"},),
        ({"channel": "c" * 61, "text": "x"},),
        ({"channel": ["general"], "text": "x"},),
        ({"channel": "general", "text": "x", "key": ""},),
        ({"channel": "general", "text": "x", "key": "k" * 65},),
        ({"channel": "general", "text": "x", "key": 7},),
        ({"channel": "general", "text": "x", "user": {"id": 1}},),
        ({"channel": "general", "text": "x", "id": 1, "at": "2020-01-01T00:00:00Z"},),
        ({"channel": "general", "text": "x", "n" * 100_000: 1},),
    )

    async def test_are_told_what_is_wrong_and_nothing_is_written(
        self, arrive: Arrive, published: list[Publication], clock: FakeClock
    ) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        for payload in self.HOSTILE:
            answer = await ben.socket.call("chat:message", *payload)
            assert answer["ok"] is False, payload
            assert answer["error"]["code"] == "invalid", payload
            assert 0 < len(answer["error"]["message"]) < 500
        for unknown in ("nirgends", "general ' OR 1=1 --", "chat-room", "~0123456789abcdef", "../general"):
            answer = await ben.socket.call("chat:message", {"channel": unknown, "text": "x"})
            assert answer["error"]["code"] == "not_found", answer
            clock.advance(2)
        for payload in ((), (None,), ({"channel": 5},), ({"channel": "general", "text": "x"},), ("general",)):
            answer = await ben.socket.call("chat:typing", *payload)
            assert answer["error"]["code"] == "invalid", payload
        assert published == []
        assert clerk.socket.events == []
        assert await texts(clerk) == []

    async def test_over_http_likewise(self, arrive: Arrive, clock: FakeClock) -> None:
        ben = await arrive("clerk", "Ben")
        for payload in (
            {},
            {"text": ""},
            {"text": "x" * 4_001},
            {"text": "a\x00b"},
            {"text": 5},
            {"text": "x", "key": "k" * 65},
            {"text": "x", "channel": "general"},
        ):
            await problem(ben.http.post(f"{GENERAL}/messages", json=payload), 422)
        for query in ({"after": -1}, {"after": "x"}, {"after": 2**40}, {"cursor": "x"}, {"limit": 501}, {"x": 1}):
            await problem(ben.http.get(f"{GENERAL}/messages", params=query), 422)
        clock.advance(10)
        for name in ("", "x" * 81, 5, None, "a\x00b"):
            await problem(ben.http.post(CHANNELS, json={"name": name}), 422)
        await problem(ben.http.get(f"{CHANNELS}/{'x' * 61}"), 422)
        await problem(ben.http.get(f"{CHANNELS}/nirgends/messages"), 404)
        await problem(ben.http.put(f"{GENERAL}/members/{2**40}"), 422)
        assert await texts(ben) == []

    async def test_who_writes_too_fast_must_wait(self, arrive: Arrive, clock: FakeClock) -> None:
        clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
        for number in range(5):
            await say(ben, "general", f"Nummer {number}")
            await ben.socket.call("chat:message", {"channel": "general", "text": f"Nummer {number}"})
        refused = await ben.http.post(f"{GENERAL}/messages", json={"text": "zu viel"})
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "1"
        answer = await ben.socket.call("chat:message", {"channel": "general", "text": "zu viel"})
        assert answer["error"]["code"] == "too_many_requests"
        assert answer["error"]["retryAfterMs"] == 1000
        await say(clerk, "general", "Andere dürfen")
        clock.advance(1)
        await say(ben, "general", "Nach einer Pause")
        assert "zu viel" not in await texts(clerk)


async def test_what_a_handler_reads_makes_no_answer_uncertain(app: Application, arrive: Arrive) -> None:
    """Its statements belong to the event's own scope; outside any, they would cast doubt on every recording."""
    from steinmetz.sql.scope import ScopeKind, open_scope

    clerk = await arrive("clerk")
    await opened_by(clerk, "Lager")
    with open_scope(ScopeKind.REQUEST, "an answer that is being computed") as recording:
        await asyncio.create_task(clerk.socket.call("room:join", {"room": "chat-room:lager"}))
        await asyncio.create_task(clerk.socket.call("chat:message", {"channel": "lager", "text": "x"}))
    assert recording.read_set().unknown == frozenset()
    assert recording.statements == 0


async def test_a_kept_list_falls_with_the_next_message(arrive: Arrive) -> None:
    clerk, ben = await arrive("clerk"), await arrive("clerk", "Ben")
    for _ in range(2):
        kept = await ben.http.get(CHANNELS)
    assert kept.headers["X-Cache"] == "HIT"
    await say(clerk, "general", "Neu")
    fresh = await ben.http.get(CHANNELS)
    assert fresh.headers["X-Cache"] == "MISS"
    assert fresh.json()["unread"] == 1
