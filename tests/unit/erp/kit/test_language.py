"""Phrases, money, quantities and days in both languages."""

from __future__ import annotations

import datetime as dt

import pytest

from steinmetz.erp.kit.language import Language, Phrase, day, language_of, money, quantity


def test_a_phrase_takes_its_values() -> None:
    phrase = Phrase(en="Invoice {number}", de="Rechnung {number}")
    assert phrase.into(Language.EN, number="RE-1") == "Invoice RE-1"
    assert phrase.into(Language.DE, number="RE-{1}") == "Rechnung RE-{1}"
    with pytest.raises(KeyError):
        phrase.into(Language.DE)


@pytest.mark.parametrize(
    ("locale", "language"), [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("en", "en"), ("fr", "en"), ("", "en")]
)
def test_the_language_of_a_locale(locale: str, language: str) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("cents", "german", "english"),
    [
        (0, "0,00 €", "€0.00"),
        (5, "0,05 €", "€0.05"),
        (123_456_789, "1.234.567,89 €", "€1,234,567.89"),
        (-100_000, "-1.000,00 €", "-€1,000.00"),
    ],
)
def test_money(cents: int, german: str, english: str) -> None:
    assert (money(cents, Language.DE), money(cents, Language.EN)) == (german, english)


def test_money_of_another_currency() -> None:
    assert money(-150, Language.EN, "CHF") == "-1.50 CHF"


@pytest.mark.parametrize(
    ("milli", "german", "english"),
    [
        (1500, "1,5", "1.5"),
        (1000, "1", "1"),
        (0, "0", "0"),
        (-1_234_567, "-1.234,567", "-1,234.567"),
        (10, "0,01", "0.01"),
    ],
)
def test_quantity(milli: int, german: str, english: str) -> None:
    assert (quantity(milli, Language.DE), quantity(milli, Language.EN)) == (german, english)


def test_day() -> None:
    date = dt.date(2026, 3, 2)
    assert (day(date, Language.DE), day(date, Language.EN)) == ("02.03.2026", "2 March 2026")
