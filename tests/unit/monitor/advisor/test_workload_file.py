"""A workload goes into a file and comes back with the types of its values."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.monitor.advisor.workload_file import NoWorkload, from_text, to_text
from steinmetz.sql.facts import Verb

VALUES = (
    None, True, 7, 1.5, "größer", date(2026, 3, 2), datetime(2026, 3, 2, 9, 0, tzinfo=UTC), time(9, 30),
    timedelta(seconds=90), Decimal("1.10"), UUID(int=5), b"\x00\xff", [1, 2], ("a",),
)  # fmt: skip


def workload(values: object) -> Workload:
    query = Query("f", "name", "SELECT ?", Verb.SELECT, frozenset({"b", "a"}), 5, 10**6, 2)
    query.offer(9, values)
    query.offer(3, {"named": date(2026, 1, 1)}, "SELECT :named", sampled=True)
    return Workload([query], dropped=3)


def test_every_type_of_value_comes_back() -> None:
    before = workload(VALUES)
    after, made_at = from_text(to_text(before, "2026-03-02T09:00:00Z"))
    assert after == before
    assert made_at == "2026-03-02T09:00:00Z"
    assert [type(value) for value in after.queries[0].sets()[0].values] == [type(value) for value in VALUES]


def test_a_set_with_a_value_of_an_unknown_type_is_left_out() -> None:
    after, _ = from_text(to_text(workload((object(),)), ""))
    assert [each.values for each in after.queries[0].sets()] == [{"named": date(2026, 1, 1)}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing", "cannot be read"),
        ("[]", "no workload file|not a workload file"),
        ('{"schema": "steinmetz.workload", "version": 9}', "version 9"),
        ('{"schema": "steinmetz.workload", "version": 1}', "cannot be read"),
        ('{"schema": "steinmetz.workload", "version": 1, "queries": [{"sql": 1}]}', "cannot be read"),
    ],
)
def test_what_is_no_workload_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NoWorkload, match=reason):
        from_text(text)


def test_a_value_of_an_unknown_kind_in_a_file_is_refused() -> None:
    document = json.loads(to_text(workload((1,)), ""))
    document["queries"][0]["slowest"][0]["values"] = {"$code": "1"}
    with pytest.raises(NoWorkload):
        from_text(json.dumps(document))
