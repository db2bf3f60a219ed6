from __future__ import annotations

from steinmetz.erp.seed.names import (
    FANTASY_NAMES,
    FICTION_NUMBERS,
    FIRST_NAMES,
    GERMAN_CITIES,
    LAST_NAMES,
    LEGAL_FORMS,
    STREETS,
    SWISS_CITIES,
    TRADES,
    City,
)


def test_every_list_is_filled_and_names_nothing_twice() -> None:
    for names in (FIRST_NAMES, LAST_NAMES, STREETS, TRADES, FANTASY_NAMES, GERMAN_CITIES, SWISS_CITIES):
        assert len(names) == len(set(names)) > 5


def test_a_city_keeps_its_whole_name_and_its_range_of_postal_codes() -> None:
    assert City("Frankfurt am Main", 60306, 60599) in GERMAN_CITIES
    assert City("Leipzig", 4103, 4357) in GERMAN_CITIES
    assert all(city.first_code <= city.last_code <= 99_998 for city in GERMAN_CITIES)
    assert all(1000 <= city.first_code <= city.last_code <= 9999 for city in SWISS_CITIES)


def test_every_region_has_a_telephone_number_for_fiction() -> None:
    assert set(FICTION_NUMBERS) == set("0123456789")


def test_legal_forms_are_counted_among_a_hundred_customers() -> None:
    assert sum(LEGAL_FORMS.values()) == 100
