"""The table finds the route that the application's own router would."""

from __future__ import annotations

from datetime import timedelta
from functools import partial, wraps
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from steinmetz.cache import CachePolicy, RouteTable, VaryOn, cached, invalidates
from steinmetz.cache.asgi.routes import CACHED, REMEMBERED_BYTES, UNKNOWN


@cached(60)
async def marked() -> dict[str, str]:
    return {}


async def plain() -> dict[str, str]:
    return {}


def ttl(table: RouteTable, path: str, method: str = "GET") -> float | None:
    policy = table.match(method, path).policy
    return None if policy is None else policy.ttl_s


class TestMarks:
    def test_the_function_stays_what_it_was(self) -> None:
        def endpoint() -> int:
            return 7

        assert cached()(endpoint) is endpoint
        assert invalidates("/a")(endpoint) is endpoint
        assert endpoint() == 7

    def test_the_defaults(self) -> None:
        @cached()
        def endpoint() -> None: ...

        assert getattr(endpoint, CACHED) == CachePolicy(ttl_s=300, vary_on=VaryOn.USER)

    def test_what_is_shared_varies_on_nothing(self) -> None:
        def policy(**terms: Any) -> Any:
            def endpoint() -> None: ...

            return getattr(cached(**terms)(endpoint), CACHED)

        assert policy(shared=True).vary_on is VaryOn.NONE
        assert policy(public=True).vary_on is VaryOn.NONE
        assert policy(public=True, vary_on="role").vary_on is VaryOn.ROLE
        assert policy(ttl=timedelta(minutes=5)).ttl_s == 300

    @pytest.mark.parametrize(
        ("terms", "message"),
        [
            ({"ttl": 0}, "positive"),
            ({"ttl": -1}, "positive"),
            ({"stale_while_revalidate": -1}, "negative"),
            ({"max_entries": 0}, "max_entries"),
            ({"budget_bytes": -1}, "budget_bytes"),
            ({"vary_on": "moon"}, '"none", "role" or "user"'),
            ({"shared": True, "vary_on": "user"}, "shared"),
        ],
    )
    def test_nonsense_is_refused_with_what_to_do(self, terms: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            cached(**terms)

    @pytest.mark.parametrize("paths", [(), ("api",), ("/a", "")])
    def test_invalidates_takes_paths(self, paths: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="/api/functions"):
            invalidates(*paths)


class TestStarlette:
    def test_templates_converters_and_mounts(self) -> None:
        app = Starlette(
            routes=[
                Route("/a", marked),
                Route("/items/{id:int}", marked),
                Route("/files/{path:path}", marked),
                Mount("/below", routes=[Route("/{name}", marked), Mount("/deeper", routes=[Route("/x", marked)])]),
            ]
        )
        table = RouteTable.of(app)
        for path in ("/a", "/items/7", "/files/x/y.txt", "/below/z", "/below/deeper/x"):
            assert ttl(table, path) == 60, path
        for path in ("/a/", "/items/x", "/items/7/8", "/below/z/y", "/", "/A"):
            assert ttl(table, path) is None, path
        assert table.match("GET", "/below/deeper/x").template == "/below/deeper/x"
        assert table.match("GET", "/items/7").template == "/items/{id:int}"

    def test_the_first_route_that_matches_has_it(self) -> None:
        table = RouteTable.of(Starlette(routes=[Route("/items/latest", plain), Route("/items/{id}", marked)]))
        assert ttl(table, "/items/latest") is None
        assert ttl(table, "/items/7") == 60

    def test_a_mount_takes_all_below_it(self) -> None:
        async def foreign(scope: Any, receive: Any, send: Any) -> None: ...

        table = RouteTable.of(
            Starlette(routes=[Mount("/api", app=foreign), Route("/api/a", marked), Route("/apia", marked)])
        )
        assert ttl(table, "/api/a") is None
        assert ttl(table, "/apia") == 60

    def test_methods_are_told_apart(self) -> None:
        @invalidates("/x", "/y")
        async def write() -> None: ...

        table = RouteTable.of(
            Starlette(routes=[Route("/a", write, methods=["POST"]), Route("/a", marked, methods=["GET"])])
        )
        assert ttl(table, "/a") == ttl(table, "/a", "HEAD") == 60
        assert table.match("POST", "/a").invalidates == ("/x", "/y")
        assert table.match("PUT", "/a") is UNKNOWN
        assert [(method, route.template) for method, route in table] == [("POST", "/a"), ("GET", "/a")]

    def test_classes_partials_and_wrapped_functions_carry_their_marks(self) -> None:
        class Endpoint(HTTPEndpoint):
            @cached(60)
            async def get(self, request: Any) -> None: ...

            @invalidates("/b")
            async def post(self, request: Any) -> None: ...

        @wraps(marked)
        async def wrapped() -> None: ...

        table = RouteTable.of(
            Starlette(
                routes=[Route("/class", Endpoint), Route("/partial", partial(marked)), Route("/wrapped", wrapped)]
            )
        )
        assert [ttl(table, path) for path in ("/class", "/partial", "/wrapped")] == [60, 60, 60]
        assert table.match("POST", "/class").invalidates == ("/b",)

    def test_nothing_is_cached_from_a_host_route_on(self) -> None:
        table = RouteTable.of(
            Starlette(
                routes=[
                    Route("/a", marked),
                    Host("x.example", app=Router(routes=[Route("/b", marked)])),
                    Route("/c", marked),
                ]
            )
        )
        assert [ttl(table, path) for path in ("/a", "/b", "/c")] == [60, None, None]

    def test_web_sockets_are_not_requests(self) -> None:
        table = RouteTable.of(Starlette(routes=[WebSocketRoute("/a", plain), Route("/a", marked)]))
        assert ttl(table, "/a") == 60

    def test_an_application_without_routes_has_an_empty_table(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None: ...

        assert RouteTable.of(app).match("GET", "/a") is UNKNOWN

    def test_what_it_remembers_is_bounded(self) -> None:
        table = RouteTable.of(Starlette(routes=[Route("/{name}", marked)]))
        for number in range(2_000):
            table.match("GET", f"/{number}")
            assert table._remembered.weight_bytes <= REMEMBERED_BYTES
        assert 0 < len(table._remembered) < 2_000
        before = len(table._remembered)
        table.match("GET", "/" + "x" * 10_000)
        assert len(table._remembered) == before


class TestFastAPI:
    def test_routers_in_routers_with_prefixes_on_either_side_of_the_mark(self) -> None:
        inner, outer, app = APIRouter(prefix="/inner"), APIRouter(prefix="/outer"), FastAPI()

        @inner.get("/{id}")
        @cached(60)
        async def below(id: int) -> None: ...  # noqa: A002  the name in the path

        @cached(60)
        @inner.get("/above/{name}")
        async def above(name: str) -> None: ...

        @inner.post("/{id}")
        @invalidates("/api/outer")
        async def write(id: int) -> None: ...  # noqa: A002  the name in the path

        outer.include_router(inner, prefix="/between")
        app.include_router(outer, prefix="/api")
        app.include_router(inner)
        app.mount("/mounted", Starlette(routes=[Route("/a", marked)]))
        table = RouteTable.of(app)
        for path in ("/api/outer/between/inner/7", "/api/outer/between/inner/above/x", "/inner/7", "/mounted/a"):
            assert ttl(table, path) == 60, path
        assert table.match("POST", "/api/outer/between/inner/7").invalidates == ("/api/outer",)
        assert table.match("GET", "/api/outer/between/inner/7").template == "/api/outer/between/inner/{id}"
        assert ttl(table, "/inner") is None
        assert ttl(table, "/docs") is None
