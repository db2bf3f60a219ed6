"""Batch jobs over HTTP and sockets: every kind, who may do what, cancelling, retrying, the file."""

from __future__ import annotations

import csv
import json
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from steinmetz.erp.main import Application
from steinmetz.erp.modules.batch.kinds import customers_import
from steinmetz.erp.modules.finance.models import Customer, Invoice
from steinmetz.erp.settings import Settings
from steinmetz.realtime.testing import InProcessClient, connect
from tests.app.conftest import settings_for

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
JOBS = "/api/batch/jobs"
GOOD = {"externalNumber": "4711", "name": "Aalener Apparatebau GmbH", "email": "info@aab.example"}


@pytest.fixture
def workers() -> int:
    return 2


@pytest.fixture
def settings(tmp_path: Path, database_url: str, workers: int) -> Settings:
    return settings_for(tmp_path, database_url, batch_workers=workers)


asleep = pytest.mark.parametrize("workers", [0])
"""Nobody works: what is queued stays so."""


async def begin(client: httpx2.AsyncClient, kind: str, **parameters: Any) -> dict[str, Any]:
    answer = await client.post(JOBS, json={"kind": kind, "parameters": parameters})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()["data"]
    assert answer.headers["Location"] == f"{JOBS}/{job['id']}"
    assert (job["status"], job["percent"]) == ("queued", 0)
    return job


async def finish(app: Application, client: httpx2.AsyncClient, job_id: int) -> dict[str, Any]:
    """The job, once nobody finds anything to do."""
    assert app.state.batch.workforce is not None
    await app.state.batch.workforce.settled()
    job: dict[str, Any] = (await client.get(f"{JOBS}/{job_id}")).json()["data"]
    assert job["status"] in {"done", "failed", "cancelled"}
    return job


async def items(client: httpx2.AsyncClient, job_id: int, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"{JOBS}/{job_id}/items{query}")
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


async def file_of(client: httpx2.AsyncClient, job_id: int) -> list[dict[str, str]]:
    answer = await client.get(f"{JOBS}/{job_id}/download")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.text, newline="")))


async def customers(client: httpx2.AsyncClient) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await client.get("/api/customers?limit=500")).json()["data"]
    return listed


def socket_of(app: Application, client: httpx2.AsyncClient) -> Any:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return connect(app.state.io, auth={"token": token})


def names(socket: InProcessClient) -> list[str]:
    return [name for name, _ in socket.events if name.startswith("batch:")]


class TestImport:
    @pytest.mark.both_databases
    async def test_a_bad_row_is_its_items_error_and_the_others_go_on(
        self, app: Application, sign_in: SignIn
    ) -> None:
        clerk = await sign_in("clerk")
        text = (
            "externalNumber;name;email;paymentDays\r\n"
            "4711;Aalener Apparatebau GmbH;info@aab.example;30\r\n"
            '4712;"Müller; Söhne\r\n& Co.";;\r\n'
            "4713;;kein@name.example;\r\n"
            "\r\n"
            "4714;Zu viel;a@b.example;14;überzählig\r\n"
            ";Ohne alles;;\r\n"
            "4715;Post GmbH;keine-adresse;\r\n"
        )
        job = await finish(app, clerk, (await begin(clerk, "customers.import", csv=text))["id"])
        assert (job["status"], job["total"], job["done"], job["failed"]) == ("failed", 6, 2, 4)
        assert (job["percent"], job["parameters"]) == (100, {"format": "csv", "rows": 6})
        assert {each["name"] for each in await customers(clerk)} == {
            "Aalener Apparatebau GmbH",
            "Müller; Söhne\r\n& Co.",
        }
        failed = await items(clerk, job["id"], "?status=failed")
        assert [each["position"] for each in failed] == [3, 4, 5, 6]
        errors = [each["error"] for each in failed]
        assert errors[0] == "Line 5: name: Field required"
        assert errors[1] == "Line 7: 5 fields, the header has 4"
        assert errors[2].startswith("Line 8: externalNumber or email is needed")
        assert errors[3].startswith("Line 9: email: ")
        assert all(each["attempts"] == 1 for each in failed)

    @pytest.mark.both_databases
    async def test_the_same_rows_again_create_nobody_twice(self, app: Application, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        by_mail = {"name": "Backnanger Beschläge KG", "email": "Kontor@bb.example"}
        await clerk.post("/api/customers", json={"name": by_mail["name"], "email": "kontor@BB.example"})
        first = await begin(clerk, "customers.import", rows=[GOOD, GOOD, by_mail])
        again = await begin(clerk, "customers.import", rows=[by_mail, GOOD, {**GOOD, "externalNumber": 4711}])
        await finish(app, clerk, first["id"])
        assert len(await customers(clerk)) == 2
        outcomes = [row["outcome"] for row in await file_of(clerk, first["id"])]
        outcomes += [row["outcome"] for row in await file_of(clerk, again["id"])]
        assert sorted(outcomes) == ["created", *["exists"] * 5]

    @pytest.mark.parametrize(
        ("parameters", "told"),
        [
            ({}, "either csv or rows"),
            ({"csv": "name\na", "rows": []}, "either csv or rows"),
            ({"csv": ""}, "first line"),
            ({"csv": "nahme;email\nA;b@c"}, "first line"),
            ({"csv": "name;name\nA;B"}, "first line"),
            ({"csv": 'name\n"A'}, "line 2"),
            ({"rows": {}}, "list"),
            ({"rows": [], "sheet": 1}, "Extra inputs"),
        ],
    )
    async def test_what_is_no_table_is_refused_at_once(
        self, sign_in: SignIn, parameters: dict[str, Any], told: str
    ) -> None:
        clerk = await sign_in("clerk")
        answer = await clerk.post(JOBS, json={"kind": "customers.import", "parameters": parameters})
        assert answer.status_code == 422
        assert told in answer.json()["detail"]
        assert (await clerk.get(JOBS)).json()["page"]["total"] == 0

    async def test_an_import_of_nothing_is_done(self, app: Application, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        job = await finish(app, clerk, (await begin(clerk, "customers.import", rows=[]))["id"])
        assert (job["status"], job["total"], job["percent"]) == ("done", 0, 100)
        assert await file_of(clerk, job["id"]) == []


class TestExport:
    @pytest.mark.both_databases
    async def test_every_customer_is_in_the_file_once_and_no_cell_is_a_formula(
        self, app: Application, sign_in: SignIn
    ) -> None:
        clerk = await sign_in("clerk")
        async with app.state.database.unit() as unit:
            unit.session.add_all(
                Customer(number=f"K-{number}", name=f"Kunde {number}", created_at=unit.now)
                for number in range(1_100)
            )
        await clerk.post("/api/customers", json={"name": '=HYPERLINK("x")', "contact": "@SUM(A1)", "city": "-1"})
        job = await finish(app, clerk, (await begin(clerk, "export", subject="customers"))["id"])
        assert (job["status"], job["total"], job["hasDownload"]) == ("done", 3, True)
        rows = await file_of(clerk, job["id"])
        assert [row["number"] for row in rows[:1_100]] == [f"K-{number}" for number in range(1_100)]
        assert len(rows) == 1_101
        assert (rows[-1]["name"], rows[-1]["contact"], rows[-1]["city"]) == (
            '\'=HYPERLINK("x")',
            "'@SUM(A1)",
            "'-1",
        )
        answer = await clerk.get(f"{JOBS}/{job['id']}/download")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="customers-2026-03-02.csv"'
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.both_databases
    async def test_invoices_payments_and_the_journal(self, app: Application, sign_in: SignIn) -> None:
        manager = await sign_in("manager")
        invoice = await a_paid_invoice(manager)
        jobs = {
            subject: (await begin(manager, "export", subject=subject))["id"]
            for subject in ("invoices", "payments", "journal")
        }
        for job_id in jobs.values():
            assert (await finish(app, manager, job_id))["status"] == "done"
        (row,) = await file_of(manager, jobs["invoices"])
        assert (row["number"], row["grossCents"], row["status"]) == (invoice["number"], "11900", "paid")
        (payment,) = await file_of(manager, jobs["payments"])
        assert (payment["invoiceNumber"], payment["amountCents"]) == (invoice["number"], "11900")
        lines = await file_of(manager, jobs["journal"])
        assert sum(int(line["amountCents"]) for line in lines) == 0
        assert [line["amountCents"] for line in lines] == ["11900", "-10000", "-1900", "11900", "-11900"]

    async def test_the_journal_needs_a_manager(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        answer = await clerk.post(JOBS, json={"kind": "export", "parameters": {"subject": "journal"}})
        assert (answer.status_code, answer.json()["neededRole"]) == (403, "manager")


async def a_draft(client: httpx2.AsyncClient, customer_id: int) -> dict[str, Any]:
    item = {"description": "Wartung", "unitPriceCents": 10_000}
    answer = await client.post("/api/invoices", json={"customerId": customer_id, "items": [item]})
    draft: dict[str, Any] = answer.json()["data"]
    return draft


async def a_paid_invoice(client: httpx2.AsyncClient) -> dict[str, Any]:
    customer = (await client.post("/api/customers", json={"name": "Aalener Apparatebau GmbH"})).json()["data"]
    item = {"description": "Wartung", "unitPriceCents": 10_000}
    draft = (await client.post("/api/invoices", json={"customerId": customer["id"], "items": [item]})).json()[
        "data"
    ]
    sent = await client.post(f"/api/invoices/{draft['id']}/send", json={"version": draft["version"]})
    paid = await client.post(
        f"/api/invoices/{draft['id']}/pay", json={"version": sent.json()["data"]["version"], "amountCents": 11_900}
    )
    assert paid.status_code == 200, paid.text
    invoice: dict[str, Any] = paid.json()["data"]
    return invoice


@pytest.mark.both_databases
async def test_wrong_drafts_are_corrected_and_sent_invoices_only_reported(
    app: Application, sign_in: SignIn
) -> None:
    manager = await sign_in("manager")
    sent = await a_paid_invoice(manager)
    item = {"description": "Wartung", "unitPriceCents": 10_000}
    draft, sound = [
        (await manager.post("/api/invoices", json={"customerId": sent["customerId"], "items": [item]})).json()[
            "data"
        ]
        for _ in range(2)
    ]
    async with app.state.database.unit() as unit:
        wrong = {"net_cents": Invoice.net_cents + 7, "gross_cents": Invoice.gross_cents + 7}
        await unit.session.execute(update(Invoice).where(Invoice.id != sound["id"]).values(**wrong))
    job = await finish(app, manager, (await begin(manager, "invoices.recalculate"))["id"])
    assert job["status"] == "done"
    rows = await file_of(manager, job["id"])
    assert [(row["id"], row["netCents"], row["rightNetCents"], row["outcome"]) for row in rows] == [
        (str(sent["id"]), "10007", "10000", "reported"),
        (str(draft["id"]), "10007", "10000", "corrected"),
    ]
    assert (await manager.get(f"/api/invoices/{draft['id']}")).json()["data"]["grossCents"] == 11_900
    assert (await manager.get(f"/api/invoices/{sent['id']}")).json()["data"]["grossCents"] == 11_907


@pytest.mark.both_databases
async def test_a_month_in_figures_as_json_and_as_csv(app: Application, sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    await a_paid_invoice(manager)
    as_json = await begin(manager, "report.month-end", month="2026-03")
    as_csv = await begin(manager, "report.month-end", month="2026-03", format="csv")
    before = await begin(manager, "report.month-end", month="2026-02")
    for job in (as_json, as_csv, before):
        assert (await finish(app, manager, job["id"]))["status"] == "done"
    answer = await manager.get(f"{JOBS}/{as_json['id']}/download")
    assert answer.headers["content-type"] == "application/json"
    report = json.loads(answer.text)
    assert list(report) == ["month", "revenue", "openItems", "cash", "hours", "headcount"]
    assert report["revenue"] == {"netCents": 10_000}
    assert report["openItems"] == {"count": 0, "sumCents": 0}
    assert report["cash"]["balanceCents"] == 11_900
    rows = {(row["section"], row["figure"]): row["value"] for row in await file_of(manager, as_csv["id"])}
    assert rows["revenue", "netCents"] == "10000"
    earlier = json.loads((await manager.get(f"{JOBS}/{before['id']}/download")).text)
    assert earlier["revenue"]["netCents"] == earlier["cash"]["balanceCents"] == 0
    refused = await begin(manager, "report.month-end", month="2026-04")
    job = await finish(app, manager, refused["id"])
    assert (job["status"], job["error"], job["hasDownload"]) == ("failed", "2026-04 has not begun.", False)


class TestRights:
    @asleep
    async def test_figures_are_for_all_and_the_rest_for_owner_managers_and_auditors(self, sign_in: SignIn) -> None:
        admin, manager, clerk, auditor = [await sign_in(r) for r in ("admin", "manager", "clerk", "auditor")]
        job = await begin(manager, "customers.import", rows=[GOOD])
        own = await begin(clerk, "customers.import", rows=[GOOD])
        for reader in (admin, manager, clerk, auditor):
            listed = (await reader.get(JOBS)).json()
            assert [each["id"] for each in listed["data"]] == [own["id"], job["id"]]
            assert "parameters" not in listed["data"][0]
            seen = (await reader.get(f"{JOBS}/{job['id']}")).json()["data"]
            assert (seen["parameters"] is None) == (reader is clerk)
            answers = [await reader.get(f"{JOBS}/{job['id']}/{part}") for part in ("items", "download")]
            wanted = [403, 403] if reader is clerk else [200, 409]
            assert [answer.status_code for answer in answers] == wanted
        assert (await clerk.get(f"{JOBS}/{own['id']}/items")).status_code == 200
        mine = (await clerk.get(f"{JOBS}?mine=true")).json()["data"]
        assert [each["id"] for each in mine] == [own["id"]]

    @asleep
    async def test_who_may_change_a_job(self, sign_in: SignIn) -> None:
        manager, clerk, auditor = [await sign_in(r) for r in ("manager", "clerk", "auditor")]
        job = await begin(manager, "customers.import", rows=[GOOD])
        for step in ("cancel", "retry"):
            assert (await clerk.post(f"{JOBS}/{job['id']}/{step}")).status_code == 403
            assert (await auditor.post(f"{JOBS}/{job['id']}/{step}")).status_code == 403
        assert (await clerk.delete(f"{JOBS}/{job['id']}")).status_code == 403
        assert (await auditor.post(JOBS, json={"kind": "export"})).status_code == 403
        for kind in ("invoices.recalculate", "report.month-end"):
            parameters = {"month": "2026-02"} if kind == "report.month-end" else {}
            answer = await clerk.post(JOBS, json={"kind": kind, "parameters": parameters})
            assert (answer.status_code, answer.json()["neededRole"]) == (403, "manager")
        own = await begin(clerk, "customers.import", rows=[GOOD])
        assert (await manager.post(f"{JOBS}/{own['id']}/cancel")).status_code == 200

    @asleep
    async def test_nobody_signed_in_and_no_such_job(self, client: httpx2.AsyncClient, sign_in: SignIn) -> None:
        assert (await client.get(JOBS)).status_code == 401
        clerk = await sign_in("clerk")
        for path in ("", "/items", "/download"):
            assert (await clerk.get(f"{JOBS}/77{path}")).status_code == 404
        for path in ("/cancel", "/retry"):
            assert (await clerk.post(f"{JOBS}/77{path}")).status_code == 404


class TestBounds:
    @asleep
    async def test_the_eleventh_open_job_is_refused(self, sign_in: SignIn) -> None:
        clerk, manager = await sign_in("clerk"), await sign_in("manager")
        jobs = [await begin(clerk, "customers.import", rows=[]) for _ in range(10)]
        refused = await clerk.post(JOBS, json={"kind": "customers.import", "parameters": {"rows": []}})
        assert refused.status_code == 409
        await begin(manager, "customers.import", rows=[])
        await clerk.post(f"{JOBS}/{jobs[0]['id']}/cancel")
        await begin(clerk, "customers.import", rows=[])
        assert (await clerk.post(f"{JOBS}/{jobs[0]['id']}/retry")).status_code == 409

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"kind": "payroll.run"},
            {"kind": "export", "parameters": {"subject": "users"}},
            {"kind": "export", "parameters": []},
            {"kind": "export", "parameters": {"subject": "invoices"}, "priority": 1},
            {"kind": "report.month-end", "parameters": {"month": "2026-13"}},
        ],
    )
    async def test_a_bad_request_says_what_is_wrong(self, sign_in: SignIn, body: dict[str, Any]) -> None:
        manager = await sign_in("manager")
        answer = await manager.post(JOBS, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"]

    @pytest.mark.both_databases
    @pytest.mark.parametrize("raw", ["NaN", '"\\ud800"', "1e999"])
    async def test_what_json_cannot_hold_is_refused(self, sign_in: SignIn, raw: str) -> None:
        clerk = await sign_in("clerk")
        body = f'{{"kind": "customers.import", "parameters": {{"rows": [{{"name": {raw}}}]}}}}'
        answer = await clerk.post(JOBS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text

    @pytest.mark.both_databases
    async def test_hostile_cells_are_the_errors_of_their_rows(self, app: Application, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        rows: list[Any] = [
            {**GOOD, "name": "A\x00B"},
            {**GOOD, "externalNumber": "x\x00"},
            {**GOOD, "externalNumber": ["x"]},
            {**GOOD, "name": "x" * 5_000},
            {**GOOD, "isAdmin": True},
            {**GOOD, "paymentDays": 10**29},
            "text",
            None,
        ]
        job = await finish(app, clerk, (await begin(clerk, "customers.import", rows=rows))["id"])
        assert (job["status"], job["failed"]) == ("failed", len(rows))
        assert all(0 < len(each["error"]) <= 500 for each in await items(clerk, job["id"]))
        assert await customers(clerk) == []


class TestCancelAndRetry:
    @asleep
    async def test_a_queued_job_is_cancelled_at_once(self, app: Application, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        job = await begin(clerk, "customers.import", rows=[GOOD])
        async with socket_of(app, clerk) as socket:
            answer = await clerk.post(f"{JOBS}/{job['id']}/cancel")
            assert answer.json()["data"]["status"] == "cancelled"
            (complete,) = await socket.heard("batch:complete")
            assert complete["result"]["status"] == "cancelled"
        again = await clerk.post(f"{JOBS}/{job['id']}/cancel")
        assert (again.status_code, again.json()["current"]["status"]) == (409, "cancelled")
        retried = await clerk.post(f"{JOBS}/{job['id']}/retry")
        assert (retried.status_code, retried.json()["data"]["status"]) == (202, "queued")

    @pytest.mark.both_databases
    async def test_a_running_job_stops_between_items_and_goes_on_when_retried(
        self, app: Application, sign_in: SignIn
    ) -> None:
        clerk = await sign_in("clerk")
        rows = [{"externalNumber": f"{number}", "name": f"Kunde {number}"} for number in range(60)]
        async with socket_of(app, clerk) as socket:
            job = await begin(clerk, "customers.import", rows=rows)
            await socket.heard("batch:progress")
            await clerk.post(f"{JOBS}/{job['id']}/cancel")
            cancelled = await finish(app, clerk, job["id"])
            assert cancelled["status"] == "cancelled"
            assert cancelled["done"] + cancelled["cancelled"] == 60
            assert len(await customers(clerk)) == cancelled["done"] < 60
            await clerk.post(f"{JOBS}/{job['id']}/retry")
            done = await finish(app, clerk, job["id"])
            assert (done["status"], done["done"], done["attempt"]) == ("done", 60, 2)
            assert len(await customers(clerk)) == 60
            assert names(socket).count("batch:complete") == 2

    @pytest.mark.both_databases
    async def test_only_what_failed_is_done_again(
        self, app: Application, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clerk = await sign_in("clerk")
        with monkeypatch.context() as patch:
            patch.setattr(customers_import, "MAX_NUMBER_CHARS", 4)
            rows = [GOOD, {"externalNumber": "47110815", "name": "Backnanger Beschläge KG"}]
            job = await finish(app, clerk, (await begin(clerk, "customers.import", rows=rows))["id"])
            assert (job["status"], job["done"], job["failed"]) == ("failed", 1, 1)
        await clerk.post(f"{JOBS}/{job['id']}/retry")
        job = await finish(app, clerk, job["id"])
        assert (job["status"], job["done"], job["failed"], job["attempt"]) == ("done", 2, 0, 2)
        assert [row["outcome"] for row in await file_of(clerk, job["id"])] == ["created", "created"]
        assert [each["attempts"] for each in await items(clerk, job["id"])] == [1, 1]
        assert (await clerk.post(f"{JOBS}/{job['id']}/retry")).status_code == 409

    async def test_a_deleted_job_is_gone_with_its_items_and_its_id_begins_anew(
        self, app: Application, sign_in: SignIn
    ) -> None:
        clerk = await sign_in("clerk")
        async with socket_of(app, clerk) as socket:
            job = await finish(app, clerk, (await begin(clerk, "export", subject="customers"))["id"])
            assert (await clerk.delete(f"{JOBS}/{job['id']}")).status_code == 204
            assert (await clerk.get(f"{JOBS}/{job['id']}/items")).status_code == 404
            other = await finish(app, clerk, (await begin(clerk, "customers.import", rows=[GOOD]))["id"])
            assert (other["id"], other["status"]) == (job["id"], "done")
            assert names(socket).count("batch:complete") == 2

    async def test_an_unexpected_error_is_told_without_its_reason(
        self, app: Application, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*arguments: Any) -> None:
            raise RuntimeError("password=hunter2")

        monkeypatch.setattr(customers_import, "_create", fail)
        clerk = await sign_in("clerk")
        job = await finish(app, clerk, (await begin(clerk, "customers.import", rows=[GOOD]))["id"])
        (item,) = await items(clerk, job["id"])
        assert (item["status"], item["error"]) == ("failed", "Internal error")


class TestEvents:
    @pytest.mark.both_databases
    async def test_owner_and_watchers_hear_it_grow_and_end_and_nobody_else(
        self, app: Application, sign_in: SignIn
    ) -> None:
        clerk, manager, auditor = [await sign_in(r) for r in ("clerk", "manager", "auditor")]
        rows = [{"externalNumber": f"{number}", "name": "x" * (number != 7)} for number in range(40)]
        async with (
            socket_of(app, clerk) as owner,
            socket_of(app, auditor) as watcher,
            socket_of(app, manager) as other,
        ):
            job = await begin(clerk, "customers.import", rows=rows)
            room = f"batch-job:{job['id']}"
            assert (await watcher.call("room:join", {"room": room}))["ok"]
            for socket in (owner, watcher):
                (complete,) = await socket.heard("batch:complete", timeout_s=30)
                assert complete == {
                    "jobId": job["id"],
                    "result": {
                        "status": "failed",
                        "total": 40,
                        "done": 39,
                        "failed": 1,
                        "cancelled": 0,
                        "attempt": 1,
                    },
                }
                assert names(socket)[-1] == "batch:complete"
            progress = [arguments[0] for name, arguments in owner.events if name == "batch:progress"]
            ended = [each["done"] for each in progress]
            assert ended == sorted(set(ended))
            assert (progress[-1]["done"], progress[-1]["total"], progress[-1]["percent"]) == (40, 40, 100)
            (error,) = await owner.heard("batch:error")
            assert (error["jobId"], error["item"]) == (job["id"], 8)
            assert error["error"].startswith("Line 8: name")
            assert names(other) == []

    @asleep
    async def test_who_may_not_see_a_job_may_not_watch_it(self, app: Application, sign_in: SignIn) -> None:
        manager, clerk = await sign_in("manager"), await sign_in("clerk")
        job = await begin(manager, "customers.import", rows=[GOOD])
        async with socket_of(app, clerk) as socket:
            for room in (f"batch-job:{job['id']}", "batch-job:77", "batch-job:", "batch-job:01", "batch-job:x"):
                answer = await socket.call("room:join", {"room": room})
                assert answer["error"]["code"] == "forbidden"


async def test_a_file_of_many_pieces_and_a_list_of_many_items_come_whole(
    app: Application, sign_in: SignIn
) -> None:
    clerk = await sign_in("clerk")
    rows = [{"externalNumber": f"{number}", "name": f"Kunde {number}"} for number in range(45)]
    job = await finish(app, clerk, (await begin(clerk, "customers.import", rows=rows))["id"])
    lines = await file_of(clerk, job["id"])
    assert [line["line"] for line in lines] == [f"{number}" for number in range(1, 46)]
    page = (await clerk.get(f"{JOBS}/{job['id']}/items?limit=20")).json()
    following = (await clerk.get(f"{JOBS}/{job['id']}/items?limit=500&cursor={page['page']['next']}")).json()
    positions = [each["position"] for each in page["data"] + following["data"]]
    assert positions == list(range(1, 46))
    assert (following["page"]["next"], following["page"]["total"]) == (None, 45)
