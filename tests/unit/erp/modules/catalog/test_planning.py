"""What an import changes: only what the file says otherwise, and nothing that is not the file's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.jsonl import read_jsonl
from steinmetz.erp.modules.catalog.formats.markdown import read_markdown
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.planning import Plan, observe_rules, plan, visible_to, wanted_of
from steinmetz.erp.modules.catalog.rules import MAX_ID, MAX_LEVELS, Kind
from tests.unit.erp.modules.catalog.formats.trees import TREES, Tree, depth, drawn

FILE = "_7_Lager.md"


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None
    title: str
    area: str = "lager"
    icon: str = ""
    kind: Kind = Kind.GROUP
    min_role: Role = Role.CLERK
    position: int = 0
    depth: int = 0
    source: str | None = None
    source_key: str | None = None
    version: int = 1


class Catalogue:
    """A stored catalogue, and what each import has found."""

    def __init__(self, *nodes: Node, rules: LintRules | None = None) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.rules = rules or LintRules()
        self.findings = Findings()

    def take(self, text: str, name: str = FILE) -> Plan:
        """Import a file whose lines are indented by blanks, or JSONL."""
        self.findings = Findings()
        read = read_jsonl if name.endswith(".jsonl") else read_markdown
        outline = read(name, text.encode(), self.findings)
        assert self.findings.first_error is None, self.findings.first_error
        wanted = wanted_of(outline, self.rules)
        made = plan(name, wanted, list(self.nodes.values()), self.rules, self.findings)
        if self.findings.first_error is None:
            self._apply(made, name)
        return made

    def _apply(self, made: Plan, name: str) -> None:
        for each in made.created:
            assert each.id not in self.nodes
            assert each.parent_id is None or each.parent_id in self.nodes, "parents come first"
            self.nodes[each.id] = Node(
                each.id, each.parent_id, each.entry.title, each.area, each.entry.icon, each.kind,
                position=each.position, depth=each.entry.depth, source=name, source_key=each.key,
            )  # fmt: skip
        for change in made.changes:
            before = self.nodes[change.id]
            self.nodes[change.id] = replace(
                before, parent_id=change.parent_id, area=change.area, title=change.title, icon=change.icon,
                kind=change.kind, position=change.position, depth=change.depth, source_key=change.source_key,
                version=before.version + change.is_new_version,
            )  # fmt: skip
        doomed = set(made.deleted)
        assert all(node.id in doomed for node in self.nodes.values() if node.parent_id in doomed)
        for node_id in made.deleted:
            del self.nodes[node_id]

    def change(self, node_id: str, **values: Any) -> None:
        """By hand."""
        self.nodes[node_id] = replace(self.nodes[node_id], **values)

    def add(self, node_id: str, parent_id: str, **values: Any) -> None:
        """By hand."""
        above = self.nodes[parent_id]
        self.nodes[node_id] = Node(node_id, parent_id, node_id, above.area, depth=above.depth + 1, **values)

    def shape(self, name: str | None = FILE) -> list[Tree]:
        """What the file of this name has made (None: all), in the order in which it is shown."""

        def below(parent_id: str | None) -> tuple[Tree, ...]:
            children = [node for node in self.nodes.values() if node.parent_id == parent_id]
            children = [node for node in children if name is None or node.source == name]
            children.sort(key=lambda node: (node.position, node.id))
            return tuple(Tree(node.icon, node.title, below(node.id)) for node in children)

        return list(below(None))

    def by_hand(self) -> dict[str, tuple[str | None, str, int]]:
        made = (node for node in self.nodes.values() if node.source is None)
        return {node.id: (node.parent_id, node.title, node.version) for node in made}

    def ids(self) -> set[str]:
        return set(self.nodes)

    def codes(self) -> list[Code]:
        return [each.code for each in self.findings.shown]


def counts(made: Plan) -> tuple[int, int, int, int, int]:
    """Created, changed, moved, pushed, deleted."""
    return len(made.created), len(made.changed), len(made.moved), len(made.pushed), len(made.deleted)


def tree(*lines: str) -> str:
    """``.`` per level below the heading: "Lager", ".Bestand", "..Artikel"."""

    def grown(at: int, level: int) -> tuple[tuple[Tree, ...], int]:
        found = []
        while at < len(lines) and len(lines[at]) - len(lines[at].lstrip(".")) == level:
            title = lines[at].lstrip(".")
            below, at = grown(at + 1, level + 1)
            found.append(Tree("", title, below))
        return tuple(found), at

    return "".join(drawn(area) for area in grown(0, 0)[0])


STOCK = ("Lager", ".Bestand", "..Artikel", "..Zählung", ".Versand", "..Ausgang")


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


def test_of_children_in_another_order_as_few_as_possible_move() -> None:
    catalogue = Catalogue()
    catalogue.take(tree("Lager", ".A", ".B", ".C", ".D", ".E"))
    made = catalogue.take(tree("Lager", ".E", ".A", ".B", ".C", ".D"))
    assert made.moved == ["lager/e"]
    assert made.pushed == ["lager/a", "lager/b", "lager/c", "lager/d"]
    assert [each.title for each in catalogue.shape()[0].below] == ["E", "A", "B", "C", "D"]


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


LINES = '{"id": "a", "title": "A"}\n{"id": "a/b", "parent_id": "a", "title": "B"}\n'


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


def test_kinds_are_made_by_the_rules() -> None:
    rules = LintRules(kind_of_icon={"🎯": Kind.WORKFLOW}, leaf_is_item=True)
    catalogue = Catalogue(rules=rules)
    catalogue.take("## 🎯 A\n├── B\n│ ├── 🎯 C\n│ └── D\n")
    kinds = [node.kind for node in catalogue.nodes.values()]
    assert kinds == [Kind.CATEGORY, Kind.GROUP, Kind.WORKFLOW, Kind.ITEM]


def test_what_the_rules_would_do_otherwise_is_told_and_not_done() -> None:
    findings = Findings()
    text = tree("Lager", ".B", "..1", "...x", "...y", "....z", ".A", ".C (w:-1)")
    outline = read_markdown("x", text.encode(), findings)
    rules = LintRules(max_levels=3, max_children=2, sorts=True)
    observe_rules(outline, rules, findings, prunes=True)
    assert [(each.code, each.text) for each in findings.shown] == [
        (Code.OVERFLOW, "Lager"),
        (Code.BEYOND_DEPTH, "1"),
        (Code.OTHER_ORDER, "Lager"),
    ]
    assert "3 nodes below it" in findings.shown[1].reason


def test_sight_is_by_all_ancestors() -> None:
    nodes = [
        Node("a", None, "a"),
        Node("a/b", "a", "b", min_role=Role.ADMIN),
        Node("a/b/c", "a/b", "c"),
        Node("a/d", "a", "d"),
    ]
    is_visible = visible_to(lambda role: role is not Role.ADMIN, nodes)
    assert [is_visible(each.id) for each in nodes] == [True, False, False, True]


FITTING = TREES.filter(lambda tree: depth(tree) <= 5)


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
