"""Every write of hr, against every cached GET, for every role."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.erp.kit.roles import Role
from tests.app.writes.house import OVERVIEW, House
from tests.app.writes.paths.hr import employee_of

pytestmark = pytest.mark.anyio

NIGHT = {"date": "2026-03-01", "startMinute": 1380, "endMinute": 1440}
"""A Sunday night: nobody of the seeded company works then."""
SUMMER = {"kind": "special", "firstDay": "2026-08-10", "lastDay": "2026-08-11"}


async def an_entry(house: House, minute: int) -> dict[str, Any]:
    answer = await house.clerk.post(
        "/api/time-entries", json={"date": "2026-03-01", "startMinute": minute, "endMinute": minute + 30}
    )
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()["data"]
    return entry


async def a_request(house: House, month: int) -> dict[str, Any]:
    day = f"2027-{month:02d}-12"
    answer = await house.clerk.post(
        "/api/leave-requests", json={"kind": "special", "firstDay": day, "lastDay": day}
    )
    assert answer.status_code == 201, answer.text
    request: dict[str, Any] = answer.json()["data"]
    return request


@pytest.mark.both_databases(long=True)
async def test_entering_time(house: House) -> None:
    await house.verify_write(lambda: house.clerk.post("/api/time-entries", json=NIGHT))


async def test_entering_time_of_today_moves_the_hours_on_every_screen(house: House) -> None:
    await house.verify_write(
        lambda: house.clerk.post(
            "/api/time-entries", json={"date": "2026-03-02", "startMinute": 1380, "endMinute": 1440}
        )
    )
    assert [reader.heard()["dashboard:update"] for reader in house.readers] == [1] * len(house.readers)


async def test_entering_time_for_somebody_else(house: House) -> None:
    manager = await employee_of(house, Role.MANAGER)
    await house.verify_write(
        lambda: house.admin.post("/api/time-entries", json={**NIGHT, "employeeId": manager["id"]})
    )


@pytest.mark.both_databases(long=True)
async def test_correcting_time(house: House) -> None:
    entry = await an_entry(house, 0)
    await house.verify_write(
        lambda: house.clerk.patch(f"/api/time-entries/{entry['id']}", json={"version": 1, "endMinute": 45})
    )


async def test_removing_time(house: House) -> None:
    entry = await an_entry(house, 60)
    await house.verify_write(lambda: house.clerk.delete(f"/api/time-entries/{entry['id']}?version=1"))


async def test_asking_for_leave(house: House) -> None:
    await house.verify_write(lambda: house.clerk.post("/api/leave-requests", json=SUMMER))


async def test_changing_a_request(house: House) -> None:
    request = await a_request(house, 1)
    await house.verify_write(
        lambda: house.clerk.patch(
            f"/api/leave-requests/{request['id']}", json={"version": 1, "lastDay": "2027-01-13"}
        )
    )


@pytest.mark.both_databases(long=True)
async def test_approving_and_cancelling_leave(house: House) -> None:
    request = await a_request(house, 2)
    path = f"/api/leave-requests/{request['id']}"
    await house.verify_write(lambda: house.manager.post(f"{path}/approve", json={"version": 1}))
    await house.verify_write(lambda: house.manager.post(f"{path}/cancel", json={"version": 2}))


async def test_rejecting_leave(house: House) -> None:
    request = await a_request(house, 3)
    await house.verify_write(
        lambda: house.manager.post(
            f"/api/leave-requests/{request['id']}/reject", json={"version": 1, "reason": "Inventur"}
        )
    )


async def test_taking_a_request_back(house: House) -> None:
    request = await a_request(house, 4)
    await house.verify_write(
        lambda: house.clerk.post(f"/api/leave-requests/{request['id']}/cancel", json={"version": 1})
    )


@pytest.mark.both_databases(long=True)
async def test_hiring_and_the_end_of_an_employment(house: House) -> None:
    clerk = await employee_of(house, Role.CLERK)
    hired: list[Any] = []

    async def hire() -> Any:
        hired.append(
            await house.manager.post(
                "/api/employees",
                json={
                    "firstName": "Jana",
                    "lastName": "Krause",
                    "email": "jana.krause@example.com",
                    "departmentId": clerk["departmentId"],
                    "jobTitle": "Controllerin",
                    "salaryCents": 510_000,
                    "hiredOn": "2026-01-01",
                },
            )
        )
        return hired[0]

    await house.verify_write(hire)
    assert [reader.heard()["dashboard:update"] for reader in house.readers] == [1] * len(house.readers)
    employee = hired[0].json()["data"]
    await house.verify_write(
        lambda: house.manager.patch(
            f"/api/employees/{employee['id']}", json={"version": 1, "leftOn": "2026-02-28"}
        )
    )


async def test_a_raise_is_news_for_those_who_see_salaries_only(house: House) -> None:
    clerk = await employee_of(house, Role.CLERK)
    path = f"/api/employees/{clerk['id']}"
    await house.verify_write(
        lambda: house.manager.patch(
            path, json={"version": clerk["version"], "salaryCents": clerk["salaryCents"] + 10_000}
        )
    )


async def test_linking_an_account_to_somebody_else(house: House) -> None:
    """Whose hours and leave a clerk reads changes with it, kept answers too."""
    clerk = await employee_of(house, Role.CLERK)
    staff = await house.data_of("/api/employees?active=true")
    other = next(each for each in staff if each["userId"] is None)

    async def link(employee: dict[str, Any], user: int | None) -> Any:
        current = await house.data_of(f"/api/employees/{employee['id']}")
        return await house.manager.patch(
            f"/api/employees/{employee['id']}", json={"version": current["version"], "userId": user}
        )

    await house.verify_write(lambda: link(clerk, None))
    await house.verify_write(lambda: link(other, clerk["userId"]))
    assert (await link(other, None)).is_success
    await house.verify_write(lambda: link(clerk, clerk["userId"]))


async def test_founding_renaming_and_closing_a_department(house: House) -> None:
    founded: list[Any] = []

    async def found() -> Any:
        founded.append(
            await house.manager.post("/api/departments", json={"name": "Qualität", "costCenter": "4500"})
        )
        return founded[0]

    await house.verify_write(found)
    path = f"/api/departments/{founded[0].json()['data']['id']}"
    await house.verify_write(lambda: house.manager.patch(path, json={"version": 1, "name": "Qualitätssicherung"}))
    await house.verify_write(lambda: house.manager.delete(f"{path}?version=2"))


async def test_a_refused_write_changes_nothing_and_says_nothing(house: House) -> None:
    await house.verify_write(
        lambda: house.clerk.post("/api/time-entries", json={**NIGHT, "endMinute": 1381, "date": "2026-03-03"}),
        succeeds=False,
    )
    department = (await house.data_of("/api/departments"))[0]
    await house.verify_write(
        lambda: house.manager.delete(f"/api/departments/{department['id']}?version={department['version']}"),
        succeeds=False,
    )
    assert (await house.clerk.get(OVERVIEW)).headers["X-Cache"] == "HIT"
