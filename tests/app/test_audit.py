"""The logs tell the truth: who, when, what it was before and what it is now; they can be taken along as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.auth import doorkeeper
from steinmetz.erp.modules.system import service
from tests.app.conftest import PASSWORD

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
Act = Callable[[], Awaitable[httpx2.Response]]

FOLLOWS = {
    *("version", "updatedAt", "createdAt", "trail", "childCount", "id"),
    *("customerName", "payments", "creditNotes", "refunds", "openCents", "refundDueCents"),
    *("employees", "department"),
}
"""Fields that follow from others, or say that something was changed and not what."""
SECRET = {"salaryCents"}
"""Of these the log says that they were changed, and never what they are."""
ITEMS = [{"description": "Wartung", "unitPriceCents": 10_000}]


class Witness:
    """Reads a record before and after a write, and compares what the log says of it."""

    def __init__(self, admin: httpx2.AsyncClient) -> None:
        self.admin = admin

    async def read(self, path: str) -> dict[str, Any]:
        answer = await self.admin.get(path, headers={"Cache-Control": "no-cache"})
        data: dict[str, Any] = answer.json()["data"] if answer.status_code == 200 else {}
        return data

    async def entries(self, request_id: str) -> list[dict[str, Any]]:
        answer = await self.admin.get("/api/audit", params={"requestId": request_id})
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    async def verify(self, act: Act, action: str, path: str, actor: str) -> dict[str, Any]:
        """Do it; returns what it answered. ``path`` may hold ``{id}`` for a record that is made by it."""
        before = await self.read(path)
        answer = await act()
        assert answer.is_success, answer.text
        data: dict[str, Any] = answer.json()["data"]
        after = await self.read(path.format(id=data.get("id", "")))
        entries = await self.entries(answer.headers["x-request-id"])
        assert [entry["action"] for entry in entries] == [action]
        entry = entries[0]
        assert (entry["actorName"], entry["at"]) == (actor, "2026-03-02T09:00:00Z")
        assert entry["entityId"] == str((after or before)["id"])
        said_before, said_after = entry["before"] or {}, entry["after"] or {}
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        changed -= FOLLOWS | SECRET
        assert changed <= said_before.keys() | said_after.keys(), f"{action} keeps silent about a change"
        for said, record in ((said_before, before), (said_after, after)):
            for name in (said.keys() & record.keys()) - SECRET:
                assert said[name] == record[name], f"{action} says something wrong about {name}"
                assert not before or name in changed | FOLLOWS, (
                    f"{action} says that {name} was changed, and it was not"
                )
        return data


@pytest.fixture
async def witness(sign_in: SignIn) -> Witness:
    return Witness(await sign_in("admin"))


@pytest.mark.both_databases
class TestWhatIsSaidOfAWrite:
    async def test_of_finance_is_what_has_changed(self, witness: Witness, sign_in: SignIn) -> None:
        http, who = await sign_in("manager"), "Manager Beispiel"

        async def verify(method: str, path: str, body: dict[str, Any], action: str, record: str) -> dict[str, Any]:
            return await witness.verify(lambda: http.request(method, path, json=body), action, record, who)

        customer = await verify(
            "POST", "/api/customers", {"name": "Muster", "city": "Aalen"}, "customer.create", "/api/customers/{id}"
        )
        place = f"/api/customers/{customer['id']}"
        patch = {"version": 1, "paymentDays": 30, "postalCode": "73430", "name": "Muster"}
        await verify("PATCH", place, patch, "customer.change", place)

        data = {"customerId": customer["id"], "items": ITEMS}
        invoice = await verify("POST", "/api/invoices", data, "invoice.create", "/api/invoices/{id}")
        place = f"/api/invoices/{invoice['id']}"
        patch = {"version": 1, "note": "Bitte prüfen", "items": [*ITEMS, *ITEMS]}
        changed = await verify("PATCH", place, patch, "invoice.change", place)
        sent = await verify("POST", f"{place}/send", {"version": changed["version"]}, "invoice.send", place)
        part = {"version": sent["version"], "amountCents": 100}
        partly = await verify("POST", f"{place}/pay", part, "invoice.pay", place)
        rest = {"version": partly["version"], "amountCents": sent["grossCents"] - 100}
        paid = await verify("POST", f"{place}/pay", rest, "invoice.pay", place)
        assert paid["status"] == "paid"
        credit = {"version": paid["version"], "reason": "Kulanz"}
        await verify("POST", f"{place}/credit", credit, "invoice.credit", place)
        owing = await witness.read(place)
        back = {"version": owing["version"], "amountCents": owing["refundDueCents"]}
        await verify("POST", f"{place}/refund", back, "invoice.refund", place)

        other = (await http.post("/api/invoices", json=data)).json()["data"]
        place = f"/api/invoices/{other['id']}"
        await verify("POST", f"{place}/cancel", {"version": 1}, "invoice.cancel", place)

    async def test_of_people_is_what_has_changed_and_no_salary(self, witness: Witness, sign_in: SignIn) -> None:
        http, who = await sign_in("manager"), "Manager Beispiel"

        async def verify(method: str, path: str, body: dict[str, Any], action: str, record: str) -> dict[str, Any]:
            return await witness.verify(lambda: http.request(method, path, json=body), action, record, who)

        department = {"name": "Versand", "costCenter": "4711"}
        founded = await verify(
            "POST", "/api/departments", department, "department.create", "/api/departments/{id}"
        )
        place = f"/api/departments/{founded['id']}"
        renamed = {"version": 1, "name": "Logistik"}
        await verify("PATCH", place, renamed, "department.change", place)

        person = {
            "firstName": "Ada",
            "lastName": "Kern",
            "email": "ada.kern@example.com",
            "jobTitle": "Leitung",
            "departmentId": founded["id"],
            "hiredOn": "2026-01-01",
            "salaryCents": 412_345,
        }
        hired = await verify("POST", "/api/employees", person, "employee.create", "/api/employees/{id}")
        place = f"/api/employees/{hired['id']}"
        raised = {"version": 1, "salaryCents": 498_765, "weeklyMinutes": 1800}
        await verify("PATCH", place, raised, "employee.change", place)
        told = (await witness.admin.get("/api/audit", params={"entity": "employee"})).text
        assert "412345" not in told
        assert "498765" not in told

    async def test_of_the_catalogue_is_what_has_changed(self, witness: Witness, sign_in: SignIn) -> None:
        http, who, nodes = await sign_in("manager"), "Manager Beispiel", "/api/functions/nodes"

        async def verify(method: str, path: str, body: dict[str, Any], action: str, record: str) -> dict[str, Any]:
            return await witness.verify(lambda: http.request(method, path, json=body), action, record, who)

        area = {"title": "Finanzen", "parentId": None}
        await verify("POST", nodes, area, "function.create", f"{nodes}/{{id}}")
        await http.post(nodes, json={"title": "Controlling", "parentId": "finanzen"})
        below = {"title": "Kennzahlen", "parentId": "finanzen", "position": 0}
        node = await verify("POST", nodes, below, "function.create", f"{nodes}/{{id}}")
        place = f"{nodes}/{node['id']}"
        patch = {"version": 1, "title": "Zahlen", "minRole": "manager", "icon": "📊"}
        changed = await verify("PATCH", place, patch, "function.change", place)
        await http.post(nodes, json={"title": "Archiv", "parentId": None})
        move = {"version": changed["version"], "parentId": "archiv"}
        moved = await verify("POST", f"{place}/move", move, "function.move", place)
        gone = await http.delete(place, params={"version": moved["version"]})
        entry = (await witness.entries(gone.headers["x-request-id"]))[0]
        assert (entry["action"], entry["before"]["title"], entry["after"]) == ("function.delete", "Zahlen", None)

        reloaded = await witness.admin.post("/api/functions/reload")
        entry = (await witness.entries(reloaded.headers["x-request-id"]))[0]
        assert entry["after"] == {"loadedAt": reloaded.json()["data"]["loadedAt"]}

    async def test_of_users_is_what_has_changed_and_no_secret(self, witness: Witness, sign_in: SignIn) -> None:
        admin, who = witness.admin, "Admin Beispiel"

        async def verify(method: str, path: str, body: dict[str, Any], action: str, record: str) -> dict[str, Any]:
            return await witness.verify(lambda: admin.request(method, path, json=body), action, record, who)

        new = {"email": "neu@example.com", "name": "Neu", "role": "clerk", "password": PASSWORD}
        user = await verify("POST", "/api/users", new, "user.create", "/api/users/{id}")
        place = f"/api/users/{user['id']}"
        patch = {"version": 1, "name": "Alt", "role": "manager"}
        user = await verify("PATCH", place, patch, "user.change", place)
        user = await verify("POST", f"{place}/disable", {"version": user["version"]}, "user.disable", place)
        await verify("POST", f"{place}/enable", {"version": user["version"]}, "user.enable", place)
        await verify("POST", f"{place}/password", {"newPassword": "ein anderes Wort"}, "user.password", place)
        manager, own = await sign_in("manager"), {"currentPassword": PASSWORD, "newPassword": "mein eigenes Wort"}
        changing = manager.post("/api/auth/password", json=own)
        await witness.verify(lambda: changing, "user.password", "/api/users/2", "Manager Beispiel")
        log = json.dumps((await admin.get("/api/audit", params={"entity": "user"})).json())
        assert PASSWORD not in log
        assert "Wort" not in log
        assert "argon2" not in log

    async def test_of_a_change_that_changes_nothing_there_is_nothing(
        self, witness: Witness, sign_in: SignIn
    ) -> None:
        http = await sign_in("manager")
        customer = (await http.post("/api/customers", json={"name": "Muster"})).json()["data"]
        draft = {"customerId": customer["id"], "items": ITEMS}
        invoice = (await http.post("/api/invoices", json=draft)).json()["data"]
        for answer in (
            await http.patch(f"/api/customers/{customer['id']}", json={"version": 1, "name": "Muster"}),
            await http.patch(f"/api/invoices/{invoice['id']}", json={"version": 1, "note": ""}),
        ):
            assert answer.status_code == 200
            assert await witness.entries(answer.headers["x-request-id"]) == []


class TestOneEntry:
    async def test_is_what_the_list_says_of_it(self, sign_in: SignIn) -> None:
        manager, auditor = await sign_in("manager"), await sign_in("auditor")
        await manager.post("/api/customers", json={"name": "Muster"})
        listed = (await auditor.get("/api/audit", params={"entity": "customer"})).json()["data"][0]
        answer = await auditor.get(f"/api/audit/{listed['id']}")
        assert answer.json()["data"] == listed
        assert (await auditor.get("/api/audit/999999")).status_code == 404
        assert (await manager.get(f"/api/audit/{listed['id']}")).status_code == 403

    async def test_a_change_is_in_the_kept_list_at_once(self, sign_in: SignIn) -> None:
        manager, auditor = await sign_in("manager"), await sign_in("auditor")
        before = await auditor.get("/api/audit")
        assert (await auditor.get("/api/audit")).headers["x-cache"] == "HIT"
        await manager.post("/api/customers", json={"name": "Muster"})
        after = await auditor.get("/api/audit")
        assert after.json()["page"]["total"] == before.json()["page"]["total"] + 1
        assert after.json()["data"][0]["action"] == "customer.create"


class TestSignIns:
    async def test_are_written_down_with_how_they_went(
        self, sign_in: SignIn, client: httpx2.AsyncClient, clock: FakeClock
    ) -> None:
        auditor = await sign_in("auditor")
        right = {"email": "clerk@example.com", "password": PASSWORD}
        agent = {"User-Agent": "Probe/1"}
        await client.post("/api/auth/login", json=right | {"password": "mein geheimes"}, headers=agent)
        await client.post("/api/auth/login", json=right | {"email": "mein geheimes"}, headers=agent)
        await client.post("/api/auth/login", json=right, headers=agent)
        used_up = client.cookies["steinmetz_refresh"]
        await client.post("/api/auth/refresh")
        clock.advance(11)
        client.cookies.set("steinmetz_refresh", used_up, domain="testserver.local", path="/api/auth")
        reused = await client.post("/api/auth/refresh", headers={"Cookie": f"steinmetz_refresh={used_up}"})
        assert reused.status_code == 401, reused.text
        client.cookies.clear()
        await client.post("/api/auth/login", json=right, headers=agent)
        await client.post("/api/auth/logout")
        answer = await auditor.get("/api/audit/sign-ins")
        rows = answer.json()["data"]
        told = [(row["outcome"], row["userId"], row["userName"], row["detail"]) for row in rows]
        assert told == [
            ("signed_out", 3, "Clerk Beispiel", ""),
            ("signed_in", 3, "Clerk Beispiel", ""),
            ("reused", 3, "Clerk Beispiel", "the sign-in was ended"),
            ("signed_in", 3, "Clerk Beispiel", ""),
            ("refused", None, "", "no such user"),
            ("refused", 3, "Clerk Beispiel", "wrong password"),
            ("signed_in", 4, "Auditor Beispiel", ""),
        ]
        assert {row["address"] for row in rows} == {"127.0.0.1"}
        assert rows[1]["userAgent"] == "Probe/1"
        assert all(row["requestId"] for row in rows)
        assert "geheimes" not in answer.text
        revoked = (await auditor.get("/api/audit", params={"action": "session.revoke"})).json()["data"]
        assert [entry["after"] for entry in revoked] == [{"reason": "refresh token used twice"}]

        refused = {"outcome": "refused", "userId": 3, "from": "2026-03-02T09:00:00Z", "to": "2026-03-02T09:00:01Z"}
        some = (await auditor.get("/api/audit/sign-ins", params=refused)).json()
        assert [row["detail"] for row in some["data"]] == ["wrong password"]
        page = (await auditor.get("/api/audit/sign-ins", params={"limit": 5})).json()["page"]
        assert page["total"] == 7
        last = (await auditor.get("/api/audit/sign-ins", params={"limit": 5, "cursor": page["next"]})).json()
        assert len(last["data"]) == 2

    async def test_are_for_administrators_and_auditors(self, sign_in: SignIn, client: httpx2.AsyncClient) -> None:
        for path in ("/api/audit/sign-ins", "/api/audit/export", "/api/system/chores"):
            for role, status in (("admin", 200), ("auditor", 200), ("manager", 403), ("clerk", 403)):
                assert (await (await sign_in(role)).get(path)).status_code == status, (path, role)
            assert (await client.get(path)).status_code == 401

    async def test_of_a_crowd_of_guessers_are_counted_and_do_not_fill_the_log(
        self, sign_in: SignIn, client: httpx2.AsyncClient, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        auditor = await sign_in("auditor")
        monkeypatch.setattr(doorkeeper.Gcra, "peek", _only_so_many(doorkeeper.Gcra.peek))
        for number in range(8):
            guess = {"email": f"{number}@example.com", "password": "falsches Wort"}
            assert (await client.post("/api/auth/login", json=guess)).status_code == 401
        clock.advance(60)
        await client.post("/api/auth/login", json={"email": "x@example.com", "password": "falsches Wort"})
        rows = (await auditor.get("/api/audit/sign-ins", params={"outcome": "refused"})).json()["data"]
        assert [row["detail"] for row in rows] == [
            "no such user; 5 refusals before it were not written",
            *["no such user"] * 3,
        ]


def _only_so_many(peek: Any) -> Any:
    """The log's own rate with a burst of three."""
    few = doorkeeper.Rate(burst=3, period_s=1)

    def peeking(self: Any, *asked: Any) -> Any:
        if self.rate == doorkeeper.WRITTEN_REFUSALS:
            self.rate = few
        return peek(self, *asked)

    return peeking


@pytest.mark.both_databases
class TestFilters:
    async def test_find_by_request_and_by_words(self, app: Application, sign_in: SignIn) -> None:
        klara = Actor(3, "Klara Clerk", Role.CLERK)
        for number, summary in enumerate(("RE 2026-0001 Müller", "100 % Rabatt", "RE_2")):
            async with app.state.database.unit(actor=klara, request_id=f"r{number}") as unit:
                service.audit.record(unit, "invoice.pay", "invoice", number, summary)
        auditor = await sign_in("auditor")

        async def found(**wanted: str) -> list[str]:
            rows = (await auditor.get("/api/audit", params={"entity": "invoice", **wanted})).json()["data"]
            return [row["entityId"] for row in rows]

        assert await found(requestId="r1") == ["1"]
        assert await found(requestId="r") == []
        assert await found(q="re 2026") == ["0"]
        assert await found(q="%") == ["1"]
        assert await found(q="e_2") == ["2"]
        assert await found(q="klara") == ["2", "1", "0"]
        assert await found(q="") == ["2", "1", "0"]
        for bad in ({"q": "x" * 101}, {"q": "\0"}, {"requestId": "x" * 41}, {"nobody": "knows"}):
            for path in ("/api/audit", "/api/audit/export"):
                assert (await auditor.get(path, params=bad)).status_code == 422, bad


@pytest.mark.both_databases
class TestExport:
    async def test_is_csv_of_the_whole_span_oldest_first(
        self, app: Application, sign_in: SignIn, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service.audit, "EXPORT_SLICE", 2)
        for number in range(5):
            async with app.state.database.unit(request_id=f"r{number}") as unit:
                service.audit.record(
                    unit, "invoice.pay", "invoice", number, 'Müller, "Sohn"\nund', {"a": 0}, {"a": "ü"}
                )
            clock.advance(60)
        auditor = await sign_in("auditor")
        span = {"entity": "invoice", "from": "2026-03-02T09:01:00Z", "to": "2026-03-02T09:04:00Z"}
        answer = await auditor.get("/api/audit/export", params=span)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(b"\xef\xbb\xbfid,at,actorId,")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        assert [row["entityId"] for row in rows] == ["1", "2", "3"]
        assert rows[0] | {"id": ""} == {
            "id": "",
            "at": "2026-03-02T09:01:00Z",
            "actorId": "",
            "actorName": "SteinmetZ",
            "action": "invoice.pay",
            "entity": "invoice",
            "entityId": "1",
            "summary": 'Müller, "Sohn"\nund',
            "before": '{"a": 0}',
            "after": '{"a": "ü"}',
            "requestId": "r1",
        }

    async def test_holds_nothing_that_a_spreadsheet_takes_for_a_formula(
        self, app: Application, sign_in: SignIn
    ) -> None:
        evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("http://x","y")']
        for number, summary in enumerate(evil):
            async with app.state.database.unit(actor=Actor(3, summary, Role.CLERK)) as unit:
                service.audit.record(unit, "a", "formula", summary, summary, {summary: summary}, None)
            assert number < len(evil)
        answer = await (await sign_in("admin")).get("/api/audit/export", params={"entity": "formula"})
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))[1:]
        assert len(rows) == len(evil)
        for row, summary in zip(rows, evil, strict=True):
            assert row.count("'" + summary) == 3
            assert not [cell for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))]


class TestChores:
    async def test_are_told_with_their_last_run_and_the_next(
        self, app: Application, sign_in: SignIn, client: httpx2.AsyncClient, clock: FakeClock
    ) -> None:
        assert app.state.scheduler is not None
        clock.advance(86_400)
        await app.state.scheduler.run_due(clock.now())
        auditor = await sign_in("auditor")
        clock.advance(10)
        chores = {chore["name"]: chore for chore in (await auditor.get("/api/system/chores")).json()["data"]}
        assert chores["overdue invoices"] == {
            "name": "overdue invoices",
            "when": "daily",
            "dueAt": "2026-03-03T23:00:00Z",
            "triedAt": "2026-03-03T09:00:00Z",
            "doneAt": "2026-03-03T09:00:00Z",
            "durationMs": 0,
            "changed": 0,
            "failures": 0,
            "error": "",
        }
        assert chores["end of maintenance"]["when"] == "every 1 min"
        assert chores["end of maintenance"]["dueAt"] == "2026-03-03T09:01:00Z"
        assert set(chores) == {chore.name for chore in app.state.scheduler.chores}
        lines = (await client.get("/metrics")).text.splitlines()
        figures = dict(line.rpartition(" ")[::2] for line in lines)
        assert float(figures['steinmetz_chore_failures{chore="overdue invoices"}']) == 0
        at = float(figures['steinmetz_chore_last_run_seconds{chore="overdue invoices"}'])
        assert at == clock.now().timestamp() - 10
