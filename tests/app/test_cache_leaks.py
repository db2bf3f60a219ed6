"""No caller is ever given another's bytes: every reading of the application, asked by eight callers, with the
cache and without it, byte by byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from steinmetz.cache import RouteTable, VaryOn
from steinmetz.cache.testing import uncached
from steinmetz.clock import FakeClock
from steinmetz.erp.main import Application, create_app
from tests.app.conftest import PASSWORD, add_users, running, settings_for
from tests.contract.cache_doors import DOORS, Door, Given, differences

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

CALLERS = ["nobody", "forger", "disabled", "admin", "manager", "clerk", "ben", "auditor"]
ROLE_OF = {"admin": "admin", "manager": "manager", "clerk": "clerk", "ben": "clerk", "auditor": "auditor"}

# They tell how this very process is doing, so no two of their answers are alike; none of them is ever kept.
OF_THIS_MOMENT = ("/metrics", "/readyz", "/api/cache/", "/api/ws/", "/api/diagnostics/", "/api/system/")

MORE = {
    "/api/functions/search": ["?q=a", "?q=umsatz"],
    "/api/invoices": ["", "?limit=2", "?status=paid&limit=2", "?limit=2&status=paid"],
    "/api/customers": ["", "?limit=3"],
    "/api/employees": ["", "?limit=3"],
    "/api/chat/messages": ["?q=a"],
    "/api/chat/people": ["", "?q=b"],
}
"""Queries with which a route is asked; all others are asked without one."""
LISTS = {
    "user_id": "/api/users",
    "customer_id": "/api/customers",
    "invoice_id": "/api/invoices",
    "credit_note_id": "/api/credit-notes",
    "account_id": "/api/accounts",
    "entry_id": "/api/journal-entries",
    "department_id": "/api/departments",
    "employee_id": "/api/employees",
    "channel_id": "/api/chat/channels",
    "node_id": "/api/functions",
    "job_id": "/api/batch/jobs",
    "widget_id": "/api/dashboard",
}
"""Where the values of a path parameter stand."""


WAYS: list[tuple[tuple[str, str], ...]] = [
    (),
    (("Range", "bytes=0-9"),),
    (("Accept", "text/html"), ("Accept-Language", "de")),
    (("Cookie", "a=b"),),
    (("Origin", "https://else.example"),),
    (("Cache-Control", "no-cache"),),
    (("Cache-Control", "no-store"),),
    (("If-None-Match", '"other"'),),
]
"""Header lines with which one may ask."""


class Company:
    """The application behind one door, its callers, and what they may ask for."""

    def __init__(self, app: Application, door: Door) -> None:
        assert app.state.cache is not None
        self.app = app
        self.cache = app.state.cache
        self.door = door
        self.tokens: dict[str, str] = {"forger": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"}
        self.differences: list[str] = []

    async def ask(self, caller: str, target: str, *more: tuple[str, str], method: str = "GET") -> Given:
        lines = [("X-Request-Id", "the-same-for-all"), *more]  # it stands in the document of a refusal
        if token := self.tokens.get(caller):
            lines.append(("Authorization", token))
        return await self.door.ask(target, lines, method)

    async def targets(self) -> list[tuple[str, str]]:
        """Each GET of the OpenAPI document with paths to ask: (template, target)."""
        found = []
        for template, operations in self.app.api.openapi()["paths"].items():
            if "get" not in operations:
                continue
            names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
            values = await self._values(names[0]) if names else [""]
            for value in values:
                path = template.replace(f"{{{names[0]}}}", value) if names else template
                found += [(template, path + query) for query in MORE.get(template, [""])]
        return found

    async def _values(self, name: str) -> list[str]:
        """One of the things that there are, and one that there is not."""
        if name not in LISTS:
            return ["none"]
        answer = await self.ask("admin", LISTS[name])
        listed = json.loads(answer.body)["data"]
        if isinstance(listed, dict):
            listed = next(each for each in listed.values() if isinstance(each, list))
        return [*(str(each.get("id", each.get("key"))) for each in listed[:1]), "99999999"]

    async def compare(
        self, caller: str, target: str, *given: Given, more: tuple[tuple[str, str], ...] = (), method: str = "GET"
    ) -> None:
        """Ask the application without its cache, and write down in what ``given`` differ from that."""
        with uncached(self.cache):
            twin = await self.ask(caller, target, *more, method=method)
        for one in given:
            for difference in differences(one, twin):
                self.differences.append(f"{caller} {method} {target} {more} {one.cache}: {difference}")


@asynccontextmanager
async def company_of(
    folder: Path, filled: Path, user_rows: list[dict[str, Any]], door_name: str
) -> AsyncIterator[Company]:
    url = f"sqlite:///{folder / 'company.db'}"
    shutil.copy(filled, folder / "company.db")
    settings = settings_for(folder, url, log_level="error", rate_limit_user="off", rate_limit_address="off",
                            batch_workers=0)  # fmt: skip
    more = [{**user_rows[2], "email": f"{name}@example.com", "name": name.title(), "role": "clerk"}
            for name in ("ben", "disabled")]  # fmt: skip
    add_users(url, [*user_rows, *more])
    app = create_app(settings, clock=FakeClock())
    async with running(app), DOORS[door_name](app) as door:
        company = Company(app, door)
        await sign_in(company)
        yield company


async def sign_in(company: Company) -> None:
    from httpx2 import ASGITransport, AsyncClient

    async with AsyncClient(transport=ASGITransport(company.app), base_url="http://testserver") as client:
        for caller in CALLERS[2:]:
            login = {"email": f"{caller}@example.com", "password": PASSWORD}
            answer = await client.post("/api/auth/login", json=login)
            assert answer.status_code == 200, answer.text
            client.cookies.clear()
            company.tokens[caller] = f"Bearer {answer.json()['data']['accessToken']}"
        as_admin = {"Authorization": company.tokens["admin"]}
        me = await client.get("/api/auth/me", headers={"Authorization": company.tokens["disabled"]})
        user = (await client.get(f"/api/users/{me.json()['data']['id']}", headers=as_admin)).json()["data"]
        gone = await client.post(
            f"/api/users/{user['id']}/disable", json={"version": user["version"]}, headers=as_admin
        )
        assert gone.status_code == 200, gone.text


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_no_reading_of_the_application_differs_with_the_cache_whoever_asks(
    tmp_path: Path, sqlite_company: Path, user_rows: list[dict[str, Any]], door_name: str
) -> None:
    async with company_of(tmp_path, sqlite_company, user_rows, door_name) as company:
        table = RouteTable.of(company.app.api)
        targets = await company.targets()
        assert len({template for template, _ in targets}) >= 70
        kept: dict[str, int] = {}
        answered: set[tuple[str, ...]] = set()
        company.cache.clear()
        for template, target in targets:
            policy = table.match("GET", target.partition("?")[0]).policy
            misses, shared_with = 0, set[str]()
            for caller in CALLERS:
                first = await company.ask(caller, target)
                if policy is None:
                    assert first.cache == "-", target
                    if not target.startswith(OF_THIS_MOMENT):
                        await company.compare(caller, target, first)
                    continue
                again = await company.ask(caller, target)
                await company.compare(caller, target, first, again)
                if caller not in ROLE_OF:
                    assert (first.status, again.cache) == (401, "BYPASS"), (caller, target)
                elif first.status == 200:
                    assert again.cache == "HIT", (caller, target, again.header("cache-status"))
                    misses += first.cache == "MISS"
                    shared_with.add(
                        {VaryOn.NONE: "all", VaryOn.ROLE: ROLE_OF[caller], VaryOn.USER: caller}[policy.vary_on]
                    )
            if policy is not None and shared_with:
                path, _, query = target.partition("?")
                question = (path, *sorted(query.split("&")))
                expected = 0 if question in answered else len(shared_with)
                assert misses == expected, f"{target} was computed {misses} times for {shared_with}"
                answered.add(question)
                kept[template] = len(shared_with)
        assert company.differences == []
        assert {1, 4, 5} == set(kept.values()) - {2, 3}, kept
        assert list(kept.values()).count(1) >= 10, "answers that are the same for all are shared"
        assert company.cache.stats()["leaks"] == 0


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_h28_who_is_signed_out_gets_nothing_of_what_is_kept(
    tmp_path: Path, sqlite_company: Path, user_rows: list[dict[str, Any]], door_name: str
) -> None:
    async with company_of(tmp_path, sqlite_company, user_rows, door_name) as company:
        targets = ["/api/company", "/api/invoices", "/api/functions/menu", "/api/dashboard", "/api/notifications"]
        for target in targets:
            await company.ask("ben", target)
            assert (await company.ask("ben", target)).cache == "HIT"
        out = await company.ask("ben", "/api/auth/logout", method="POST")
        assert out.status in {200, 204}, out.body
        for target in targets:
            for more in ((), (("If-None-Match", "*"),)):
                refused = await company.ask("ben", target, *more)
                assert refused.status == 401, target
                assert refused.cache != "HIT"
        assert (await company.ask("clerk", "/api/company")).cache == "HIT"


@pytest.mark.parametrize("door_name", sorted(DOORS))
async def test_the_ways_to_ask_differ_in_nothing_either(
    tmp_path: Path, sqlite_company: Path, user_rows: list[dict[str, Any]], door_name: str
) -> None:
    """HEAD, conditions, ranges, directives, an Origin: with the cache as without it."""
    async with company_of(tmp_path, sqlite_company, user_rows, door_name) as company:
        for target in ("/api/company", "/api/functions/menu"):
            for more in WAYS:
                for caller in ("nobody", "clerk", "clerk", "ben", "admin"):
                    for method in ("GET", "HEAD"):
                        given = await company.ask(caller, target, *more, method=method)
                        await company.compare(caller, target, given, more=more, method=method)
        assert company.differences == []


def test_the_watch_is_a_setting(tmp_path: Path) -> None:
    for wanted in (False, True):
        settings = settings_for(tmp_path, f"sqlite:///{tmp_path / 'none.db'}", cache_watch=wanted)
        cache = create_app(settings, clock=FakeClock()).state.cache
        assert cache is not None
        assert cache.config.watch_identity is wanted
