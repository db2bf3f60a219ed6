from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.traffic import ledger as ledger_module
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.ledger import MAX_STEPS, Floor, Ledger, newest_activity, shown
from steinmetz.erp.traffic.model import OVERVIEW

LOOK = Call("GET /api/invoices/{id}", "/api/invoices/7", record="invoice")
LIST = Call("GET /api/invoices", "/api/invoices", record="invoice")
PAY = Call("POST /api/invoices/{id}/pay", "/api/invoices/7/pay", {"version": 1}, record="invoice")


def invoice(version: int, number: int = 7) -> dict[str, Any]:
    return {"id": number, "version": version}


def good(data: Any) -> Reply:
    return Reply(200, {"success": True, "data": data})


def overview(newest: int) -> Reply:
    return good({"activity": [{"id": newest}, {"id": newest - 1}]})


class TestAnAcknowledgedWrite:
    def test_must_be_shown_by_a_read_that_is_sent_afterwards(self) -> None:
        ledger = Ledger()
        ledger.take(PAY, good(invoice(2)), ledger.now)
        sent = ledger.now
        ledger.take(LOOK, good(invoice(1)), sent)
        assert ledger.stale == 1
        assert [(found.record, found.shown, found.required) for found in ledger.findings] == [("invoice:7", 1, 2)]

    def test_need_not_be_shown_by_a_read_that_was_already_under_way(self) -> None:
        ledger = Ledger()
        sent = ledger.now
        ledger.take(PAY, good(invoice(2)), ledger.now)
        ledger.take(LOOK, good(invoice(1)), sent)
        assert (ledger.stale, ledger.backwards) == (0, 0)

    def test_must_be_shown_by_lists_too(self) -> None:
        ledger = Ledger()
        ledger.take(PAY, good(invoice(2)), ledger.now)
        ledger.take(LIST, good([invoice(5, number=8), invoice(1)]), ledger.now)
        assert (ledger.stale, ledger.checked) == (1, 2)

    def test_may_be_overtaken_by_a_later_one(self) -> None:
        ledger = Ledger()
        ledger.take(PAY, good(invoice(2)), ledger.now)
        ledger.take(LOOK, good(invoice(9)), ledger.now)
        assert ledger.stale == 0

    def test_that_was_refused_acknowledges_nothing(self) -> None:
        ledger = Ledger()
        ledger.take(PAY, Reply(409, {"success": False, "data": invoice(5)}), ledger.now)
        ledger.take(LOOK, good(invoice(1)), ledger.now)
        assert ledger.stale == 0

    def test_must_be_among_the_newest_activity_of_the_overview(self) -> None:
        ledger = Ledger()
        ledger.open(overview(100).data)
        before = ledger.now
        ledger.take(PAY, good(invoice(2)), ledger.now)
        ledger.take(OVERVIEW, overview(100), before)
        assert ledger.stale == 0
        ledger.take(OVERVIEW, overview(101), ledger.now)
        assert ledger.stale == 0
        ledger.take(OVERVIEW, overview(100), ledger.now)
        assert ledger.stale == 1

    def test_of_a_node_need_not_be_among_the_activity_but_makes_later_ids_higher(self) -> None:
        ledger = Ledger()
        ledger.open(overview(100).data)
        edit = Call("PATCH /api/functions/nodes/{id}", "/api/functions/nodes/a", {"version": 1}, record="node")
        ledger.take(edit, good({"id": "a", "version": 2}), ledger.now)
        ledger.take(OVERVIEW, overview(100), ledger.now)
        assert ledger.stale == 0
        ledger.take(PAY, good(invoice(2)), ledger.now)
        ledger.take(OVERVIEW, overview(101), ledger.now)
        assert ledger.stale == 1


def test_an_answer_older_than_one_already_seen_goes_backwards() -> None:
    ledger = Ledger()
    ledger.take(LOOK, good(invoice(4)), ledger.now)
    ledger.take(LOOK, good(invoice(3)), ledger.now)
    assert (ledger.stale, ledger.backwards) == (0, 1)


def test_a_read_sent_before_another_was_answered_may_be_older() -> None:
    ledger = Ledger()
    sent = ledger.now
    ledger.take(LOOK, good(invoice(4)), sent)
    ledger.take(LOOK, good(invoice(3)), sent)
    assert ledger.backwards == 0


def test_a_tree_shows_all_its_nodes() -> None:
    call = Call("GET /api/functions", "/api/functions", record="node")
    tree = [{"id": "a", "version": 1, "children": [{"id": "a/b", "version": 3, "children": []}]}]
    assert dict(shown(call, {"data": tree})) == {"node:a": 1, "node:a/b": 3}


def test_what_has_no_versions_is_not_compared() -> None:
    ledger = Ledger()
    ledger.take(Call("GET /api/functions/menu", "/api/functions/menu"), good([invoice(1)]), ledger.now)
    ledger.take(LOOK, Reply(200, None), ledger.now)
    assert ledger.checked == 0


def test_an_overview_without_activity_is_not_compared() -> None:
    assert newest_activity({"activity": []}) is None
    assert newest_activity(None) is None
    ledger = Ledger()
    ledger.open({})
    ledger.take(OVERVIEW, good({}), ledger.now)
    assert ledger.checked == 0


class TestFloor:
    @given(st.lists(st.integers(1, 30), max_size=40), st.integers(0, 40))
    def test_never_requires_more_than_was_known_at_that_step(self, versions: list[int], step: int) -> None:
        floor = Floor()
        for number, version in enumerate(versions, start=1):
            floor.rise("invoice:1", version, number)
        assert floor.at("invoice:1", step) <= max(versions[:step], default=0)

    def test_forgets_the_oldest_rises_first(self) -> None:
        floor = Floor()
        for version in range(1, MAX_STEPS + 3):
            floor.rise("a", version, version)
        assert floor.at("a", 2) == 0
        assert floor.at("a", MAX_STEPS + 2) == MAX_STEPS + 2

    def test_is_bounded_in_records(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(ledger_module, "MAX_RECORDS", 2)
        floor = Floor()
        for record in "abc":
            floor.rise(record, 1, 1)
        assert [floor.at(record, 1) for record in "abc"] == [0, 1, 1]
