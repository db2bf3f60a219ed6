"""Ids are short, distinct, and such that an address can hold them."""

from __future__ import annotations

from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.rules import MAX_ID
from tests.unit.erp.modules.catalog.planning.catalogues import Catalogue, counts, tree

LINES = '{"id": "a", "title": "A"}\n{"id": "a/b", "parent_id": "a", "title": "B"}\n'


def test_ids_are_the_slugs_of_the_path_and_children_of_one_title_get_distinct_ones() -> None:
    catalogue = Catalogue()
    made = catalogue.take(tree("Lager & Versand", ".Bestand", "..Größe", "..Größe", "..Größe 2", "..Größe"))
    area = "lager-und-versand"
    assert list(catalogue.nodes) == [
        area,
        f"{area}/bestand",
        f"{area}/bestand/groesse",
        f"{area}/bestand/groesse-2",
        f"{area}/bestand/groesse-2-2",
        f"{area}/bestand/groesse-3",
    ]
    assert {node.area for node in catalogue.nodes.values()} == {area}
    assert [each.position for each in made.created] == [0, 0, 0, 1, 2, 3]


def test_an_id_that_would_be_too_long_hangs_higher() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Lager", *("." * level + "x" * 64 for level in range(1, 8))))
    assert max(map(len, catalogue.nodes)) <= MAX_ID
    assert len(catalogue.nodes) == 8
    assert set(catalogue.codes()) == {Code.ID_SHORTENED}
    assert not catalogue.take(tree("Lager", *("." * level + "x" * 64 for level in range(1, 8))))


def test_thousands_of_one_title_get_ids_in_one_go() -> None:
    catalogue = Catalogue()
    made = catalogue.take("## A\n" + "├── gleich\n" * 11_000)
    assert len({each.id for each in made.created}) == 11_001


def test_ids_of_jsonl_are_taken_below_a_node_of_their_own() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("A", ".B"))
    catalogue.take(LINES, "a.jsonl")
    assert catalogue.ids() == {"a", "a/b", "a-jsonl", "a-jsonl/a", "a-jsonl/a/b"}
    assert not catalogue.take(LINES, "a.jsonl")
    moved = catalogue.take(LINES.replace('"parent_id": "a", ', ""), "a.jsonl")
    assert counts(moved) == (0, 0, 1, 0, 0), "its id says who it is, wherever it lies"


def test_an_id_that_no_address_can_hold_is_replaced() -> None:
    catalogue = Catalogue()
    catalogue.take('{"id": "Ä ?", "title": "Größe"}\n{"id": "x/move", "title": "Umzug"}\n', "a.jsonl")
    assert catalogue.ids() == {"a-jsonl", "a-jsonl/groesse", "a-jsonl/umzug"}
    assert catalogue.codes() == [Code.ID_REPLACED, Code.ID_REPLACED]
    own_way = Catalogue(rules=LintRules(explicit_ids=False))
    own_way.take(LINES.replace('"A"', '"Anders"'), "a.jsonl")
    assert "a-jsonl/anders/b" in own_way.ids()
