from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.seed.vat_id import german_vat_id, swiss_vat_id


@pytest.mark.parametrize("published", ["DE136695976", "DE115235681", "DE129273398"])
def test_the_check_digit_of_published_german_numbers_comes_out(published: str) -> None:
    assert german_vat_id(published[2:10]) == published


@pytest.mark.parametrize("published", ["CHE-123.456.788 MWST", "CHE-116.281.710 MWST"])
def test_the_check_digit_of_published_swiss_numbers_comes_out(published: str) -> None:
    digits = "".join(character for character in published if character.isdigit())

    assert swiss_vat_id(digits[:8]) == published


def test_a_swiss_number_without_a_single_check_digit_does_not_exist() -> None:
    assert swiss_vat_id("10000016") is None


@given(st.text("0123456789", min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 9))
def test_a_wrong_digit_of_a_german_number_is_noticed(digits: str, place: int, shift: int) -> None:
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]

    assert german_vat_id(digits)[-1] != german_vat_id(wrong)[-1]
