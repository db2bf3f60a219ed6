"""Every refusal is a problem document; nothing else of the inside gets out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
import structlog
from sqlalchemy import insert, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.erp.api import make_api
from steinmetz.erp.dependencies import Reading, Writing
from steinmetz.erp.edge import Edge, Traffic
from steinmetz.erp.errors import TooManyRequests
from steinmetz.erp.main import Application
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.rates import RateLimits
from steinmetz.erp.settings import Settings
from tests.app.conftest import settings_for

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
CREDENTIALS = {"email": "clerk@example.com", "password": "steinmetz-demo-1"}


@pytest.fixture
def settings(tmp_path: Any, database_url: str) -> Settings:
    return settings_for(
        tmp_path, database_url, cors_origins="https://intranet.example", access_log=True, max_body_bytes=2_000
    )


def unlimited() -> RateLimits:
    return RateLimits(FakeClock(), address=None, user=None)


def add_route(app: Application, method: str, path: str) -> Callable[[Any], Any]:
    """A route for this test alone, before the start page, which takes whatever is left."""

    def decorate(endpoint: Any) -> Any:
        app.api.add_api_route(path, endpoint, methods=[method.upper()])
        routes = app.api.router.routes
        routes.insert(0, routes.pop())
        return endpoint

    return decorate


def is_problem(answer: httpx2.Response) -> bool:
    document = answer.json()
    return (
        answer.headers["content-type"] == "application/problem+json"
        and document["success"] is False
        and document["status"] == answer.status_code
        and document["requestId"] == answer.headers["x-request-id"]
        and document["instance"] == answer.request.url.path
        and all(document[key] for key in ("type", "title", "detail"))
    )


class TestProblemDocuments:
    async def test_name_what_happened_where(self, client: httpx2.AsyncClient, sign_in: SignIn) -> None:
        admin = await sign_in("admin")
        for answer, status in (
            (await client.get("/api/auth/me"), 401),
            (await client.get("/nowhere"), 404),
            (await client.get("/api/nowhere"), 404),
            (
                await client.post("/api/auth/login", content=b"{", headers={"Content-Type": "application/json"}),
                422,
            ),
            (await client.post("/api/auth/login", json={"email": "x"}), 422),
            (await client.post("/api/auth/login", json={**CREDENTIALS, "extra": 1}), 422),
            (await client.post("/api/auth/login", json={**CREDENTIALS, "email": "x" * 3_000}), 413),
            (await admin.get("/api/users/4711"), 404),
            (await admin.get("/api/users", params={"limit": 501}), 422),
            (await admin.get("/api/users", params={"cursor": "bm9wZQ"}), 422),
        ):
            assert answer.status_code == status, answer.text
            assert is_problem(answer), answer.text
            assert answer.headers["cache-control"] == "no-store"

    async def test_refuse_unknown_parameters_and_name_the_known(self, sign_in: SignIn) -> None:
        admin = await sign_in("admin")
        answer = await admin.get("/api/users", params={"serach": "x"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "serach"
        assert "active, cursor, limit, role, search" in answer.json()["detail"]
        assert (await admin.get("/api/auth/me?x=1")).status_code == 422

    async def test_never_repeat_what_was_sent(self, client: httpx2.AsyncClient) -> None:
        secret = "mein geheimes Wort"
        answer = await client.post("/api/auth/login", json={"email": 5, "password": secret, "x": secret})
        assert answer.status_code == 422
        assert secret not in answer.text
        assert {error["field"] for error in answer.json()["errors"]} == {"email", "x"}

    async def test_refuse_a_body_that_is_too_long_however_it_is_sent(self, client: httpx2.AsyncClient) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b" " * 500

        kind = {"Content-Type": "application/json"}
        for content in (b" " * 2_001, pieces()):
            answer = await client.post("/api/auth/login", content=content, headers=kind)
            assert answer.status_code == 413
            assert is_problem(answer)
            assert "2000 bytes" in answer.json()["detail"]

    async def test_name_the_methods_that_are_allowed(self, app: Application) -> None:
        bare = make_api(app.state)
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(bare), base_url="http://testserver"
        ) as client:
            answer = await client.delete("/api/auth/login")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert "POST" in answer.json()["detail"]

    async def test_say_when_to_come_again(self, app: Application, client: httpx2.AsyncClient) -> None:
        @add_route(app, "get", "/busy")
        async def busy() -> None:
            raise TooManyRequests(2.2)

        answer = await client.get("/busy")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")

    async def test_of_the_unforeseen_tell_the_request_id_and_nothing_more(
        self, app: Application, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        @add_route(app, "get", "/broken")
        async def broken() -> None:
            raise LookupError("password=topsecret in /home/somebody")

        with capture_logs() as logs:
            answer = await client.get("/broken", headers={"X-Request-Id": "abc-1"})
        assert answer.status_code == 500
        assert is_problem(answer)
        assert answer.json()["requestId"] == "abc-1"
        assert "topsecret" not in answer.text
        assert "Traceback" not in answer.text
        failures = [line for line in logs if line["event"] == "Unexpected error"]
        assert [line["request_id"] for line in failures] == ["abc-1"]

    async def test_hide_the_values_of_a_broken_statement_in_the_log(
        self, app: Application, client: httpx2.AsyncClient, sign_in: SignIn
    ) -> None:
        @add_route(app, "get", "/broken")
        async def broken(unit: Reading) -> None:
            await unit.session.execute(text("SELECT nonsense(:secret)"), {"secret": "DE02120300000000202051"})

        lines: list[str] = []

        def remember(logger: Any, name: str, event: dict[str, Any]) -> str:
            lines.append(str(structlog.processors.format_exc_info(logger, name, event)))
            raise structlog.DropEvent

        clerk = await sign_in("clerk")
        structlog.configure(processors=[remember])
        try:
            answer = await clerk.get("/broken")
        finally:
            structlog.reset_defaults()
        assert answer.status_code == 503, "an OperationalError is the database's fault"
        assert not any("DE02120300000000202051" in line for line in lines)


class TestTheCommitEdge:
    async def test_t8_commits_before_the_answer_starts(self, app: Application, sign_in: SignIn) -> None:
        seen: list[str] = []
        commit = app.state.database.sessions.class_.commit

        @add_route(app, "post", "/rename")
        async def rename(unit: Writing) -> dict[str, bool]:
            await unit.session.execute(update(User).where(User.id == unit.actor.id).values(name="Neu"))
            return {"success": True}

        async def watched_commit(session: Any) -> None:
            await commit(session)
            seen.append("commit")

        clerk = await sign_in("clerk")
        inside = app._door.inside

        async def watch(scope: Any, receive: Any, send: Any) -> None:
            async def watched_send(message: Any) -> None:
                seen.append(message["type"])
                await send(message)

            await inside(scope, receive, watched_send)

        app._door.inside = watch
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app.state.database.sessions.class_, "commit", watched_commit)
            assert (await clerk.post("/rename")).status_code == 200
        assert seen.index("http.response.start") > max(
            index for index, what in enumerate(seen) if what == "commit"
        )

    async def test_turns_a_failed_commit_into_a_problem(self, app: Application, sign_in: SignIn) -> None:
        @add_route(app, "post", "/twice")
        async def twice(unit: Writing) -> dict[str, bool]:
            unit.session.add(User(email="admin@example.com", name="Doppelt", role="clerk", created_at=unit.now))
            return {"success": True}

        @add_route(app, "post", "/invalid")
        async def invalid(unit: Writing, number: int) -> dict[str, bool]:
            raise AssertionError("never reached")

        clerk = await sign_in("clerk")
        answer = await clerk.post("/twice")
        assert answer.status_code == 409
        assert is_problem(answer)
        assert "Doppelt" not in answer.text
        assert (await clerk.post("/invalid?number=x")).status_code == 422
        assert (await clerk.get("/api/auth/me")).status_code == 200

    async def test_answers_a_lost_update_with_a_conflict(self, app: Application, sign_in: SignIn) -> None:
        @add_route(app, "post", "/lost")
        async def lost(unit: Writing) -> dict[str, bool]:
            user = await unit.session.get(User, unit.actor.id)
            assert user is not None
            await unit.session.execute(text("UPDATE users SET version = version + 1"))
            user.name = "Zu spät"
            return {"success": True}

        assert (await (await sign_in("clerk")).post("/lost")).status_code == 409

    async def test_says_503_when_the_database_is_busy(self, app: Application, sign_in: SignIn) -> None:
        @add_route(app, "post", "/locked")
        async def locked(unit: Writing) -> None:
            raise OperationalError("UPDATE x", {}, Exception("database is locked"))

        answer = await (await sign_in("clerk")).post("/locked")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")

    async def test_is_not_reached_by_an_auditor(self, app: Application, sign_in: SignIn) -> None:
        @add_route(app, "post", "/write")
        async def write(unit: Writing) -> None:
            await unit.session.execute(insert(User))

        answer = await (await sign_in("auditor")).post("/write")
        assert answer.status_code == 403
        assert answer.json()["neededRole"] == "clerk"


class TestEdge:
    async def test_takes_a_sane_request_id_and_makes_one_otherwise(self, client: httpx2.AsyncClient) -> None:
        kept = await client.get("/healthz", headers={"X-Request-Id": "trace-1.2_3"})
        assert kept.headers["x-request-id"] == "trace-1.2_3"
        for odd in ("", "x" * 41, "a b", "ä", 'x"y'):
            made = await client.get("/healthz", headers=[(b"x-request-id", odd.encode())])
            assert made.headers["x-request-id"] not in {"", odd}

    async def test_sets_security_headers_on_every_answer(self, client: httpx2.AsyncClient) -> None:
        for path in ("/healthz", "/nowhere", "/docs", "/metrics"):
            headers = (await client.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert len(headers.get_list("content-security-policy")) == 1

    async def test_t17_gives_each_hit_headers_of_its_own(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        path, origin = "/api/dashboard/overview", {"Origin": "https://intranet.example"}
        allowed = [await clerk.get(path, headers={**origin, "X-Request-Id": f"r{n}"}) for n in range(2)]
        plain = await clerk.get(path)
        foreign = await clerk.get(path, headers={"Origin": "https://evil.example"})
        assert [one.headers["x-cache"] for one in (*allowed, plain, foreign)] == ["MISS", "HIT", "HIT", "HIT"]
        assert [one.headers["x-request-id"] for one in allowed] == ["r0", "r1"]
        for one in allowed:
            assert one.headers["access-control-allow-origin"] == "https://intranet.example"
            assert one.headers["access-control-allow-credentials"] == "true"
        for one in (plain, foreign):
            assert "access-control-allow-origin" not in one.headers
            assert "origin" in one.headers["vary"].lower()
        assert plain.headers["x-request-id"] not in {"r0", "r1"}
        assert len(plain.headers.get_list("x-request-id")) == 1

    async def test_answers_preflights_of_allowed_origins(self, client: httpx2.AsyncClient) -> None:
        ask = {"Origin": "https://intranet.example", "Access-Control-Request-Method": "PATCH"}
        allowed = await client.options("/api/users/1", headers=ask)
        assert allowed.status_code == 204
        assert "PATCH" in allowed.headers["access-control-allow-methods"]
        assert "Authorization" in allowed.headers["access-control-allow-headers"]
        refused = await client.options("/api/users/1", headers={**ask, "Origin": "https://evil.example"})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers

    async def test_writes_one_line_a_request_hit_or_not(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        with capture_logs() as logs:
            await clerk.get("/api/dashboard/overview?x=%00")
            await clerk.get("/api/dashboard/overview")
            await clerk.get("/api/dashboard/overview")
        lines = [line for line in logs if line["event"] == "Request"]
        assert [(line["status"], line["cache"]) for line in lines[1:]] == [(200, "MISS"), (200, "HIT")]
        assert lines[0]["status"] == 422
        assert all(line["path"] == "/api/dashboard/overview" for line in lines)
        assert lines[2]["user"].startswith("user:")
        assert lines[2]["bytes"] > 0
        assert "Bearer" not in str(logs)

    async def test_turns_what_breaks_before_the_routes_into_a_problem(self, settings: Settings) -> None:
        edge = Edge(settings, Traffic(), unlimited(), FakeClock())

        async def inside(scope: Any, receive: Any, send: Any) -> None:
            raise LookupError("topsecret")

        edge.inside = inside
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(edge), base_url="http://testserver"
        ) as client:
            answer = await client.get("/x")
        assert answer.status_code == 500
        assert is_problem(answer)
        assert "topsecret" not in answer.text

    async def test_counts_a_caller_who_went_away(self, settings: Settings) -> None:
        traffic = Traffic()
        edge = Edge(settings, traffic, unlimited(), FakeClock())

        async def inside(scope: Any, receive: Any, send: Any) -> None:
            raise asyncio.CancelledError

        edge.inside = inside
        scope = {"type": "http", "path": "/x", "method": "GET", "headers": [], "http_version": "1.1"}
        with pytest.raises(asyncio.CancelledError):
            await edge(scope, None, None)  # type: ignore[arg-type]
        assert traffic.requests == {("GET", "4xx"): 1}
        assert traffic.in_flight == 0


async def test_the_documentation_names_every_route_and_needs_no_other_site(
    app: Application, client: httpx2.AsyncClient
) -> None:
    openapi = (await client.get("/openapi.json")).json()
    page = (await client.get("/docs")).text
    assert len(openapi["paths"]) > 20
    for path in openapi["paths"]:
        assert f"<code>{path}</code>" in page
    assert "<script" not in page
    assert "https://" not in page
    identifiers = [operation["operationId"] for item in openapi["paths"].values() for operation in item.values()]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("amount", [True, "14", 14.0, None, [14]])
async def test_a_whole_number_in_a_body_is_a_json_integer_and_nothing_like_it(
    sign_in: SignIn, amount: Any
) -> None:
    clerk = await sign_in("clerk")
    answer = await clerk.post("/api/invoices/1/pay", json={"amountCents": amount, "version": 1})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["amountCents"]
