"""Ids are given once: readable, free, and never ambiguous in a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.rules import (
    MAX_ID,
    MAX_STEP,
    area_of_root,
    id_stem,
    node_id,
    roles_that_see,
    search_words,
    slug,
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Umsatz & Kosten", "umsatz-und-kosten"),
        ("Ärzte/Größe", "aerzte-groesse"),
        ("  ⚠️ Margen-Warnungen", "margen-warnungen"),
        ("7-Tage-Prognose", "7-tage-prognose"),
        ("Café (neu)", "cafe-neu"),
        ("日本 語", "日本-語"),
        ("—", ""),
    ],
)
def test_slugs_are_readable(title: str, expected: str) -> None:
    assert slug(title) == expected


@given(st.text(max_size=300))
def test_a_slug_can_stand_in_a_url_path(title: str) -> None:
    step = slug(title)
    assert len(step) <= MAX_STEP
    assert step == step.strip("-")
    assert all(letter.isalnum() or letter == "-" for letter in step)


def test_a_taken_id_is_numbered() -> None:
    taken: set[str] = set()
    for expected in ("a/neu", "a/neu-2", "a/neu-3"):
        given_id = node_id("a", "Neu", taken)
        assert given_id == expected
        taken.add(given_id)


@pytest.mark.parametrize("title", ["Move", "children", "Children!"])
def test_no_id_ends_with_a_word_of_the_routes(title: str) -> None:
    made = node_id("a", title, set())
    assert made is not None
    assert made.endswith("-2")


@given(st.text(alphabet="ab/", max_size=250), st.text(max_size=200), st.integers(0, 4))
def test_every_id_fits_is_free_and_begins_with_its_stem(parent_id: str, title: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others):
        other = node_id(parent_id, title, taken)
        if other is not None:
            taken.add(other)
    made = node_id(parent_id, title, taken)
    if made is None:
        assert len(parent_id) > MAX_ID - 10
        return
    assert len(made) <= MAX_ID
    assert made not in taken
    assert made.startswith(id_stem(parent_id, title))


def test_an_area_is_named_by_its_last_step() -> None:
    assert area_of_root("finanzen") == "finanzen"
    assert area_of_root("finanzen/kennzahlen") == "kennzahlen"


@pytest.mark.parametrize(
    ("min_roles", "seeing"),
    [
        ([], set(Role)),
        ([Role.CLERK], set(Role)),
        ([Role.CLERK, Role.MANAGER, Role.CLERK], {Role.ADMIN, Role.MANAGER, Role.AUDITOR}),
        ([Role.AUDITOR, Role.CLERK], {Role.ADMIN, Role.AUDITOR}),
        ([Role.ADMIN], {Role.ADMIN}),
    ],
)
def test_who_sees_a_node_may_read_all_above_it(min_roles: list[Role], seeing: set[Role]) -> None:
    assert set(roles_that_see(min_roles)) == seeing


@given(st.text(max_size=400))
def test_search_words_mean_nothing_to_a_query_language(text: str) -> None:
    words = search_words(text)
    assert len(words) <= 8
    assert all(0 < len(word) <= 40 and word.isalnum() for word in words)
