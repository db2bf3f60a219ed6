"""What is not the file's stays, or goes where its parent goes."""

from __future__ import annotations

from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS
from tests.unit.erp.modules.catalog.planning.catalogues import STOCK, Catalogue, Node, counts, tree


def test_what_people_have_put_below_a_node_keeps_it() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    catalogue.add("lager/bestand/artikel/eigenes", "lager/bestand/artikel")
    made = catalogue.take(tree("Lager", ".Versand", "..Ausgang"))
    assert set(made.kept) == {"lager/bestand", "lager/bestand/artikel"}
    assert made.deleted == ["lager/bestand/zaehlung"]
    assert catalogue.codes() == [Code.KEPT, Code.KEPT]
    again = catalogue.take(tree("Lager", ".Versand", "..Ausgang"))
    assert (bool(again), len(again.kept)) == (False, 2)
    assert counts(catalogue.take(tree(*STOCK))) == (1, 0, 0, 0, 0), "what was kept is taken up again"


def test_nodes_of_others_go_where_their_parents_go() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Lager", ".Bestand", "..Artikel", ".Versand"))
    catalogue.add("eigenes", "lager/bestand/artikel")
    catalogue.add("tiefer", "eigenes")
    catalogue.take(tree("Lager", ".Artikel", ".Bestand", ".Versand"))
    assert [catalogue.nodes[each].depth for each in ("lager/bestand/artikel", "eigenes", "tiefer")] == [1, 2, 3]
    assert catalogue.nodes["eigenes"].version == 1


def test_nodes_of_others_are_not_pushed_out_of_the_tree() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Lager", ".Bestand"))
    last = "lager/bestand"
    for level in range(2, MAX_LEVELS):
        catalogue.add(f"eigenes-{level}", last)
        last = f"eigenes-{level}"
    before = dict(catalogue.nodes)
    catalogue.take(tree("Lager", ".Neu", "..Bestand"))
    assert catalogue.codes()[-1] is Code.TOO_DEEP
    assert catalogue.nodes == before


def test_two_files_do_not_touch_each_other() -> None:
    catalogue = Catalogue(Node("lager", None, "Lager", position=4))
    catalogue.take(tree(*STOCK))
    assert catalogue.codes() == [Code.ID_TAKEN]
    catalogue.take(tree("Lager", ".Bestand"), "andere.md")
    assert {"lager", "lager-2", "lager-2/bestand", "lager-3", "lager-3/bestand"} < catalogue.ids()
    assert [catalogue.nodes[each].position for each in ("lager", "lager-2", "lager-3")] == [4, 5, 6]
    catalogue.take(tree("Lager", ".Neu"))
    assert "lager-3/bestand" in catalogue.ids()
    assert "lager-2/bestand" not in catalogue.ids()
