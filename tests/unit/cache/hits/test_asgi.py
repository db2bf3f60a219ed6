"""The short way within ASGI, for a front that says what it looks at."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import KeyRequest, cached
from steinmetz.cache.hits.asgi import REMEMBERED_CLIENTS, REMEMBERED_FIELDS, AsgiHits
from steinmetz.cache.hits.passage import Client, Leaving

pytestmark = pytest.mark.anyio


class Front:
    """Notes what passes; looks at ``x-trace``."""

    fields = frozenset({b"x-trace"})

    def __init__(self) -> None:
        self.made: list[Leaving] = []
        self.passed: list[str] = []
        self.is_refusing = False

    def passage(self, leaving: Leaving) -> Passed:
        self.made.append(leaving)
        return Passed(self, leaving)


class Passed:
    def __init__(self, front: Front, leaving: Leaving) -> None:
        self._front, self._leaving = front, leaving

    def take(self, client: Client, started_ns: int) -> bytes | None:
        raise AssertionError("this is the native door's")

    def take_fields(self, client: Client, started_ns: int) -> list[tuple[bytes, bytes]] | None:
        if self._front.is_refusing:
            return None
        assert client.address is not None
        self._front.passed.append(client.address[0])
        return [*self._leaving.headers, (b"x-own", b"%d" % started_ns)]


class Door:
    """The cache of ``rig`` and the short way before it."""

    def __init__(self, rig: Any, **terms: Any) -> None:
        self.rig, self.front = rig, Front()
        rig.door.credential_fields = frozenset({b"x-user"})
        self.hits = AsgiHits(rig.door, self.front, excluded=lambda path: path.startswith("/sockets"))

        @cached(**{"public": True, **terms})
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("invoices")
            tongue = dict(scope["headers"]).get(b"accept-language", b"")
            headers = [(b"vary", b"accept-language")] if tongue else []
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"body " + tongue})

        for path in ("/a", "/sockets/a"):
            rig.app.add(path, endpoint)

    def take(self, path: str = "/a", method: str = "GET", host: str = "192.0.2.1", **fields: str) -> Any:
        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": headers,
            "client": (host, 1),
        }
        return self.hits.take(scope, 7)


async def test_a_kept_answer_goes_out_with_the_fields_of_the_front(rig: Any) -> None:
    door = Door(rig)
    assert door.take() is None
    await rig.ask("/a")
    status, headers, body = door.take()
    assert (status, body, headers[-1]) == (200, b"body ", (b"x-own", b"7"))
    assert dict(headers)[b"x-cache"] == b"HIT"
    assert door.front.passed == ["192.0.2.1"]
    assert rig.cache.stats()["hits"] == 1


async def test_only_what_is_looked_at_makes_it_another_request(rig: Any) -> None:
    door = Door(rig)
    await rig.ask("/a")
    for fields in ({}, {"dnt": "1"}, {"dnt": "2", "accept": "*/*"}, {"dnt": "1"}):
        assert door.take(**fields) is not None
    assert len(door.front.made) == 1
    assert door.take(x_trace="1") is not None
    assert len(door.front.made) == 2


async def test_demands_conditions_and_methods_are_heard(rig: Any) -> None:
    door = Door(rig)
    etag = (await rig.ask("/a")).headers["etag"]
    assert door.take(cache_control="no-cache") is None
    assert door.take(range="bytes=0-0") is None
    assert door.take(method="POST") is None
    assert door.take(method="HEAD")[2] == b""
    status, headers, body = door.take(if_none_match=etag)
    assert (status, body) == (304, b"")
    assert b"content-length" not in dict(headers)
    assert rig.cache.stats()["notModified"] == 1


async def test_a_field_that_selects_the_answer_is_looked_at_each_time(rig: Any) -> None:
    door = Door(rig)
    await rig.ask("/a", headers=[("Accept-Language", "de")])
    assert door.take(accept_language="de")[2] == b"body de"
    assert door.take(accept_language="fr") is None
    assert door.take(accept_language="de")[2] == b"body de"


async def test_a_key_of_ones_own_is_asked_each_time(rig: Any) -> None:
    def key(request: KeyRequest) -> str:
        return dict(request.headers).get(b"x-tenant", b"").decode()

    door = Door(rig, key=key)
    await rig.ask("/a", headers=[("X-Tenant", "a")])
    assert door.take(x_tenant="a") is not None
    assert door.take(x_tenant="b") is None
    assert door.take() is None


async def test_every_doubt_leads_into_the_long_way(rig: Any) -> None:
    door = Door(rig, public=False)
    await rig.ask("/a", user="anna")
    assert door.take(x_user="anna") is not None
    assert door.take(x_user="carl") is None
    assert door.take() is None
    rig.cache.enabled = False
    assert door.take(x_user="anna") is None
    rig.cache.enabled = True
    transaction = rig.hook.transaction()
    transaction.write("other")
    transaction.mark()
    assert door.take(x_user="anna") is None
    transaction.unmark()
    assert door.take(x_user="anna") is not None
    door.front.is_refusing = True
    assert door.take(x_user="anna") is None
    door.front.is_refusing = False
    rig.hook.commit("sessions")
    assert door.take(x_user="anna") is None


async def test_paths_of_others_are_left_to_them(rig: Any) -> None:
    door = Door(rig)
    await rig.ask("/sockets/a")
    assert door.take("/sockets/a") is None


async def test_its_time_ends(rig: Any) -> None:
    door = Door(rig, ttl=60)
    await rig.ask("/a")
    assert dict(door.take()[1])[b"age"] == b"0"
    rig.clock.advance(59.5)
    assert dict(door.take()[1])[b"age"] == b"59"
    rig.clock.advance(0.5)
    assert door.take() is None


async def test_ever_new_fields_and_clients_do_not_fill_memory(rig: Any) -> None:
    door = Door(rig)
    await rig.ask("/a")
    for number in range(REMEMBERED_FIELDS + REMEMBERED_CLIENTS):
        assert door.take(host=f"192.0.2.{number}", dnt=str(number)) is not None
    remembered = door.hits.remembered()
    assert remembered["fields"] <= REMEMBERED_FIELDS
    assert remembered["clients"] <= REMEMBERED_CLIENTS
    assert remembered["requests"] == 1
