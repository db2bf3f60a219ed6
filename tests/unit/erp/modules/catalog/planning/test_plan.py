"""What an import changes: only what the file says otherwise, and nothing that is not the file's."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.rules import Kind
from tests.unit.erp.modules.catalog.formats.trees import TREES, Tree, depth, drawn
from tests.unit.erp.modules.catalog.planning.catalogues import STOCK, Catalogue, counts, tree

FITTING = TREES.filter(lambda tree: depth(tree) <= 5)


def test_the_same_file_again_changes_nothing() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    assert not catalogue.take(tree(*STOCK))


def test_a_changed_file_changes_its_nodes_alone() -> None:
    catalogue = Catalogue()
    catalogue.take(tree(*STOCK))
    made = catalogue.take(tree("Lager", ".Bestand", "..Neu", "..Artikel", ".Versand", "..📦 Ausgang"))
    assert counts(made) == (1, 1, 0, 1, 1)  # Artikel makes room for Neu
    assert made.changed == ["lager/versand/ausgang"]
    assert made.deleted == ["lager/bestand/zaehlung"]
    versions = {node.id: node.version for node in catalogue.nodes.values() if node.version > 1}
    assert versions == {"lager/versand/ausgang": 2}


def test_kinds_are_made_by_the_rules() -> None:
    rules = LintRules(kind_of_icon={"🎯": Kind.WORKFLOW}, leaf_is_item=True)
    catalogue = Catalogue(rules=rules)
    catalogue.take("## 🎯 A\n├── B\n│ ├── 🎯 C\n│ └── D\n")
    kinds = [node.kind for node in catalogue.nodes.values()]
    assert kinds == [Kind.CATEGORY, Kind.GROUP, Kind.WORKFLOW, Kind.ITEM]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(FITTING)
def test_a_second_import_never_changes_anything(area: Tree) -> None:
    catalogue = Catalogue()
    catalogue.take(drawn(area))
    assert catalogue.shape() == [area]
    assert not catalogue.take(drawn(area))


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(FITTING, min_size=2, max_size=3))
def test_whatever_came_before_the_tree_is_that_of_the_last_file(areas: Sequence[Tree]) -> None:
    catalogue = Catalogue()
    for area in areas:
        catalogue.take(drawn(area))
    assert catalogue.shape() == [areas[-1]]
    for node in catalogue.nodes.values():
        above = catalogue.nodes[node.parent_id] if node.parent_id is not None else None
        assert node.depth == (above.depth + 1 if above else 0)
        assert node.area == (above.area if above else node.id)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(FITTING, FITTING, st.data())
def test_what_is_not_the_files_is_never_changed(before: Tree, after: Tree, data: st.DataObject) -> None:
    catalogue = Catalogue()
    catalogue.take(drawn(before))
    below = data.draw(st.lists(st.sampled_from(sorted(catalogue.ids())), max_size=3, unique=True))
    for number, parent_id in enumerate(below):
        catalogue.add(f"eigenes-{number}", parent_id, position=number)
    own = {
        node.id: (node.parent_id, node.title, node.version) for node in catalogue.nodes.values() if not node.source
    }
    catalogue.take(drawn(after))
    left = {
        node.id: (node.parent_id, node.title, node.version) for node in catalogue.nodes.values() if not node.source
    }
    assert left == own
    assert not catalogue.take(drawn(after))
