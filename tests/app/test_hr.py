"""Departments, employees, hours, leave and statistics over HTTP: who may what, what is kept, what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from tests.app.test_finance import data, problem

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]

SALARY_CENTS = 412_345
SALARIED = {Role.ADMIN, Role.MANAGER, Role.AUDITOR}


@dataclass
class Company:
    """One client a role. The clerk and the manager are employees, and there is one without an account."""

    http: dict[Role, httpx2.AsyncClient]
    department_id: int
    clerk_id: int
    manager_id: int
    other_id: int

    @property
    def admin(self) -> httpx2.AsyncClient:
        return self.http[Role.ADMIN]

    async def entry(self, employee_id: int, start: int, date: str = "2026-03-02") -> dict[str, Any]:
        body = {"employeeId": employee_id, "date": date, "startMinute": start, "endMinute": start + 10}
        made: dict[str, Any] = await data(self.admin.post("/api/time-entries", json=body), 201)
        return made

    async def request(self, employee_id: int, day: str) -> dict[str, Any]:
        body = {"employeeId": employee_id, "kind": "special", "firstDay": day, "lastDay": day}
        made: dict[str, Any] = await data(self.admin.post("/api/leave-requests", json=body), 201)
        return made


@pytest.fixture
async def company(sign_in: SignIn) -> Company:
    http = {role: await sign_in(role) for role in Role}
    admin = http[Role.ADMIN]
    department = await data(admin.post("/api/departments", json={"name": "Produktion", "costCenter": "4000"}), 201)
    users = {role: (await data(http[role].get("/api/auth/me")))["id"] for role in Role}

    async def hire(name: str, user_id: int | None = None) -> int:
        body = {
            "firstName": name,
            "lastName": "Beispiel",
            "email": f"{name.lower()}@example.com",
            "departmentId": department["id"],
            "jobTitle": "Dreher",
            "salaryCents": SALARY_CENTS,
            "hiredOn": "2020-01-01",
            "userId": user_id,
        }
        hired: int = (await data(admin.post("/api/employees", json=body), 201))["id"]
        return hired

    return Company(
        http,
        department["id"],
        await hire("Carla", users[Role.CLERK]),
        await hire("Marta", users[Role.MANAGER]),
        await hire("Otto"),
    )


# Who may what: role -> the status of the answer

READ = dict.fromkeys(Role, 200)
MANAGERS_READ = READ | {Role.CLERK: 403}
WRITE = {Role.ADMIN: 200, Role.MANAGER: 200, Role.CLERK: 200, Role.AUDITOR: 403}
MANAGERS_WRITE = WRITE | {Role.CLERK: 403}

READINGS: list[tuple[str, dict[Role, int]]] = [
    ("/api/departments", READ),
    ("/api/departments/{department_id}", READ),
    ("/api/employees", READ),
    ("/api/employees/{other_id}", READ),
    ("/api/time-entries", READ),
    ("/api/time-entries?employeeId={clerk_id}", READ),
    ("/api/time-entries?employeeId={other_id}", MANAGERS_READ),
    ("/api/time-entries/week?employeeId={clerk_id}", READ),
    ("/api/time-entries/week?employeeId={other_id}", MANAGERS_READ),
    # Without a name it is one's own: the administrator and the auditor of this company are no employees.
    ("/api/time-entries/week", {Role.ADMIN: 422, Role.MANAGER: 200, Role.CLERK: 200, Role.AUDITOR: 422}),
    ("/api/leave-requests", READ),
    ("/api/leave-requests?employeeId={clerk_id}", READ),
    ("/api/leave-requests?employeeId={other_id}", MANAGERS_READ),
    ("/api/leave-requests/allowance?employeeId={clerk_id}", READ),
    ("/api/leave-requests/allowance?employeeId={other_id}", MANAGERS_READ),
    ("/api/leave-requests/allowance", {Role.ADMIN: 422, Role.MANAGER: 200, Role.CLERK: 200, Role.AUDITOR: 422}),
    ("/api/hr/statistics", MANAGERS_READ),
]


async def test_who_may_read_what(company: Company, client: httpx2.AsyncClient) -> None:
    """Asked twice: what is kept for one must not open the door for another."""
    for template, expected in READINGS:
        path = template.format_map(vars(company))
        for _ in range(2):
            assert {role: (await http.get(path)).status_code for role, http in company.http.items()} == expected, (
                path
            )
        assert (await client.get(path)).status_code == 401, path


Preparation = Callable[[Company, int], Awaitable[tuple[str, str, dict[str, Any] | None]]]
"""Method, path and body of a write that succeeds for who may; the number makes each one different."""


_names = count(1)


def _new_department() -> dict[str, Any]:
    n = next(_names)
    return {"name": f"Abteilung {n}", "costCenter": f"{n}"}


async def _department(company: Company) -> dict[str, Any]:
    made: dict[str, Any] = await data(company.admin.post("/api/departments", json=_new_department()), 201)
    return made


async def _found(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
    return "POST", "/api/departments", _new_department()


async def _rename(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
    made = await _department(company)
    return "PATCH", f"/api/departments/{made['id']}", {"version": 1, "name": f"Umbenannte {made['name']}"}


async def _close(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
    made = await _department(company)
    return "DELETE", f"/api/departments/{made['id']}?version=1", None


def _new_employee(company: Company) -> dict[str, Any]:
    n = next(_names)
    return {
        "firstName": "Neu",
        "lastName": f"Nummer {n}",
        "email": f"neu{n}@example.com",
        "departmentId": company.department_id,
        "jobTitle": "Fräserin",
        "hiredOn": "2026-01-01",
    }


async def _hire(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
    return "POST", "/api/employees", _new_employee(company)


async def _promote(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
    made = await data(company.admin.post("/api/employees", json=_new_employee(company)), 201)
    return "PATCH", f"/api/employees/{made['id']}", {"version": 1, "jobTitle": "Meisterin", "salaryCents": 1}


def _of(whose: str) -> dict[str, Preparation]:
    """The writes on hours and leave of ``clerk_id`` or ``other_id``."""

    async def enter(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
        body = {"employeeId": getattr(company, whose), "date": "2026-03-02", "startMinute": n, "endMinute": n + 1}
        return "POST", "/api/time-entries", body

    async def correct(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
        made = await company.entry(getattr(company, whose), n, "2026-02-27")
        return "PATCH", f"/api/time-entries/{made['id']}", {"version": 1, "note": "geprüft"}

    async def remove(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
        made = await company.entry(getattr(company, whose), n, "2026-02-26")
        return "DELETE", f"/api/time-entries/{made['id']}?version=1", None

    async def ask(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
        day = f"2027-01-{n // 10 + 1:02d}"
        body = {"employeeId": getattr(company, whose), "kind": "special", "firstDay": day, "lastDay": day}
        return "POST", "/api/leave-requests", body

    def on_a_request(method: str, act: str, month: int, body: dict[str, Any]) -> Preparation:
        async def prepared(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
            made = await company.request(getattr(company, whose), f"2027-{month:02d}-{n // 10 + 1:02d}")
            return method, f"/api/leave-requests/{made['id']}{act}", {"version": 1, **body}

        return prepared

    async def revoke(company: Company, n: int) -> tuple[str, str, dict[str, Any] | None]:
        made = await company.request(getattr(company, whose), f"2027-06-{n // 10 + 1:02d}")
        path = f"/api/leave-requests/{made['id']}"
        await data(company.admin.post(f"{path}/approve", json={"version": 1}))
        return "POST", f"{path}/cancel", {"version": 2}

    return {
        "enter": enter,
        "correct": correct,
        "remove": remove,
        "ask": ask,
        "change": on_a_request("PATCH", "", 2, {"kind": "sick"}),
        "approve": on_a_request("POST", "/approve", 3, {}),
        "reject": on_a_request("POST", "/reject", 4, {"reason": "Inventur"}),
        "withdraw": on_a_request("POST", "/cancel", 5, {}),
        "revoke": revoke,
    }


CLERKS_OWN, SOMEBODY_ELSES, MANAGERS_OWN = _of("clerk_id"), _of("other_id"), _of("manager_id")

WRITINGS: dict[str, tuple[Preparation, dict[Role, int]]] = {
    "found a department": (_found, MANAGERS_WRITE),
    "rename a department": (_rename, MANAGERS_WRITE),
    "close a department": (_close, MANAGERS_WRITE),
    "hire": (_hire, MANAGERS_WRITE),
    "promote": (_promote, MANAGERS_WRITE),
    **{
        f"{act} the clerk's own": (prepare, MANAGERS_WRITE if act in {"approve", "reject", "revoke"} else WRITE)
        for act, prepare in CLERKS_OWN.items()
    },
    **{f"{act} somebody else's": (prepare, MANAGERS_WRITE) for act, prepare in SOMEBODY_ELSES.items()},
    **{
        f"{act} the manager's own": (
            prepare,
            MANAGERS_WRITE | ({Role.MANAGER: 403} if act in {"approve", "reject"} else {}),
        )
        for act, prepare in MANAGERS_OWN.items()
    },
}


async def test_who_may_write_what(company: Company, client: httpx2.AsyncClient) -> None:
    for what, (prepare, expected) in WRITINGS.items():
        got = {}
        for place, (role, http) in enumerate(company.http.items()):
            method, path, body = await prepare(company, 10 * place)
            answer = await http.request(method, path, json=body)
            got[role] = 200 if answer.is_success else answer.status_code
            if answer.status_code == 403:
                assert answer.json()["neededRole"] in {"clerk", "manager", "admin"}
        assert got == expected, what
        method, path, body = await prepare(company, 90)
        assert (await client.request(method, path, json=body)).status_code == 401, what


@pytest.mark.both_databases
async def test_a_clerk_never_sees_a_salary_kept_or_not(company: Company, engine_name: str) -> None:
    paths = ["/api/employees", f"/api/employees/{company.other_id}", f"/api/employees/{company.clerk_id}"]
    for order in (list(Role), list(reversed(Role))):
        for role in order:
            for headers in ({}, {}, {"Cache-Control": "no-cache"}, {"Cache-Control": "no-store"}):
                for path in paths:
                    answer = await company.http[role].get(path, headers=headers)
                    assert ("salary" in answer.text) == (role in SALARIED), (role, path, headers)
                    assert (str(SALARY_CENTS) in answer.text) == (role in SALARIED)
    assert (await company.http[Role.CLERK].get(paths[0])).headers["x-cache"] == "HIT"
    assert (await company.http[Role.AUDITOR].get(paths[0])).headers["x-cache"] == "HIT"
    log = await company.http[Role.AUDITOR].get("/api/audit?entity=employee")
    assert "employee.create" in log.text
    assert str(SALARY_CENTS) not in log.text
    refused = await company.http[Role.CLERK].patch(f"/api/employees/{company.other_id}", json={"version": 9})
    assert "salary" not in refused.text


async def test_hours_and_leave_are_kept_for_each_user_alone(company: Company, clock: FakeClock) -> None:
    await company.entry(company.clerk_id, 480)
    await company.entry(company.other_id, 480)
    clerk, auditor = company.http[Role.CLERK], company.http[Role.AUDITOR]
    for path in ("/api/time-entries", "/api/leave-requests"):
        for http in (auditor, clerk):
            assert [(await http.get(path)).headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert len(await data(auditor.get("/api/time-entries"))) == 2
    (own,) = await data(clerk.get("/api/time-entries"))
    assert (own["employeeId"], own["employeeName"]) == (company.clerk_id, "Carla Beispiel")


@pytest.mark.both_databases
async def test_a_write_leaves_alone_what_it_does_not_touch(company: Company, engine_name: str) -> None:
    """Neither the lock on the employee nor the database's own guard makes a write look like one of anything."""
    http = company.http[Role.MANAGER]
    untouched = ["/api/departments", "/api/employees", "/api/leave-requests", "/api/customers"]
    for path in (*untouched, "/api/time-entries"):
        await data(http.get(path))
    entry = await company.entry(company.other_id, 480)
    for act in (
        http.patch(f"/api/time-entries/{entry['id']}", json={"version": 1, "endMinute": 600}),
        http.delete(f"/api/time-entries/{entry['id']}?version=2"),
    ):
        assert {path: (await http.get(path)).headers["x-cache"] for path in untouched} == dict.fromkeys(
            untouched, "HIT"
        )
        assert (await http.get("/api/time-entries")).headers["x-cache"] == "MISS"
        await data(act)
    assert (await http.get("/api/time-entries")).headers["x-cache"] == "MISS"


async def test_today_and_this_week_end_with_the_day(company: Company, clock: FakeClock, sign_in: SignIn) -> None:
    """Trap T14: no commit tells of midnight."""
    await data(
        company.admin.patch(f"/api/employees/{company.other_id}", json={"version": 1, "leftOn": "2026-03-08"})
    )
    paths = [
        "/api/departments",
        f"/api/departments/{company.department_id}",
        "/api/employees?active=true",
        "/api/time-entries/week",
        "/api/leave-requests/allowance",
        "/api/hr/statistics",
    ]
    http = company.http[Role.MANAGER]
    before = {path: await data(http.get(path)) for path in paths}
    assert {(await http.get(path)).headers["x-cache"] for path in paths} == {"HIT"}
    clock.advance(6 * 86_400 + 14 * 3_600 + 30)  # half a minute into Monday
    http = await sign_in(Role.MANAGER)
    after = {path: await data(http.get(path)) for path in paths}
    assert (before[paths[0]][0]["employees"], after[paths[0]][0]["employees"]) == (3, 2)
    assert (before[paths[1]]["employees"], after[paths[1]]["employees"]) == (3, 2)
    assert (len(before[paths[2]]), len(after[paths[2]])) == (3, 2)
    assert (before[paths[3]]["weekStart"], after[paths[3]]["weekStart"]) == ("2026-03-02", "2026-03-09")
    assert after[paths[5]]["headCount"] == {"today": 2, "atStart": 3, "atEnd": 2}
    assert len(await data(http.get("/api/employees?active=false"))) == 1
    assert len(await data(http.get("/api/employees?active=true&at=2026-03-08"))) == 3
    assert len(await data(http.get("/api/employees?at=2019-12-31"))) == 0


@pytest.mark.both_databases
async def test_lists_turn_pages_and_filter(company: Company, engine_name: str) -> None:
    for day in ("2026-02-26", "2026-02-27", "2026-03-02"):
        for start in (0, 600):
            await company.entry(company.other_id, start, day)
            await company.entry(company.clerk_id, start, day)
    for day in ("2026-08-03", "2026-08-04", "2026-08-05"):
        await company.request(company.other_id, day)

    async def pages(path: str) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        cursor = ""
        while True:
            body = (await company.admin.get(f"{path}&limit=2{cursor}")).json()
            seen += body["data"]
            if body["page"]["next"] is None:
                assert body["page"]["total"] == len(seen)
                return seen
            cursor = f"&cursor={body['page']['next']}"

    entries = await pages(f"/api/time-entries?employeeId={company.other_id}")
    assert [each["date"] for each in entries] == ["2026-03-02"] * 2 + ["2026-02-27"] * 2 + ["2026-02-26"] * 2
    assert len(await pages("/api/time-entries?from=2026-02-27&to=2026-02-27&sort=date")) == 4
    assert len(await pages(f"/api/time-entries?departmentId={company.department_id}&project=")) == 12
    assert await pages("/api/time-entries?project=SGM") == []
    requests = await pages("/api/leave-requests?sort=firstDay&status=requested&status=approved")
    assert [each["firstDay"] for each in requests] == ["2026-08-03", "2026-08-04", "2026-08-05"]
    assert len(await pages(f"/api/leave-requests?departmentId={company.department_id}&from=2026-08-04")) == 2
    assert [each["firstName"] for each in await pages("/api/employees?sort=number")] == ["Carla", "Marta", "Otto"]
    assert [each["firstName"] for each in await pages("/api/employees?q=otto&sort=-hiredOn")] == ["Otto"]


async def test_a_week_over_http(company: Company) -> None:
    await company.entry(company.clerk_id, 480)
    await company.request(company.clerk_id, "2026-03-04")
    shown = await data(company.http[Role.CLERK].get("/api/time-entries/week?week=2026-03-08"))
    assert (shown["weekStart"], shown["minutes"], shown["targetMinutes"]) == ("2026-03-02", 10, 2_400)
    assert [each["date"][-2:] for each in shown["days"]] == ["02", "03", "04", "05", "06", "07", "08"]
    assert shown["days"][0]["entries"][0]["startMinute"] == 480
    assert shown["days"][2]["leave"]["status"] == "requested"


async def test_what_does_not_exist_is_not_found(company: Company) -> None:
    http = company.http[Role.MANAGER]
    for method, path in (
        ("GET", "/api/departments/999"),
        ("PATCH", "/api/departments/999"),
        ("DELETE", "/api/departments/999?version=1"),
        ("GET", "/api/employees/999"),
        ("PATCH", "/api/employees/999"),
        ("GET", "/api/time-entries/week?employeeId=999"),
        ("PATCH", "/api/time-entries/999"),
        ("DELETE", "/api/time-entries/999?version=1"),
        ("GET", "/api/leave-requests/allowance?employeeId=999"),
        ("PATCH", "/api/leave-requests/999"),
        ("POST", "/api/leave-requests/999/approve"),
        ("POST", "/api/leave-requests/999/reject"),
        ("POST", "/api/leave-requests/999/cancel"),
    ):
        body = {"version": 1} if method in {"PATCH", "POST"} else None
        await problem(http.request(method, path, json=body), 404)


ENTRY: dict[str, Any] = {"date": "2026-03-02", "startMinute": 480, "endMinute": 720}
LEAVE: dict[str, Any] = {"kind": "vacation", "firstDay": "2026-07-06", "lastDay": "2026-07-10"}
NONSENSE: list[tuple[str, Any]] = [
    ("/api/departments", {"name": " ", "costCenter": "1"}),
    ("/api/departments", {"name": "x" * 81, "costCenter": "1"}),
    ("/api/departments", {"name": "x", "costCenter": "1 2"}),
    ("/api/departments", {"name": "x\x00", "costCenter": "1"}),
    ("/api/departments", {"name": "\ud800", "costCenter": "1"}),
    ("/api/departments", {"name": "x", "costCenter": "1", "head": "y"}),
    ("/api/employees", {}),
    ("/api/employees", {"salaryCents": -1}),
    ("/api/employees", {"salaryCents": 10**12}),
    ("/api/employees", {"salaryCents": 1.5}),
    ("/api/employees", {"weeklyMinutes": 10_081}),
    ("/api/employees", {"vacationDays": "30"}),
    ("/api/employees", {"email": "nobody"}),
    ("/api/employees", {"hiredOn": "1899-12-31"}),
    ("/api/employees", {"hiredOn": "2200-01-01"}),
    ("/api/employees", {"hiredOn": 20_000}),
    ("/api/employees", {"hiredOn": True}),
    ("/api/employees", {"hiredOn": "gestern"}),
    ("/api/employees", {"number": "M-00001"}),
    ("/api/employees", {"departmentId": 2**31}),
    ("/api/employees", {"departmentId": 999}),
    ("/api/employees", {"userId": 999}),
    ("/api/time-entries", ENTRY | {"date": "2026-02-30"}),
    ("/api/time-entries", ENTRY | {"date": "9999-12-31"}),
    ("/api/time-entries", ENTRY | {"date": "0001-01-01"}),
    ("/api/time-entries", ENTRY | {"date": "2026-03-03"}),
    ("/api/time-entries", ENTRY | {"startMinute": -1}),
    ("/api/time-entries", ENTRY | {"startMinute": "480"}),
    ("/api/time-entries", ENTRY | {"endMinute": 480}),
    ("/api/time-entries", ENTRY | {"endMinute": 1441}),
    ("/api/time-entries", ENTRY | {"endMinute": 10**30}),
    ("/api/time-entries", ENTRY | {"project": "x" * 81}),
    ("/api/time-entries", ENTRY | {"note": "x" * 301}),
    ("/api/time-entries", ENTRY | {"employeeId": 999}),
    ("/api/time-entries", ENTRY | {"minutes": 240}),
    ("/api/leave-requests", LEAVE | {"kind": "party"}),
    ("/api/leave-requests", LEAVE | {"lastDay": "2026-07-05"}),
    ("/api/leave-requests", LEAVE | {"lastDay": "2027-07-31"}),
    ("/api/leave-requests", LEAVE | {"lastDay": "9999-12-31"}),
    ("/api/leave-requests", LEAVE | {"firstDay": "2019-12-31"}),
    ("/api/leave-requests", LEAVE | {"status": "approved"}),
    ("/api/leave-requests", LEAVE | {"firstDay": "2026-07-11", "lastDay": "2026-07-12"}),
    ("/api/leave-requests", []),
]


@pytest.mark.both_databases
async def test_what_makes_no_sense_is_refused_whole(company: Company, engine_name: str) -> None:
    http = company.http[Role.MANAGER]
    whole = {
        "firstName": "Jana",
        "lastName": "Krause",
        "email": "jana@example.com",
        "departmentId": company.department_id,
        "jobTitle": "Dreherin",
        "hiredOn": "2026-01-01",
    }
    for path, body in NONSENSE:
        if path == "/api/employees" and body:
            body = whole | body
        sent = http.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert (await problem(sent, 422))["errors"], (path, body)
    assert len(await data(http.get("/api/employees"))) == 3
    assert len(await data(http.get("/api/departments"))) == 1
    assert await data(http.get("/api/time-entries")) == []
    assert await data(http.get("/api/leave-requests")) == []


async def test_an_entry_across_midnight_is_refused_with_a_hint(company: Company) -> None:
    night = {"date": "2026-03-01", "startMinute": 1320, "endMinute": 360}
    refused = await problem(company.http[Role.CLERK].post("/api/time-entries", json=night), 422)
    assert refused["errors"][0]["field"] == "endMinute"
    assert "make two" in refused["detail"]


NONSENSE_QUESTIONS = [
    "/api/employees?sort=salaryCents",
    "/api/employees?at=gestern",
    "/api/employees?at=0001-01-01",
    "/api/employees?active=maybe",
    "/api/employees?departmentId=99999999999",
    "/api/employees?q=%00",
    "/api/employees?name=x",
    "/api/employees/0",
    "/api/time-entries?from=9999-12-31",
    "/api/time-entries?limit=501",
    "/api/time-entries?cursor=nonsense",
    "/api/time-entries/week?week=9999-12-31",
    "/api/time-entries/week?week=0001-01-01",
    "/api/leave-requests?status=lost",
    "/api/leave-requests?sort=kind",
    "/api/leave-requests/allowance?year=0",
    "/api/leave-requests/allowance?year=10000",
    "/api/hr/statistics?from=2026-03-02&to=2026-03-01",
    "/api/hr/statistics?from=1900-01-01&to=2199-12-31",
    "/api/hr/statistics?from=0001-01-01",
]


async def test_a_question_that_makes_no_sense_is_refused(company: Company) -> None:
    for path in NONSENSE_QUESTIONS:
        await problem(company.http[Role.MANAGER].get(path), 422)


@pytest.mark.both_databases
async def test_days_at_the_edges_of_the_calendar_are_answered(company: Company, engine_name: str) -> None:
    http = company.http[Role.MANAGER]
    for path in (
        "/api/time-entries/week?week=1900-01-01",
        "/api/time-entries/week?week=2199-12-31",
        "/api/time-entries?from=1900-01-01&to=2199-12-31",
        "/api/leave-requests/allowance?year=1900",
        "/api/leave-requests/allowance?year=2199",
        "/api/hr/statistics?from=1900-01-01&to=1900-01-01",
        "/api/hr/statistics?from=2199-12-01&to=2199-12-31",
        "/api/employees?at=1900-01-01",
    ):
        await data(http.get(path))


FORGED = [None, 2**31, 2**63 - 1, -(2**63), "\x00", "\ud800", "0001-01-01", True, 1.5, [], {}]


@pytest.mark.both_databases
async def test_a_forged_cursor_never_reaches_the_database_as_nonsense(company: Company, engine_name: str) -> None:
    for path in ("/api/employees", "/api/employees?sort=-hiredOn", "/api/time-entries", "/api/leave-requests"):
        for value in FORGED:
            for values in ((value,), (value, 1), ("x", value), ("2026-01-01", value), ("x", value, 1)):
                text = json.dumps(values).encode()
                cursor = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
                mark = "&" if "?" in path else "?"
                answer = await company.admin.get(f"{path}{mark}cursor={cursor}")
                assert answer.status_code in {200, 422}, (values, answer.text)


@pytest.mark.both_databases
async def test_more_vacation_than_remains_is_refused_and_says_how_much_does(
    company: Company, engine_name: str
) -> None:
    clerk = company.http[Role.CLERK]
    asked = await data(
        clerk.post("/api/leave-requests", json=LEAVE | {"firstDay": "2026-07-06", "lastDay": "2026-08-07"}), 201
    )
    assert (asked["workdays"], asked["status"]) == (25, "requested")
    refused = await problem(
        clerk.post("/api/leave-requests", json=LEAVE | {"firstDay": "2026-09-07", "lastDay": "2026-09-14"}), 409
    )
    assert "5 remain" in refused["detail"]
    assert await data(clerk.get("/api/leave-requests/allowance")) == {
        "employeeId": company.clerk_id,
        "year": 2026,
        "entitled": 30,
        "approved": 0,
        "requested": 25,
        "remaining": 5,
    }
