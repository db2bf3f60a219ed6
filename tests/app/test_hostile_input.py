"""What an attacker would try: no input ends in a 500, none gets in half-way, and the audit log tells the truth.

Most of the requests are made from the OpenAPI document (`tests.app.hostility`), so routes that are added later are
attacked without a line here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from steinmetz.clock import FakeClock
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.modules.chat.pace import Pace
from steinmetz.erp.settings import Settings
from steinmetz.gcra import Rate
from steinmetz.realtime.testing import connect
from tests.app.conftest import PASSWORD, add_users, running, settings_for
from tests.app.hostility import Attack, Hostility

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


def is_problem(answer: httpx2.Response) -> bool:
    return (
        answer.headers["content-type"] == "application/problem+json"
        and answer.json()["success"] is False
        and answer.json()["status"] == answer.status_code
    )


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


NOT_ATTACKED = frozenset({"/api/system/maintenance"})
"""Once switched on, everybody else is refused, and the rest of the attacks would find a closed house."""
OF_SIGN_INS = frozenset({"sessions", "session_revocations", "sign_in_entries"})
OF_THE_WORKER = frozenset({"batch_jobs", "batch_items"})
"""Tables that are written behind the requests, by the worker of the batch jobs."""
INSIDE = (
    "Traceback",
    'File "',
    "SELECT ",
    "INSERT ",
    "sqlite",
    "asyncpg",
    "sqlalchemy",
    "psycopg",
    "IntegrityError",
)


UNAUDITED = {"chat_messages", "chat_reads", "notification_reads"}
"""Their rows are their own record (docs/decisions/0012)."""


@dataclass(frozen=True, slots=True)
class Look:
    """What has changed since the last look."""

    tables: set[str]
    """But those of sign-ins, of the worker, and the audit log."""
    acts: list[str]
    """The request ids of the new entries of the audit log."""


Ask = Callable[[str], Awaitable[list[tuple[Any, ...]]]]
"""One statement on the ledger's connection."""


@asynccontextmanager
async def _asking(url: str) -> AsyncIterator[Ask]:
    """SQLite is asked without the driver's thread: a look reads every table."""
    if url.startswith("sqlite"):
        plain = sqlite3.connect(str(make_url(url).database))

        async def ask_file(statement: str) -> list[tuple[Any, ...]]:
            return plain.execute(statement).fetchall()

        try:
            yield ask_file
        finally:
            plain.close()
        return
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:

        async def ask_server(statement: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await connection.exec_driver_sql(statement)]

        yield ask_server
    await engine.dispose()


class Ledger:
    """What the database holds, seen from a connection of its own."""

    def __init__(self, ask: Ask, *, is_sqlite: bool) -> None:
        self._ask = ask
        # Each moves with whatever is committed, so where it stands nothing was.
        self._moving = "PRAGMA data_version" if is_sqlite else "SELECT pg_current_wal_insert_lsn()::text"
        self._state: Any = None
        self._digests: dict[str, str] = {}
        self._newest = 0

    async def look(self) -> Look:
        ((state,),) = await self._ask(self._moving)
        if state == self._state:
            return Look(set(), [])
        self._state = state
        before, self._digests = self._digests, {}
        for name in schema().tables:
            rows = await self._ask(f'SELECT * FROM "{name}"')
            self._digests[name] = hashlib.sha256(
                "\n".join(sorted(map(repr, rows))).encode("utf-8", "surrogatepass")
            ).hexdigest()
        entries = await self._ask(
            f"SELECT id, request_id FROM audit_entries WHERE id > {self._newest} ORDER BY id"
        )
        if entries:
            self._newest = entries[-1][0]
        changed = {name for name, digest in self._digests.items() if before.get(name) != digest}
        unasked = OF_SIGN_INS | OF_THE_WORKER | {"audit_entries"}
        return Look(changed - unasked, [str(request_id) for _, request_id in entries])


class Attacker:
    """Sends attacks as they stand, without a client that would put them right, and judges what comes back."""

    def __init__(self, app: Application, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger
        self._tokens: dict[str, bytes] = {}
        self._sent = 0
        self.statuses: Counter[int] = Counter()
        self.accepted: set[str] = set()
        """The operations that changed something."""

    async def send(self, attack: Attack) -> tuple[int, dict[bytes, bytes], bytes]:
        path, _, query = attack.target.partition("?")
        headers = [(b"host", b"testserver"), (b"content-length", str(len(attack.body)).encode()), *attack.headers]
        if attack.caller not in {"nobody", "forger"} and b"authorization" not in dict(headers):
            headers.append((b"authorization", await self._token(attack.caller)))
        if b"x-request-id" not in dict(headers):
            headers.append((b"x-request-id", f"attack-{self._sent}".encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": attack.method,
            "scheme": "http",
            # As uvicorn does it.
            "path": unquote(path),
            "raw_path": path.encode("ascii", "replace"),
            "query_string": query.encode("ascii", "replace"),
            "root_path": "",
            "headers": headers,
            # Sign-ins are slowed down by address; each attack comes from one of its own.
            "client": (f"10.{self._sent >> 16}.{self._sent >> 8 & 255}.{self._sent & 255}", 4_711),
            "server": ("testserver", 80),
        }
        self._sent += 1
        waiting = [{"type": "http.request", "body": attack.body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), body

    async def _token(self, role: str) -> bytes:
        if role not in self._tokens:
            user = json.dumps({"email": f"{role}@example.com", "password": PASSWORD}).encode()
            kind = ((b"content-type", b"application/json"),)
            status, _, body = await self.send(Attack("", "POST", "/api/auth/login", user, kind, "nobody"))
            assert status == 200, body
            self._tokens[role] = f"Bearer {json.loads(body)['data']['accessToken']}".encode()
            await self._ledger.look()
        return self._tokens[role]

    async def judge(self, attack: Attack) -> None:
        """Raises `AssertionError` that names the attack."""
        status, headers, body = await self.send(attack)
        if status == 401 and attack.caller in self._tokens and b"authorization" not in dict(attack.headers):
            # An accepted attack has ended this very sign-in (a sign-out, a new password); the next one counts.
            await self._ledger.look()
            del self._tokens[attack.caller]
            status, headers, body = await self.send(attack)
        why = f"{attack.name} -> {status} {body[:300]!r}"
        self.statuses[status] += 1
        assert status < 500, why
        assert headers[b"x-request-id"], why
        if attack.expected:
            assert status in attack.expected, why
        told = body.decode("utf-8", "replace")
        if status >= 400:
            document = json.loads(told)
            assert headers[b"content-type"] == b"application/problem+json", why
            assert (document["success"], document["status"]) == (False, status), why
            assert document["detail"], why
            assert document["requestId"] == headers[b"x-request-id"].decode(), why
            # A conflict shows the record as it stands, in which an earlier attack may stand as a text.
            ours = json.dumps({name: value for name, value in document.items() if name != "current"})
            assert [word for word in INSIDE if word in ours] == [], why
            assert len(told) < 60_000, why
        look = await self._ledger.look()
        if attack.method == "GET" or status >= 400:
            if look.acts and headers[b"x-request-id"].decode() not in look.acts:
                return  # another's act that came meanwhile
            assert look == Look(set(), []), f"{why} has changed {look}"
            return
        is_own_record = bool(look.tables) and look.tables <= UNAUDITED
        # What changes nothing may be told (rules put in force anew) or not (a cache emptied); a change is, once.
        own = [headers[b"x-request-id"].decode()]
        told_acts = [[]] if is_own_record else [own] if look.tables else [own, []]
        assert look.acts in told_acts, f"{why} has changed {look}"
        if not look.tables:
            return  # a repetition, e.g. of a message with the same key
        self.accepted.add(operation_of(attack))
        data = json.loads(told).get("data") if told.startswith("{") else None
        for name, sent in attack.sent.items():
            if isinstance(data, dict) and isinstance(data.get(name), str):
                kept = sent.strip().lower() if name == "email" else sent.strip()
                assert data[name] == kept, f"{why}: {name} is not what was sent"


@pytest.fixture
def company_url(request: pytest.FixtureRequest, engine_name: str, tmp_path: Path) -> Iterator[str]:
    """A small company: hostile requests need something to hit. The attackers are none of its demo users, whose
    password stands in the examples."""
    with ExitStack() as stack:
        if engine_name == "postgresql":
            url: str = stack.enter_context(request.getfixturevalue("postgres_company")())
        else:
            url = f"sqlite:///{tmp_path / 'company.db'}"
            shutil.copy(request.getfixturevalue("sqlite_company"), tmp_path / "company.db")
        add_users(url, request.getfixturevalue("user_rows"))
        yield url


def operation_of(attack: Attack) -> str:
    return " ".join(attack.name.split()[:2])


def fair_share(attacks: list[Attack], most: int) -> list[Attack]:
    """At most so many, about as many of each operation."""
    by_operation: dict[str, list[Attack]] = {}
    for attack in Random(7).sample(attacks, len(attacks)):
        by_operation.setdefault(operation_of(attack), []).append(attack)
    rounds = zip_longest(*by_operation.values())
    return [attack for each in rounds for attack in each if attack is not None][:most]


@pytest.mark.timeout(120)
@pytest.mark.both_databases
async def test_no_hostile_request_gets_in_half_way(company_url: str, engine_name: str, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, company_url, log_level="error", rate_limit_user="off", batch_workers=0)
    app = create_app(settings, clock=FakeClock())
    app.state.chat_pace = Pace(Rate(burst=10_000, period_s=1))
    async with running(app), _asking(settings.database_address) as ask:
        ledger = Ledger(ask, is_sqlite=engine_name == "sqlite")
        await ledger.look()
        attacker = Attacker(app, ledger)
        attacks = list(Hostility(app.api.openapi()).attacks(NOT_ATTACKED))
        assert len(attacks) > 1_500
        most = 2_100 if engine_name == "sqlite" else 150
        for attack in fair_share(attacks, most):
            await attacker.judge(attack)
    assert {200, 401, 403, 404, 422} <= set(attacker.statuses)
    assert {409, 415} <= set(attacker.statuses) or engine_name != "sqlite"
    assert len(attacker.accepted) >= 20 or engine_name != "sqlite", sorted(attacker.accepted)


LISTS = [
    "/api/users",
    "/api/customers",
    "/api/invoices",
    "/api/payments",
    "/api/refunds",
    "/api/credit-notes",
    "/api/accounts",
    "/api/journal-entries",
    "/api/transactions",
    "/api/audit",
    "/api/functions/search?q=a",
    "/api/chat/channels",
    "/api/chat/messages?q=a",
    "/api/chat/channels/general/messages",
    "/api/notifications",
]
FORGED = [None, 2**31, 2**63 - 1, -(2**63), "\x00", "\ud800", "0001-01-01", True, 1.5, [], {}]


@pytest.mark.both_databases
@pytest.mark.parametrize("path", LISTS)
async def test_a_forged_cursor_is_refused_or_gives_an_empty_page_but_never_reaches_the_database_as_nonsense(
    sign_in: SignIn, engine_name: str, path: str
) -> None:
    admin = await sign_in("admin")
    for value in FORGED:
        for values in ((value,), (value, 1), ("x", value), ("2026-01-01", value)):
            answer = await admin.get(
                path, params={"cursor": cursor(*values), **({"q": "a"} if "?" in path else {})}
            )
            assert answer.status_code in {200, 422}, (values, answer.text)


@pytest.mark.both_databases
@pytest.mark.parametrize("day", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
async def test_an_instant_that_utc_cannot_say_is_invalid_input(
    sign_in: SignIn, engine_name: str, day: str
) -> None:
    auditor = await sign_in("auditor")
    for name in ("from", "to"):
        answer = await auditor.get("/api/audit", params={name: day})
        assert answer.status_code == 422
        assert is_problem(answer)
    for edge in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert (await auditor.get("/api/audit", params={"from": edge})).status_code == 200


@pytest.mark.both_databases
async def test_an_address_that_grows_in_lower_case_is_measured_afterwards(
    sign_in: SignIn, engine_name: str
) -> None:
    admin = await sign_in("admin")
    user = {"email": "İ" * 200 + "@b", "name": "x", "role": "clerk", "password": "long enough 1"}
    answer = await admin.post("/api/users", json=user)
    assert answer.status_code == 422
    assert "254" in answer.json()["detail"]


async def test_every_reading_answers_head_as_get_without_the_body(
    sign_in: SignIn, client: httpx2.AsyncClient
) -> None:
    clerk = await sign_in("clerk")
    for path in ("/api/auth/me", "/api/customers", "/api/functions/rules", "/healthz", "/docs"):
        read, asked = await clerk.get(path), await clerk.head(path)
        assert (asked.status_code, asked.content) == (200, b""), path
        assert asked.headers["content-length"] == read.headers["content-length"]
        assert asked.headers["content-type"] == read.headers["content-type"]
    refused = await client.head("/api/customers")
    assert (refused.status_code, refused.content) == (401, b"")
    assert (await clerk.head("/api/auth/login")).status_code == 405


async def test_a_websocket_where_there_is_none_is_told_where_they_are(app: Application) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": "/api/customers", "headers": [], "query_string": b""}
    await app({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    assert sent[0]["status"] == 404
    assert "/socket.io/" in json.loads(sent[1]["body"])["detail"]
    sent.clear()
    await app(scope, receive, send)
    assert sent == [{"type": "websocket.close"}]


async def test_auth_refresh_with_too_many_arguments_is_answered(app: Application, sign_in: SignIn) -> None:
    token = (await sign_in("clerk")).headers["Authorization"].removeprefix("Bearer ")
    async with connect(app.state.io, auth={"token": token}) as socket:
        assert (await socket.call("auth:refresh", {"token": token}, 2, 3))["error"]["code"] == "invalid"
        assert (await socket.call("auth:refresh", 1, 2))["error"]["code"] == "invalid"
        assert await socket.call("auth:refresh", {"token": token}) == {"ok": True}


async def test_a_probe_does_not_wait_for_those_who_write(
    client: httpx2.AsyncClient, app: Application, settings: Settings
) -> None:
    path = str(make_url(settings.database_address).database)
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # In a thread: who holds the pen now may need the loop to let go of it.
        await asyncio.to_thread(writer.execute, "BEGIN IMMEDIATE")
        answer = await asyncio.wait_for(client.get("/readyz"), 4)
        assert answer.status_code == 200
    finally:
        writer.close()
