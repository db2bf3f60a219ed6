"""Nodes are found again though they moved, were renamed or changed by hand."""

from __future__ import annotations

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.rules import Kind
from tests.unit.erp.modules.catalog.planning.catalogues import STOCK, Catalogue, counts, tree


def test_a_branch_that_moved_keeps_its_ids_and_what_people_gave_it() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    catalogue.change("lager/bestand", min_role=Role.MANAGER)
    before = catalogue.ids()
    made = catalogue.take(tree("Lager", ".Versand", "..Ausgang", "..Bestand", "...Artikel", "...Zählung"))
    assert counts(made) == (0, 0, 1, 0, 0)
    assert made.moved == ["lager/bestand"]
    assert catalogue.ids() == before
    moved = catalogue.nodes["lager/bestand"]
    assert (moved.parent_id, moved.min_role, moved.version) == ("lager/versand", Role.MANAGER, 2)
    below = catalogue.nodes["lager/bestand/artikel"]
    assert (below.depth, below.version) == (3, 1)


def test_the_heading_may_be_renamed() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    made = catalogue.take(tree("Logistik", *STOCK[1:]))
    assert counts(made) == (0, 1, 0, 0, 0)
    assert catalogue.nodes["lager"].title == "Logistik"
    assert not catalogue.take(tree("Logistik", *STOCK[1:]))


def test_a_renamed_branch_is_known_by_its_children() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Personal", ".Gehälter", "..Tarif", "..Zulagen", "..Bonus", ".Stamm", "..Name"))
    catalogue.change("personal/gehaelter", min_role=Role.MANAGER)
    made = catalogue.take(
        tree("Personal", ".Vergütung", "..Tarif", "..Zulagen", "..Dienstwagen", ".Stamm", "..Name")
    )
    assert counts(made) == (1, 1, 0, 0, 1)
    renamed = catalogue.nodes["personal/gehaelter"]
    assert (renamed.title, renamed.min_role) == ("Vergütung", Role.MANAGER)
    assert catalogue.codes() == []


def test_thousands_of_renamed_branches_are_compared_in_one_go() -> None:
    def branches(name: str) -> str:
        return "## A\n" + "".join(f"├── {name} {number}\n│ ├── x\n" for number in range(2_000))

    catalogue = Catalogue()
    catalogue.take(branches("Regal"))
    made = catalogue.take(branches("Fach"))
    assert counts(made) == (4_000, 0, 0, 0, 4_000)


def test_of_branches_with_the_same_children_nobody_can_tell_which_was_renamed() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Personal", ".A", "..Liste", "..Analyse", ".B", "..Liste", "..Analyse"))
    catalogue.change("personal/b", min_role=Role.ADMIN)
    made = catalogue.take(tree("Personal", ".C", "..Liste", "..Analyse"))
    assert counts(made) == (3, 0, 0, 0, 6)
    assert [(each.code, each.text) for each in catalogue.findings.shown] == [(Code.ROLE_LOST, "personal/b")]


def test_what_was_changed_by_hand_is_the_files_again_but_for_the_lowest_role() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    catalogue.change("lager/bestand", title="Vorrat", icon="🧺", kind=Kind.REPORT, min_role=Role.ADMIN)
    catalogue.change("lager/versand/ausgang", parent_id="lager/bestand", position=7)
    made = catalogue.take(tree(*STOCK))
    assert counts(made) == (0, 1, 1, 0, 0)
    again = catalogue.nodes["lager/bestand"]
    assert (again.title, again.icon, again.kind, again.min_role) == ("Bestand", "", Kind.GROUP, Role.ADMIN)
    assert catalogue.nodes["lager/versand/ausgang"].parent_id == "lager/versand"
