from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from steinmetz.erp.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    document,
    event_error,
    invalid_input,
    problem_of,
)
from steinmetz.erp.kit.roles import Role


class DeadlockError(Exception):
    sqlstate = "40P01"


class StoppingError(Exception):
    sqlstate = "57P01"


class OddError(Exception):
    sqlstate = "22021"


def test_a_document_has_every_contracted_member() -> None:
    assert document(Forbidden(Role.MANAGER), instance="/api/x", request_id="r1") == {
        "success": False,
        "type": "urn:steinmetz:problem:forbidden",
        "title": "Not allowed",
        "status": 403,
        "detail": "This needs the role manager.",
        "instance": "/api/x",
        "requestId": "r1",
        "neededRole": "manager",
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("invoice", 7), 404),
        (StaleDataError(), 409),
        (IntegrityError("INSERT", {}, Exception()), 409),
        (OperationalError("SELECT", {}, Exception()), 503),
        (ConnectionRefusedError(), 503),
        (DBAPIError("UPDATE", {}, DeadlockError()), 503),
        (DBAPIError("SELECT", {}, StoppingError()), 503),
        (DBAPIError("SELECT", {}, Exception(), connection_invalidated=True), 503),
        (DBAPIError("UPDATE", {}, OddError()), 500),
        (LookupError("secret"), 500),
    ],
)
def test_every_error_stands_for_a_problem(error: Exception, status: int) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert "secret" not in problem.detail
    assert ("Retry-After" in problem.headers) is (status == 503)


@pytest.mark.parametrize(("wait_s", "told"), [(0, "1"), (0.2, "1"), (2.0, "2"), (2.1, "3")])
def test_waits_are_told_in_whole_seconds_and_never_none(wait_s: float, told: str) -> None:
    for problem in (TooManyRequests(wait_s), Unavailable(wait_s)):
        assert problem.headers["Retry-After"] == told
        assert f"{told} s" in problem.detail


def test_a_conflict_carries_the_current_record() -> None:
    assert Conflict("meanwhile", {"version": 3}).extra == {"current": {"version": 3}}


def test_a_missing_credential_and_a_bad_one_are_told_apart() -> None:
    assert Unauthenticated().headers["WWW-Authenticate"] == 'Bearer realm="SteinmetZ"'
    assert 'error_description="Token expired"' in Unauthenticated("Token expired").headers["WWW-Authenticate"]


def test_a_field_is_named_as_the_caller_spells_it() -> None:
    assert Unprocessable("no", "dueDate").extra["errors"] == [{"field": "dueDate", "message": "no"}]


def test_findings_are_bounded_and_name_their_place() -> None:
    errors = [{"loc": ("body", "items", number, "netCents"), "msg": "no", "input": "x"} for number in range(99)]
    problem: Problem = invalid_input(errors)
    assert len(problem.extra["errors"]) == 50
    assert problem.extra["errors"][1] == {"field": "items.1.netCents", "message": "no"}
    assert invalid_input([{"loc": ("body",), "msg": "no"}]).extra["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unprocessable("No.", "text"), "invalid"),
        (Forbidden(Role.CLERK), "forbidden"),
        (NotFound("channel", "x"), "not_found"),
        (Conflict("No."), "conflict"),
        (TooManyRequests(1), "too_many_requests"),
        (Unavailable(), "unavailable"),
        (StaleDataError(), "conflict"),
        (OperationalError("", {}, Exception("gone")), "unavailable"),
    ],
)
def test_an_event_is_refused_with_the_word_for_its_problem(error: Exception, code: str) -> None:
    told = event_error(error)
    assert told is not None
    assert (told.code, told.message) == (code, problem_of(error).detail)


def test_an_event_is_told_the_fields_that_a_request_is_told() -> None:
    told = event_error(Unprocessable("It lies in the past.", "until"))
    assert told is not None
    error = {"code": "invalid", "message": "It lies in the past."}
    assert told.as_json()["error"] == {
        **error,
        "fields": [{"field": "until", "message": "It lies in the past."}],
    }


def test_what_nobody_foresaw_is_not_told_to_a_socket() -> None:
    assert event_error(ZeroDivisionError("secret")) is None
