from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest

from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Company, Role, desks
from steinmetz.erp.traffic.model import LONGEST_PAUSE, PAGES, REQUESTS_PER_WRITE, day, pause_s

COMPANY = Company(
    customers=range(1, 41),
    open_invoices=range(100, 160),
    nodes=[f"finanzen/{number}" for number in range(40)],
    words=["Maschinenbau", "Logistik"],
    widgets=["cash", "revenue"],
)


class Bookkeeping:
    """A server as a dictionary: invoices and customers with versions, nothing else."""

    def __init__(self) -> None:
        self.invoices: dict[int, dict[str, Any]] = {
            number: {"id": number, "status": "sent", "openCents": 1000, "version": 1}
            for number in COMPANY.open_invoices
        }
        self.customers = {number: {"id": number, "phone": "", "version": 1} for number in COMPANY.customers}
        self.refused: list[Call] = []

    def answer(self, call: Call) -> Reply:
        steps = call.path.partition("?")[0].strip("/").split("/")
        if steps[1] == "invoices" and len(steps) > 2:
            return self._invoice(call, self.invoices[int(steps[2])], steps[3:])
        if call.route == "POST /api/invoices":
            number = 1000 + len(self.invoices)
            self.invoices[number] = {
                "id": number,
                "status": "draft",
                "openCents": 50,
                "version": 1,
            }
            return Reply(201, {"success": True, "data": self.invoices[number]})
        if steps[1] == "customers" and len(steps) > 2:
            return self._changed(call, self.customers[int(steps[2])])
        return Reply(200, {"success": True, "data": {"version": 1}})

    def _invoice(self, call: Call, invoice: dict[str, Any], act: list[str]) -> Reply:
        if act == ["pay"] and call.body:
            allowed = invoice["status"] == "sent" and call.body["amountCents"] <= invoice["openCents"]
            if not allowed:
                return self._refuse(call)
            invoice["openCents"] -= call.body["amountCents"]
            if invoice["openCents"] == 0:
                invoice["status"] = "paid"
        elif act == ["send"]:
            if invoice["status"] != "draft":
                return self._refuse(call)
            invoice["status"] = "sent"
        return self._changed(call, invoice)

    def _changed(self, call: Call, record: dict[str, Any]) -> Reply:
        if call.is_write:
            assert call.body
            if call.body["version"] != record["version"]:
                return self._refuse(call)
            record["version"] += 1
        return Reply(200, {"success": True, "data": dict(record)})

    def _refuse(self, call: Call) -> Reply:
        self.refused.append(call)
        return Reply(409, {"success": False})


def worked(seed: int, requests: int, index: int = 0, clerks: int = 1) -> tuple[list[Call], Bookkeeping]:
    """What one clerk asked for until ``requests`` were made."""
    books = Bookkeeping()
    calls = day(COMPANY, desks(COMPANY, clerks)[index], Random(seed))
    call = next(calls)
    made = [call]
    while len(made) < requests:
        call = calls.send(books.answer(call))
        made.append(call)
    return made, books


@pytest.mark.parametrize("seed", range(5))
def test_every_block_of_twenty_requests_holds_exactly_one_write(seed: int) -> None:
    made, _ = worked(seed, 100 * REQUESTS_PER_WRITE)
    for start in range(0, len(made), REQUESTS_PER_WRITE):
        assert sum(call.is_write for call in made[start : start + REQUESTS_PER_WRITE]) == 1


def test_the_write_is_not_always_at_the_same_place() -> None:
    made, _ = worked(1, 100 * REQUESTS_PER_WRITE)
    places = {index % REQUESTS_PER_WRITE for index, call in enumerate(made) if call.is_write}
    assert len(places) > 10


@pytest.mark.parametrize("seed", range(5))
def test_a_consistent_server_refuses_nothing(seed: int) -> None:
    _, books = worked(seed, 3000)
    assert books.refused == []


def test_the_record_is_looked_at_before_and_after_its_write() -> None:
    made, _ = worked(3, 2000)
    for before, write, after in zip(made, made[1:], made[2:], strict=False):
        if write.is_write and write.route != "POST /api/invoices":
            record = write.path.removesuffix("/pay").removesuffix("/send")
            assert before.path == after.path == record


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    assert worked(7, 500)[0] == worked(7, 500)[0]
    assert worked(7, 500)[0] != worked(8, 500)[0]


def test_all_kinds_of_writes_occur_and_only_a_manager_edits_the_catalogue() -> None:
    manager = Counter(call.route for call in worked(1, 4000)[0] if call.is_write)
    clerk = Counter(call.route for call in worked(1, 4000, index=1, clerks=4)[0] if call.is_write)
    assert set(manager) - set(clerk) == {"PATCH /api/functions/nodes/{id}"}
    assert set(clerk) == {
        "PATCH /api/customers/{id}",
        "POST /api/invoices",
        "POST /api/invoices/{id}/pay",
        "POST /api/invoices/{id}/send",
    }


def test_reads_keep_to_the_mix() -> None:
    made, _ = worked(2, 8000)
    shares = Counter(call.route for call in made)
    assert sum(weight for weight, _ in PAGES) == 100
    assert 0.15 < shares["GET /api/dashboard/overview"] / len(made) < 0.23
    assert len(shares) > 15


def test_a_refused_draft_ends_the_errand_and_not_the_day() -> None:
    company = Company(customers=[1], open_invoices=[], nodes=["a"], words=["Wort"])
    calls = day(company, desks(company, 1)[0], Random(1))
    call = next(calls)
    writes = 0
    for _ in range(400):
        writes += call.is_write
        call = calls.send(Reply(503, None))
    assert writes == 400 / REQUESTS_PER_WRITE


def test_ids_of_nodes_are_quoted_but_their_slashes_stay() -> None:
    company = Company(customers=[1], open_invoices=[], nodes=["büro/a b"], words=["Wort"])
    paths = {call.path for call in islice(_unanswered(company), 400)}
    assert "/api/functions/nodes/b%C3%BCro/a%20b" in paths


def _unanswered(company: Company) -> Any:
    calls = day(company, desks(company, 1)[0], Random(1))
    yield next(calls)
    while True:
        yield calls.send(Reply(404, None))


def test_pauses_have_the_wanted_mean_and_an_end() -> None:
    random = Random(5)
    pauses = [pause_s(2.0, random) for _ in range(20_000)]
    assert 1.9 < sum(pauses) / len(pauses) < 2.05
    assert max(pauses) <= LONGEST_PAUSE * 2.0


def test_role_words_are_those_of_the_accounts() -> None:
    assert [str(role) for role in Role] == ["clerk", "manager"]
