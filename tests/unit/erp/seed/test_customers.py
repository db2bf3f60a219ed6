from __future__ import annotations

from datetime import date

import pytest

from steinmetz.erp.seed.customers import customers
from steinmetz.erp.seed.names import GERMAN_CITIES, LEGAL_FORMS, SWISS_CITIES
from steinmetz.erp.seed.rows import CustomerRow
from steinmetz.erp.seed.vat_id import german_vat_id, swiss_vat_id


@pytest.fixture(scope="module")
def buyers(today: date) -> list[CustomerRow]:
    return customers(400, 1, today)


def test_names_numbers_and_mails_are_given_once(buyers: list[CustomerRow]) -> None:
    for values in (
        [each.name for each in buyers],
        [each.number for each in buyers],
        [each.email.partition("@")[2] for each in buyers],
    ):
        assert len(values) == len(set(values))


def test_every_customer_has_a_legal_form(buyers: list[CustomerRow]) -> None:
    assert all(any(each.name.endswith(f" {form}") for form in LEGAL_FORMS) for each in buyers)


def test_postal_codes_are_those_of_their_cities(buyers: list[CustomerRow]) -> None:
    cities = {"DE": {city.name: city for city in GERMAN_CITIES}, "CH": {city.name: city for city in SWISS_CITIES}}

    for each in buyers:
        city = cities[each.country][each.city]
        assert city.first_code <= int(each.postal_code) <= city.last_code
        assert len(each.postal_code) == (5 if each.country == "DE" else 4)


def test_vat_ids_have_valid_check_digits(buyers: list[CustomerRow]) -> None:
    for each in buyers:
        digits = "".join(character for character in each.vat_id if character.isdigit())
        made = german_vat_id(digits[:8]) if each.country == "DE" else swiss_vat_id(digits[:8])
        assert made == each.vat_id


def test_mail_goes_nowhere_and_telephones_ring_nowhere(buyers: list[CustomerRow]) -> None:
    reserved = ("+49 30 23125", "+49 40 66969", "+49 221 4710", "+49 69 90009", "+49 89 99998")

    assert all(each.email.endswith(".example") for each in buyers)
    assert all(not each.phone or each.phone.startswith(reserved) for each in buyers)


def test_values_fit_their_columns(buyers: list[CustomerRow]) -> None:
    for each in buyers:
        assert len(each.name) <= 160
        assert len(each.vat_id) <= 20
        assert len(each.email) <= 254
        assert max(len(label) for label in each.email.partition("@")[2].split(".")) <= 63
