"""As few siblings as possible move."""

from __future__ import annotations

from tests.unit.erp.modules.catalog.planning.catalogues import Catalogue, tree


def test_of_children_in_another_order_as_few_as_possible_move() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Lager", ".A", ".B", ".C", ".D", ".E"))
    made = catalogue.take(tree("Lager", ".E", ".A", ".B", ".C", ".D"))
    assert made.moved == ["lager/e"]
    assert made.pushed == ["lager/a", "lager/b", "lager/c", "lager/d"]
    assert [each.title for each in catalogue.shape()[0].below] == ["E", "A", "B", "C", "D"]
