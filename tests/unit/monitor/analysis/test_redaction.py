"""What of a parameter may be shown is judged by its column's name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from steinmetz.monitor.analysis.redaction import HIDDEN, REDACTED, Parameter, Redaction


@pytest.mark.parametrize(
    "name",
    ["password", "password_hash", "passwordHash", "access_token", "refreshToken", "iban", "customer_iban", "IBAN",
     "salary", "salary_cents", "monatsgehalt", "api_key", "apiKey", "client_secret", "totp", "tax_id", "Cookie"],
)  # fmt: skip
def test_sensitive_names(name: str) -> None:
    assert Redaction().is_sensitive(name)


@pytest.mark.parametrize(
    "name", ["id", "email", "shipping", "opinion", "status", "hashtag", "key", "total_cents", "city"]
)
def test_other_names(name: str) -> None:
    assert not Redaction().is_sensitive(name)


def test_an_application_adds_its_own() -> None:
    assert Redaction(["Email"]).is_sensitive("email")


def test_a_value_of_a_certain_column_is_shown_unless_it_is_sensitive() -> None:
    shown = Redaction().shown(
        "UPDATE users SET city = ?, password = ?",
        [
            Parameter("city", "Ulm", "city"),
            Parameter("password", "hunter2", "password"),
            Parameter("id_1", 7, "id"),
        ],
    )
    assert shown == {"city": "Ulm", "password": REDACTED, "id_1": 7}


def test_what_belongs_to_no_certain_column_is_hidden() -> None:
    shown = Redaction().shown("INSERT INTO staff VALUES (?, ?)", [Parameter("1", "x"), Parameter("2", 90_000)])
    assert shown == {"1": HIDDEN, "2": HIDDEN}


def test_where_a_sensitive_column_is_named_no_uncertain_value_is_shown() -> None:
    shown = Redaction().shown(
        "SELECT a FROM t WHERE salary > ? AND city = ?",
        [Parameter("1", 90_000), Parameter("city_1", "Ulm", "city")],
    )
    assert shown == {"1": REDACTED, "city_1": "Ulm"}


def test_a_label_is_enough_to_hide() -> None:
    assert Redaction().shown("SELECT a FROM t WHERE x = :token", [Parameter("token", 5)]) == {"token": REDACTED}


def test_values_are_shown_as_json() -> None:
    values = [date(2026, 3, 2), Decimal("1.50"), b"abc", {"any": "thing"}, "x" * 300, None, True]
    shown = Redaction().shown("SELECT ?", [Parameter(str(n), value, "column") for n, value in enumerate(values)])
    assert list(shown.values()) == ["2026-03-02", "1.50", "<3 bytes>", "<dict>", "x" * 200 + HIDDEN, None, True]
