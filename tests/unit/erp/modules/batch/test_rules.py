"""What a job is, who may what, what listeners are told, and how CSV is written and read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.kit.spreadsheet import csv_line, inert
from steinmetz.erp.modules.batch import rules
from steinmetz.erp.modules.batch.rules import Figures, JobStatus, Told


def figures(attempt: int = 1, total: int = 10, done: int = 0, failed: int = 0, cancelled: int = 0) -> Figures:
    return Figures(attempt, total, done, failed, cancelled)


@pytest.mark.parametrize(
    ("ended", "total", "percent"), [(0, 0, 100), (0, 3, 0), (1, 3, 33), (999, 1_000, 99), (1_000, 1_000, 100)]
)
def test_a_hundred_percent_means_all_of_it(ended: int, total: int, percent: int) -> None:
    assert rules.percent(ended, total) == percent


@pytest.mark.parametrize(
    ("end", "is_cancelling", "status"),
    [
        (figures(done=10), False, JobStatus.DONE),
        (figures(done=9, failed=1), False, JobStatus.FAILED),
        (figures(done=8, failed=1, cancelled=1), True, JobStatus.CANCELLED),
        (figures(done=10), True, JobStatus.DONE),
        (figures(total=0), False, JobStatus.DONE),
    ],
)
def test_how_a_job_ends(end: Figures, is_cancelling: bool, status: JobStatus) -> None:
    assert end.is_over
    assert rules.final_status(end, is_cancelling=is_cancelling) is status


def test_a_job_with_an_open_item_is_not_over() -> None:
    assert not figures(done=8, failed=1).is_over


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        (Role.ADMIN, True, True),
        (Role.MANAGER, True, True),
        (Role.CLERK, False, False),
        (Role.AUDITOR, True, False),
    ],
)
def test_who_may_see_and_change_a_job_of_somebody_else(role: Role, sees: bool, changes: bool) -> None:
    actor = Actor(5, "Somebody", role)
    assert (rules.may_see(actor, 6), rules.may_change(actor, 6)) == (sees, changes)
    assert rules.may_see(actor, 5)


def test_a_job_whose_owner_is_gone_is_nobodys() -> None:
    assert not rules.is_owner(Actor(None, "SteinmetZ", Role.CLERK), None)


def test_each_job_comes_round() -> None:
    assert rules.in_turn(["a", "b", "c"], [1, 4, 9], 4) == ["c", "a", "b"]
    assert rules.in_turn(["a", "b", "c"], [1, 4, 9], 9) == ["a", "b", "c"]
    assert rules.in_turn([], [], 3) == []


def test_waiting_grows_to_five_seconds() -> None:
    assert [rules.backoff_s(failures) for failures in (1, 2, 3, 100)] == [0.05, 0.1, 0.2, 5.0]


@pytest.mark.parametrize(
    ("room", "job_id"),
    [("batch-job:7", 7), ("batch-job:", None), ("batch-job:07", None), ("batch-job:7x", None), ("user:7", None)],
)
def test_a_room_names_its_job(room: str, job_id: int | None) -> None:
    assert rules.watched_job(room) == job_id


class TestTold:
    def test_only_what_exceeds_is_said(self) -> None:
        told = Told()
        heard = [told.advances(figures(done=done)) for done in (0, 3, 3, 2, 4)]
        assert heard == [True, True, False, False, True]

    def test_a_retry_begins_anew_and_nothing_of_the_attempt_before_is_said(self) -> None:
        told = Told()
        assert told.advances(figures(done=9))
        assert told.completes(1)
        assert not told.completes(1)
        assert not told.advances(figures(done=10))
        assert told.advances(figures(attempt=2, done=5))
        assert not told.advances(figures(attempt=1, done=10))
        assert not told.completes(1)
        assert told.completes(2)

    def test_an_error_is_said_once_and_not_more_than_a_hundred(self) -> None:
        told = Told()
        assert [told.is_news(1, position) for position in (5, 5)] == [True, False]
        assert sum(told.is_news(1, position) for position in range(100, 300)) == rules.SAID_ERRORS - 1
        assert told.is_news(2, 5)

    @settings(max_examples=200, derandomize=True, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20))))
    def test_whatever_comes_in_whatever_order_is_heard_forwards(self, seen: list[tuple[int, int]]) -> None:
        told = Told()
        heard = [each for each in seen if told.advances(figures(attempt=each[0], total=20, done=each[1]))]
        assert heard == sorted(set(heard))


class TestCsv:
    @settings(max_examples=200, derandomize=True, deadline=None)
    @given(st.lists(st.lists(st.text("ab,;\"'\r\n\t =", max_size=5), min_size=2, max_size=2), max_size=5))
    def test_what_is_written_is_read_again(self, rows: list[list[str]]) -> None:
        text = csv_line(["a", "b"]) + "".join(map(csv_line, rows))
        read = [(row.fields["a"], row.fields["b"]) for row in rules.csv_rows(text)]
        guarded = [tuple(map(inert, row)) for row in rows]
        assert read == [row for row in guarded if any(cell.strip() for cell in row)]

    def test_the_delimiter_is_the_one_that_the_header_has_most_of(self) -> None:
        assert rules.csv_header("\ufeffname;city\r\nA,B") == (";", ["name", "city"])
        assert rules.csv_header("name\tcity") == ("\t", ["name", "city"])

    def test_a_row_knows_where_it_begins(self) -> None:
        rows = rules.csv_rows('a,b\r\n"1\n2",3\r\n\r\n4,5\n6\n')
        assert [(row.line, row.fields, row.error) for row in rows] == [
            (2, {"a": "1\n2", "b": "3"}, ""),
            (5, {"a": "4", "b": "5"}, ""),
            (6, {"a": "6"}, "1 fields, the header has 2"),
        ]

    def test_a_quote_that_does_not_end_is_told_with_its_line(self) -> None:
        with pytest.raises(ValueError, match="line 3"):
            rules.csv_rows('a\n1\n"2')
