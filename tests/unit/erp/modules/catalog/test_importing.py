"""Files into the database, on both engines: whole or not at all, once, and told to those whom it concerns."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import func, select, text

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.announcements import Announcement
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.catalog import importing, service
from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.importing import SourceFile, import_files, source_name
from steinmetz.erp.modules.catalog.models import CatalogSource, FunctionNode
from steinmetz.erp.modules.catalog.rules import Kind
from steinmetz.erp.modules.catalog.schemas import FileReport, NodeInput, NodePatch
from steinmetz.erp.modules.system.models import AuditEntry

pytestmark = pytest.mark.anyio

LAGER = "## 📦 Lager\n\n├── 🏷️ Bestand\n│ ├── 🎯 Zählung\n│ └── Artikel\n└── 🚚 Versand\n"
RULES = {"maxDepth": 3, "emojiAsKind": True, "emojiKindMap": {"🎯": "workflow"}, "itemIfNoChildren": True}
BROKEN = "## Kaputt\n├── \x00\n"


class Catalogue:
    """The catalogue of a test: imports and readings by a role."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.said: list[Announcement] = []
        database.publisher = self.said.append  # type: ignore[assignment]  # nobody is expelled here

    async def take(self, *files: tuple[str, str], role: Role = Role.ADMIN, **options: Any) -> list[FileReport]:
        self.said.clear()
        sources = [SourceFile(name, data.encode()) for name, data in files]
        return await import_files(self.database, Actor(None, role.value, role), sources, **options)

    async def nodes(self) -> dict[str, FunctionNode]:
        async with self.database.unit(writes=False) as unit:
            return {node.id: node for node in await unit.session.scalars(select(FunctionNode))}

    async def audit(self) -> list[AuditEntry]:
        async with self.database.unit(writes=False) as unit:
            return list(await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id)))

    async def change(self, node_id: str, **wanted: Any) -> None:
        node = (await self.nodes())[node_id]
        async with self.database.unit() as unit:
            await service.change(unit, node_id, NodePatch(version=node.version, **wanted))

    async def create(self, parent_id: str, title: str) -> None:
        async with self.database.unit() as unit:
            await service.create(unit, NodeInput(parent_id=parent_id, title=title))

    async def create_area(self, title: str) -> None:
        async with self.database.unit() as unit:
            await service.create(unit, NodeInput(title=title))

    async def lint(self, role: Role = Role.ADMIN) -> list[tuple[str, str, str]]:
        async with self.database.unit(actor=Actor(None, "", role), writes=False) as unit:
            return [(each.rule, each.node_id, each.message) for each in (await service.findings(unit)).findings]

    async def found(self, words: str) -> list[str]:
        async with self.database.unit(writes=False) as unit:
            return [hit.id for hit in (await service.search(unit, words, PageQuery()))[0]]

    def heard(self) -> list[str]:
        return [each.event for each in self.said]


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.created, report.changed, report.moved, report.deleted


async def test_a_file_goes_in_with_one_audit_entry_and_is_found(catalogue: Catalogue) -> None:
    (report,) = await catalogue.take(("_7_Lager.md", LAGER))
    assert (report.nodes, report.malformed, report.refused) == (5, 0, None)
    assert counts(report) == (5, 0, 0, 0)
    nodes = await catalogue.nodes()
    assert set(nodes) == set(report.ids["created"])
    node = nodes["lager/bestand/zaehlung"]
    assert (node.parent_id, node.area, node.icon, node.title, node.depth, node.version) == (
        "lager/bestand",
        "lager",
        "🎯",
        "Zählung",
        2,
        1,
    )
    assert (node.source, nodes["lager"].kind) == ("_7_Lager.md", Kind.CATEGORY)
    (entry,) = await catalogue.audit()
    assert (entry.action, entry.entity_id) == ("catalog.import", "_7_Lager.md")
    assert entry.after is not None
    assert (entry.after["created"], len(entry.after["ids"]["created"])) == (5, 5)
    assert await catalogue.found("zähl") == ["lager/bestand/zaehlung"]


async def test_the_same_file_again_writes_nothing_at_all(catalogue: Catalogue, clock: FakeClock) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    before = {node.id: (node.version, node.updated_at) for node in (await catalogue.nodes()).values()}
    clock.advance(60)
    (report,) = await catalogue.take(("_7_Lager.md", LAGER))
    assert counts(report) == (0, 0, 0, 0)
    assert {node.id: (node.version, node.updated_at) for node in (await catalogue.nodes()).values()} == before
    assert catalogue.said == []
    assert len(await catalogue.audit()) == 1


async def test_a_changed_file_changes_its_nodes_alone(catalogue: Catalogue, clock: FakeClock) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    await catalogue.change("lager/bestand", description="Was da ist", title="Vorrat")
    clock.advance(60)
    changed = LAGER.replace("🎯 Zählung", "📋 Zählung").replace("└── 🚚 Versand", "└── 📥 Eingang")
    (report,) = await catalogue.take(("_7_Lager.md", changed))
    assert counts(report) == (1, 2, 0, 1)
    assert report.ids["changed"] == ["lager/bestand", "lager/bestand/zaehlung"]
    nodes = await catalogue.nodes()
    again = nodes["lager/bestand"]
    assert (again.title, again.description, again.version) == ("Bestand", "Was da ist", 3)
    fresh = {node.id for node in nodes.values() if node.updated_at == clock.now()}
    assert fresh == {"lager/bestand", "lager/bestand/zaehlung", "lager/eingang"}
    assert await catalogue.found("versand") == []
    assert await catalogue.found("eingang") == ["lager/eingang"]
    assert await catalogue.found("vorrat") == []


async def test_a_moved_branch_is_moved_and_nothing_of_it_deleted(catalogue: Catalogue) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    await catalogue.create("lager/bestand/artikel", "Eigenes")
    moved = "## 📦 Lager\n└── 🚚 Versand\n└── 🏷️ Bestand\n├── 🎯 Zählung\n└── Artikel\n"
    (report,) = await catalogue.take(("_7_Lager.md", moved))
    assert counts(report) == (0, 0, 1, 0)
    nodes = await catalogue.nodes()
    assert nodes["lager/bestand"].parent_id == "lager/versand"
    assert {node.id: node.depth for node in nodes.values() if node.depth > 2} == {
        "lager/bestand/zaehlung": 3,
        "lager/bestand/artikel": 3,
        "lager/bestand/artikel/eigenes": 4,
    }


async def test_what_people_have_put_below_a_node_is_never_deleted(catalogue: Catalogue) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    await catalogue.create("lager/bestand/artikel", "Eigenes")
    (report,) = await catalogue.take(("_7_Lager.md", "## 📦 Lager\n└── 🚚 Versand\n"))
    assert (report.kept, report.deleted) == (2, 1)
    assert [(each.code, each.text) for each in report.findings] == [
        (Code.KEPT, "lager/bestand"),
        (Code.KEPT, "lager/bestand/artikel"),
    ]
    assert [(rule, node_id) for rule, node_id, _ in await catalogue.lint()] == [
        ("kept", "lager/bestand"),
        ("kept", "lager/bestand/artikel"),
    ]
    assert set(await catalogue.nodes()) == {
        "lager",
        "lager/bestand",
        "lager/bestand/artikel",
        "lager/bestand/artikel/eigenes",
        "lager/versand",
    }


async def test_a_bad_file_changes_nothing_and_the_others_go_in(catalogue: Catalogue) -> None:
    good, bad, other = await catalogue.take(
        ("a.md", LAGER), ("b.md", BROKEN), ("c.jsonl", '{"id":"x","title":"X"}')
    )
    assert (good.refused, other.refused) == (None, None)
    assert bad.refused is not None
    assert (bad.refused.code, bad.refused.line) == (Code.NUL_BYTE, 2)
    assert {node.source for node in (await catalogue.nodes()).values()} == {"a.md", "c.jsonl"}
    assert [entry.entity_id for entry in await catalogue.audit()] == ["a.md", "c.jsonl"]


async def test_a_file_that_fails_half_way_leaves_nothing(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise OSError("the power is out")

    monkeypatch.setattr(importing.repository, "delete_nodes", fail)
    with pytest.raises(OSError, match="power"):
        await catalogue.take(("a.md", LAGER))
    assert await catalogue.nodes() == {}
    assert await catalogue.audit() == []
    assert catalogue.said == []


async def test_a_dry_run_tells_the_same_and_writes_nothing(catalogue: Catalogue) -> None:
    files = (("_0_REGELN.md", json.dumps(RULES)), ("a.md", LAGER), ("b.md", LAGER))
    dry = await catalogue.take(*files, dry_run=True)
    assert await catalogue.nodes() == {}
    assert await catalogue.audit() == []
    assert catalogue.said == []
    assert await catalogue.take(*files) == dry
    assert dry[2].ids["created"][0] == "lager-2"


async def test_few_changes_are_told_one_by_one_and_many_at_once(catalogue: Catalogue) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    assert catalogue.heard() == ["catalog:update"] * 5
    many = LAGER + "".join(f"├── Regal {number}\n" for number in range(60))
    await catalogue.take(("_7_Lager.md", many))
    assert catalogue.heard() == ["catalog:reload"]
    await catalogue.take(("_7_Lager.md", LAGER))
    assert catalogue.heard() == ["catalog:reload"]


async def test_only_those_hear_of_a_node_who_see_it(catalogue: Catalogue) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    await catalogue.change("lager/bestand", min_role=Role.MANAGER)
    moved = LAGER.replace("└── 🚚 Versand", "├── Artikel\n└── 🚚 Versand").replace("│ └── Artikel\n", "")
    await catalogue.take(("_7_Lager.md", moved.replace("🎯", "📋")))
    told = {(each.payload["function"]["id"], each.rooms) for each in catalogue.said if "function" in each.payload}
    everybody = tuple(f"role:{role}" for role in Role)
    managers = ("role:admin", "role:manager", "role:auditor")
    assert told == {
        ("lager/bestand/zaehlung", managers),
        ("lager/bestand/artikel", everybody),
        ("lager/versand", everybody),
    }
    await catalogue.take(("_7_Lager.md", LAGER))
    gone = [each for each in catalogue.said if each.payload == {"deleted": "lager/bestand/artikel"}]
    assert [each.rooms for each in gone] == [("role:clerk",)]


async def test_nobody_changes_by_a_file_what_he_does_not_see(catalogue: Catalogue) -> None:
    await catalogue.take(("_7_Lager.md", LAGER))
    await catalogue.change("lager/bestand", min_role=Role.ADMIN)
    for text_of in (LAGER.replace("Artikel", "Anderes"), LAGER.replace("🎯", "📋"), LAGER + "├── Neu\n"):
        (report,) = await catalogue.take(("_7_Lager.md", text_of), role=Role.MANAGER)
        is_hidden = "Neu" not in text_of
        assert (report.refused is not None) is is_hidden
        assert report.refused is None or report.refused.code is Code.ROLE_NEEDED
    (unchanged,) = await catalogue.take(("_7_Lager.md", LAGER + "├── Neu\n"), role=Role.MANAGER)
    assert unchanged.refused is None


async def test_rules_need_an_administrator_and_nodes_a_manager(catalogue: Catalogue) -> None:
    rules, tree = await catalogue.take(("a.md", LAGER), ("_0_REGELN.md", "{}"), role=Role.MANAGER)
    assert (rules.name, rules.refused and rules.refused.code) == ("_0_REGELN.md", Code.ROLE_NEEDED)
    assert tree.refused is None
    (refused,) = await catalogue.take(("a.md", LAGER), role=Role.CLERK)
    assert refused.refused is not None
    assert (refused.created, refused.ids) == (0, {})


async def test_rules_come_into_force_first_and_once(catalogue: Catalogue) -> None:
    document = json.dumps(RULES)
    rules, tree = await catalogue.take(("a.md", LAGER), ("_0_REGELN.md", document))
    assert (rules.format, rules.changed, tree.created) == ("rules", 1, 5)
    assert catalogue.heard()[0] == "catalog:reload"
    kinds = {node.title: node.kind for node in (await catalogue.nodes()).values()}
    assert kinds == {
        "Lager": Kind.CATEGORY,
        "Bestand": Kind.GROUP,
        "Zählung": Kind.WORKFLOW,
        "Artikel": Kind.ITEM,
        "Versand": Kind.ITEM,
    }
    entry = (await catalogue.audit())[0]
    assert (entry.action, entry.after) == ("catalog.rules", RULES)
    again = await catalogue.take(("a.md", LAGER), ("_0_REGELN.md", document), ("_0_REGELN.jsonl", "{}"))
    assert [counts(each) for each in again] == [(0, 0, 0, 0)] * 3
    assert [each.code for each in again[1].findings] == [Code.SECOND_RULES]
    assert catalogue.said == []


async def test_lint_goes_on_telling_of_what_was_mended(catalogue: Catalogue) -> None:
    await catalogue.take(("_0_REGELN.md", json.dumps(RULES)), ("_7_Lager.md", LAGER.replace("├── 🏷️", "├️⃣ 🏷️")))
    message = "_7_Lager.md, line 3: After ├ there is no ──; its title is a node."
    assert await catalogue.lint() == [("malformed-branch", "lager/bestand", message)]
    await catalogue.change("lager/bestand", min_role=Role.ADMIN)
    assert await catalogue.lint(Role.MANAGER) == []
    await catalogue.take(("_7_Lager.md", "\n" + LAGER.replace("├── 🏷️", "├️⃣ 🏷️")))
    assert "line 4" in (await catalogue.lint())[0][2]
    assert [(each.event, each.rooms) for each in catalogue.said] == [
        ("catalog:reload", ("role:admin", "role:manager", "role:auditor"))
    ]
    await catalogue.take(("_7_Lager.md", LAGER))
    assert await catalogue.lint() == []


async def test_rules_that_somebody_spoiled_in_the_database_refuse_the_file(catalogue: Catalogue) -> None:
    await catalogue.take(("_0_REGELN.md", "{}"))
    async with catalogue.database.unit() as unit:
        await unit.session.execute(text("UPDATE catalog_rules SET document = '{\"maxDepth\": 0}'"))
    (report,) = await catalogue.take(("_7_Lager.md", LAGER))
    assert report.refused is not None
    assert report.refused.code is Code.BAD_RULES


async def test_a_name_comes_once(catalogue: Catalogue) -> None:
    _, second = await catalogue.take(("a.md", LAGER), ("a.md", "## Anderes\n├── x\n"))
    assert second.refused is not None
    assert second.refused.code is Code.NAME_TWICE
    assert "anderes" not in await catalogue.nodes()


async def test_imports_at_once_wait_for_each_other(catalogue: Catalogue) -> None:
    """Neither a tree that is twice there nor an id that is given twice."""
    await asyncio.gather(
        *(catalogue.take((name, LAGER)) for name in ("a.md", "a.md", "b.md", "c.md")),
        catalogue.create_area("Lager"),
    )
    nodes = await catalogue.nodes()
    areas = {node.id for node in nodes.values() if node.parent_id is None}
    assert areas == {"lager", "lager-2", "lager-3", "lager-4"}
    assert len(nodes) == 3 * 5 + 1
    async with catalogue.database.unit(writes=False) as unit:
        assert await count(unit, CatalogSource) == 3


async def count(unit: Unit, model: Any) -> int:
    return await unit.session.scalar(select(func.count()).select_from(model)) or 0


async def test_a_thousand_nodes_take_few_statements(catalogue: Catalogue) -> None:
    """Counted, not timed: as many statements for a thousand nodes as for ten."""
    from sqlalchemy import event

    def tree(groups: int) -> str:
        return "## Lager\n" + "".join(f"├── Regal {n}\n│ ├── Fach\n│ └── Boden\n" for n in range(groups))

    statements: list[str] = []
    sync = catalogue.database.engine.sync_engine
    event.listen(sync, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    await catalogue.take(("a.md", tree(3)))
    few = len(statements)
    assert few > 5
    statements.clear()
    await catalogue.take(("b.md", tree(400)))
    assert len(statements) <= few + 10
    statements.clear()
    await catalogue.take(("b.md", tree(400).replace("Boden", "Decke")))
    assert len(statements) <= few + 15


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("ordner/_7_Lager.md", "_7_Lager.md"),
        ("C:\\Katalog\\_7_Lager.md", "_7_Lager.md"),
        ("La\u0308ger\x00\n.md ", "Läger.md"),
        ("ordner/", ""),
        ("x" * 300, "x" * 200),
    ],
)
def test_of_a_path_the_name_remains(path: str, name: str) -> None:
    assert source_name(path) == name
