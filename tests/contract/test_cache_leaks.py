"""Routes made to leak: headers, cookies, roles, locales, cookies set, streams, nonces, statuses; asked by eight
callers in every order that matters, with the cache and without it, byte by byte.

What a route is told is true; what it answers depends on more than its path. None of its answers may reach a caller
to whom the application itself would have said something else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from steinmetz.cache import Admission, Admitted, KeyRequest, Principal, Refused, ResponseCache, cached
from steinmetz.cache.testing import FakeHook, uncached
from steinmetz.clock import FakeClock
from tests.contract.cache_doors import DOORS, Door, Given, Lines, differences

pytestmark = pytest.mark.anyio

ROLES = {
    "ada": "admin", "max": "manager", "cleo": "clerk", "ben": "clerk", "aldo": "auditor", "rita": "clerk"
}  # fmt: skip
CALLERS: dict[str, Lines] = {
    "nobody": (),
    "forger": [("Authorization", "Bearer forged")],
    "ada": [("Authorization", "Bearer ada")],
    "max": [("Cookie", "theme=dark; session=max")],
    "cleo": [("Authorization", "Basic Y2xlbzpzZWNyZXQ=")],
    "ben": [("X-Api-Key", "ben")],
    "aldo": [("authorization", "bearer aldo")],
    "rita, revoked": [("Authorization", "Bearer rita")],
}


class Callers:
    """Bearer, Basic, a session cookie and an API key; ``revoked`` are let in no more."""

    def __init__(self) -> None:
        self.revoked = {"rita"}

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        lines = dict(headers)
        if (said := lines.get(b"authorization")) is not None:
            scheme, _, rest = said.partition(b" ")
            return b"cleo" if (scheme.lower(), rest) == (b"basic", b"Y2xlbzpzZWNyZXQ=") else rest
        if (key := lines.get(b"x-api-key")) is not None:
            return key
        cookie = lines.get(b"cookie", b"")
        return cookie.rpartition(b"session=")[2] if b"session=" in cookie else None

    async def authenticate(self, credential: bytes) -> Admission:
        name = credential.decode()
        if name not in ROLES or name in self.revoked:
            return Refused("unknown")
        return Admitted(Principal(name, ROLES[name]))


def who(request: Request) -> tuple[str, str]:
    """Name and role of the caller, as the application sees them."""
    admission = request.scope.get("steinmetz.admission")
    if isinstance(admission, Admitted):
        return admission.principal.subject, admission.principal.role
    return "nobody" if admission is None else "refused", "none"


Answer = Callable[[Request], Response | Awaitable[Response]]


@dataclass
class Made:
    """A route made for this test. ``asked`` are further requests: a query, header lines, a method."""

    name: str
    answer: Answer
    terms: dict[str, Any]
    asked: list[tuple[str, Lines, str]] = field(default_factory=lambda: [("", (), "GET")])
    kept_for: int | None = None
    """How many computations its first request causes for all callers who are let in, if that is certain."""


def text(of: Callable[[Request], Any], status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: PlainTextResponse(str(of(request)), status, named)


def header(name: str) -> Callable[[Request], str]:
    return lambda request: f"{name} is {request.headers.get(name)}"


def lines(name: str, *values: str) -> list[tuple[str, Lines, str]]:
    return [("", [(name, value)], "GET") for value in values] + [("", (), "GET")]


def with_cookie(request: Request) -> Response:
    answer = PlainTextResponse("hello")
    answer.set_cookie("session", who(request)[0])
    return answer


def streamed(request: Request) -> Response:
    async def pieces() -> Any:
        for number in range(3):
            yield f"{number} for {who(request)[0]}\n"

    return StreamingResponse(pieces(), headers={"content-type": "text/plain"})


def refused_or(request: Request, needed: str, body: str) -> Response:
    name, role = who(request)
    if role == "none":
        return JSONResponse({"error": "who are you?"}, 401, {"www-authenticate": "Bearer"})
    return JSONResponse({"to": body}) if role == needed else JSONResponse({"error": f"not for {name}"}, 403)


def two_cookies(request: Request) -> Response:
    answer = PlainTextResponse("x")
    answer.headers.append("set-cookie", "a=1")
    answer.headers.append("set-cookie", f"b={who(request)[0]}")
    return answer


def etagged(request: Request) -> Response:
    return PlainTextResponse("the same", headers={"etag": '"1"', "cache-control": "max-age=60"})


def of_user(request: Request) -> str:
    return f"private to {who(request)[0]}"


def of_role(request: Request) -> str:
    return f"for the role {who(request)[1]}"


def the_same(request: Request) -> str:
    return "the same for all"


PUBLIC: dict[str, Any] = {"public": True}
SHARED: dict[str, Any] = {"shared": True}
BY_ROLE: dict[str, Any] = {"vary_on": "role"}
BY_USER: dict[str, Any] = {"vary_on": "user"}
PUBLIC_BY_USER: dict[str, Any] = {"public": True, "vary_on": "user"}

MADE = [
    Made("public", text(the_same), PUBLIC, kept_for=1),
    Made("shared", text(the_same), SHARED, kept_for=1),
    Made("by-role", text(of_role), BY_ROLE, kept_for=4),
    Made("by-user", text(of_user), BY_USER, kept_for=5),
    Made("by-user-or-nobody", text(of_user), PUBLIC_BY_USER, kept_for=6),
    Made("by-role-or-nobody", text(of_role), {"public": True, "vary_on": "role"}, kept_for=5),
    Made("locale", text(header("accept-language"), vary="Accept-Language"), PUBLIC,
         lines("Accept-Language", "de", "en", "de-AT, en;q=0.5", "de")),
    Made("locale-of-two-lines", text(header("accept-language"), vary="accept-language"), PUBLIC,
         [("", [("Accept-Language", "de"), ("Accept-Language", "en")], "GET"), *lines("Accept-Language", "de")]),
    Made("accept", text(header("accept"), vary="Accept"), SHARED,
         lines("Accept", "text/html", "application/json")),
    Made("several", text(lambda request: [header(name)(request) for name in ("accept", "x-mode")],
                         vary="Accept, X-Mode"), SHARED, [*lines("Accept", "a", "b"), *lines("X-Mode", "a", "b")]),
    Made("vary-on-cookie", text(lambda request: request.cookies.get("theme"), vary="Cookie"), PUBLIC,
         lines("Cookie", "theme=light", "theme=dark")),
    Made("vary-on-anything", text(of_user, vary="*"), SHARED),
    Made("encoding", text(header("accept-encoding"), vary="Accept-Encoding"), PUBLIC,
         lines("Accept-Encoding", "identity", "x-own")),
    Made("own-key", text(header("x-tenant")), {"public": True, "key": lambda asked: tenant(asked)},
         lines("X-Tenant", "one", "two", "one")),
    Made("sets-a-cookie", with_cookie, SHARED),
    Made("sets-two-cookies", two_cookies, BY_ROLE),
    Made("says-private", text(of_user, cache_control="private, max-age=60"), SHARED),
    Made("says-no-store", text(of_user, cache_control="no-store"), SHARED),
    Made("says-no-cache", text(of_user, cache_control="max-age=60, No-Cache"), SHARED),
    Made("nonce", text(of_user, content_security_policy="script-src 'nonce-2726c7f26c'"), SHARED),
    Made("request-id", text(of_user, x_request_id="7"), SHARED),
    Made("only-admins", lambda request: refused_or(request, "admin", "the safe"), BY_ROLE),
    Made("only-clerks-by-user", lambda request: refused_or(request, "clerk", "the till"), BY_USER),
    Made("not-found", text(of_user, 404), BY_USER | {"statuses": {404: 30}}, kept_for=5),
    Made("gone", text(of_role, 410), BY_ROLE | {"statuses": {404: 30, 410: 30}}, kept_for=4),
    Made("not-found-unsaid", text(of_user, 404), SHARED),
    Made("moved", lambda request: RedirectResponse("/public", 308), PUBLIC | {"statuses": {308: 30}}, kept_for=1),
    Made("moved-to-own", lambda request: RedirectResponse(f"/{who(request)[0]}", 307), SHARED),
    Made("fails", text(of_user, 500), SHARED | {"stale_if_error": 60}),
    Made("streams-to-one", streamed, BY_USER, kept_for=5),
    Made("streams-unkept", lambda request: StreamingResponse(iter([of_user(request)])), SHARED | {"max_bytes": 3}),
    Made("too-large", text(lambda request: of_user(request) * 100), SHARED | {"max_bytes": 99}),
    Made("empty", text(lambda request: ""), PUBLIC, kept_for=1),
    Made("etag-of-its-own", etagged, PUBLIC,
         [("", (), "GET"), ("", (), "HEAD"), ("", [("If-None-Match", '"2"')], "GET")], kept_for=1),
    Made("order-of-parameters", text(lambda request: sorted(request.query_params.multi_items())), PUBLIC,
         [("?b=2&a=1", (), "GET"), ("?a=1&b=2", (), "GET"), ("?a=1&b=3", (), "GET")], kept_for=1),
    Made("order-of-values", text(lambda request: request.query_params.getlist("a")), PUBLIC,
         [("?a=1&a=2", (), "GET"), ("?a=2&a=1", (), "GET"), ("?%61=2&a=1", (), "GET")], kept_for=1),
    Made("escapes", text(lambda request: request.query_params.get("q")), PUBLIC,
         [("?q=a%26b=1", (), "GET"), ("?q=a&b=1", (), "GET"), ("?q=a%23user=ada", (), "GET"), ("?q=", (), "GET"),
          ("?q", (), "GET"), ("?q=a+b", (), "GET"), ("?q=a%2Bb", (), "GET")], kept_for=1),
    Made("head", text(of_role), BY_ROLE, [("", (), "HEAD"), ("", (), "GET"), ("", (), "HEAD")], kept_for=4),
    Made("range", text(the_same), PUBLIC, [("", [("Range", "bytes=0-1")], "GET"), ("", (), "GET")]),
    Made("directives", text(of_user), BY_USER,
         lines("Cache-Control", "no-cache", "no-store", "max-age=0", "min-fresh=900")),
    Made("pragma", text(of_user), BY_USER, [("", [("Pragma", "no-cache")], "GET"), ("", (), "GET")]),
    Made("if-none-match-any", text(of_user, 404), BY_USER, [("", [("If-None-Match", "*")], "GET")]),
    Made("echoes-the-origin", lambda request: PlainTextResponse("x", headers={
             "vary": "Origin", "access-control-allow-origin": request.headers.get("origin", "null")}), PUBLIC,
         lines("Origin", "https://one.example", "https://two.example")),
    Made("binary", lambda request: Response(bytes(range(256)), media_type="application/octet-stream"), PUBLIC,
         kept_for=1),
]  # fmt: skip


def tenant(asked: KeyRequest) -> str:
    return dict(asked.headers).get(b"x-tenant", b"").decode()


class World:
    """The routes behind one door, counting their computations."""

    def __init__(self) -> None:
        self.computed: dict[str, int] = {}
        self.callers = Callers()
        self.cache = ResponseCache(clock=FakeClock(), authenticator=self.callers)
        self.hook = FakeHook(self.cache.observer)
        app = Starlette(routes=[Route(f"/{made.name}", self.endpoint(made)) for made in MADE])
        self.app = self.cache.wrap(app)

    def endpoint(self, made: Made) -> Any:
        @cached(**made.terms)
        async def endpoint(request: Request) -> Response:
            self.computed[made.name] = self.computed.get(made.name, 0) + 1
            self.hook.read("things")
            answer = made.answer(request)
            return answer if isinstance(answer, Response) else await answer

        return endpoint

    async def ask(self, door: Door, made: Made, caller: str, asked: tuple[str, Lines, str]) -> Given:
        query, more, method = asked
        own = list(CALLERS[caller])
        if made.name == "vary-on-cookie" and more:
            own = [line for line in own if line[0] != "Cookie"]  # no browser sends two Cookie lines
        return await door.ask(f"/{made.name}{query}", [*own, *more], method)


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_no_caller_is_given_what_was_not_said_to_him(door_name: str) -> None:
    assert len(MADE) >= 30
    assert len(CALLERS) == 8
    world, found, hits = World(), list[str](), 0
    async with DOORS[door_name](world.app) as door:
        for made in MADE:
            first = True
            for asked in made.asked:
                for caller in CALLERS:
                    given = [await world.ask(door, made, caller, asked) for _ in range(2)]
                    hits += given[1].cache == "HIT"
                    if first:
                        computed = world.computed[made.name]
                    with uncached(world.cache):
                        twin = await world.ask(door, made, caller, asked)
                    if first:
                        world.computed[made.name] = computed
                    found += [
                        f"{made.name}{asked} {caller} {one.cache}: {difference}"
                        for one in given
                        for difference in differences(one, twin)
                    ]
                if first and made.kept_for is not None:
                    by_passing = 2 * (2 if made.terms.get("public") else 3)
                    assert world.computed[made.name] - by_passing == made.kept_for, made.name
                first = False
    assert found == []
    assert hits > 200


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_t17_no_cookie_is_ever_given_twice(door_name: str) -> None:
    world = World()
    async with DOORS[door_name](world.app) as door:
        for name in ("sets-a-cookie", "sets-two-cookies"):
            made = next(made for made in MADE if made.name == name)
            for caller in ("ada", "ben", "cleo"):
                given = await world.ask(door, made, caller, ("", (), "GET"))
                assert [value for line, value in given.headers if line == "set-cookie"][-1].split("=")[1].split(
                    ";"
                )[0] == caller
        assert world.cache.stats()["entries"] == 0


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_h28_a_revoked_credential_gets_no_hit_at_its_next_request_nor_does_a_new_role_see_the_old(
    door_name: str,
) -> None:
    world = World()

    async def authenticate(credential: bytes) -> Admission:
        world.hook.read("sessions")
        name = credential.decode()
        return Refused("revoked") if name in world.callers.revoked else Admitted(Principal(name, ROLES[name]))

    world.callers.authenticate = authenticate  # type: ignore[method-assign]
    by_role = next(made for made in MADE if made.name == "by-role")
    async with DOORS[door_name](world.app) as door:
        for _ in range(2):
            given = await world.ask(door, by_role, "ben", ("", (), "GET"))
        assert (given.cache, given.body) == ("HIT", b"for the role clerk")
        ROLES["ben"] = "manager"
        try:
            world.hook.commit("sessions")
            given = await world.ask(door, by_role, "ben", ("", (), "GET"))
        finally:
            ROLES["ben"] = "clerk"
        assert (given.cache, given.body) == ("MISS", b"for the role manager")
        world.callers.revoked = {"ben"}
        world.hook.commit("sessions")
        given = await world.ask(door, by_role, "ben", ("", (), "GET"))
        assert (given.cache, given.body) == ("BYPASS", b"for the role none")
