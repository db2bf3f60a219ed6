"""The catalogue on both engines: who sees, finds and changes what, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select, text

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import Conflict, Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit.announcements import Announcement
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.catalog import service
from steinmetz.erp.modules.catalog.models import FunctionNode
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS
from steinmetz.erp.modules.catalog.schemas import NodeInput, NodeMove, NodePatch, NodeView

pytestmark = pytest.mark.anyio


def actor(role: Role) -> Actor:
    return Actor(None, role.value, role)


class Catalogue:
    """The catalogue of a test: each call is a unit of its own, by a role."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.said: list[Announcement] = []
        database.publisher = self.said.append  # type: ignore[assignment]  # nobody is expelled here

    @asynccontextmanager
    async def unit(self, role: Role = Role.ADMIN, *, writes: bool = False) -> AsyncIterator[Unit]:
        async with self.database.unit(actor=actor(role), writes=writes) as unit:
            yield unit

    async def create(self, parent_id: str | None, title: str, role: Role = Role.ADMIN, **more: Any) -> NodeView:
        async with self.unit(role, writes=True) as unit:
            return await service.create(unit, NodeInput(parent_id=parent_id, title=title, **more))

    async def change(self, node_id: str, version: int, role: Role = Role.ADMIN, **wanted: Any) -> NodeView:
        async with self.unit(role, writes=True) as unit:
            return await service.change(unit, node_id, NodePatch(version=version, **wanted))

    async def move(
        self,
        node_id: str,
        parent_id: str | None,
        *,
        version: int = 1,
        position: int | None = None,
        role: Role = Role.ADMIN,
    ) -> NodeView:
        async with self.unit(role, writes=True) as unit:
            data = NodeMove(version=version, parent_id=parent_id, position=position)
            return await service.move(unit, node_id, data)

    async def delete(
        self, node_id: str, *, version: int = 1, with_below: bool = False, role: Role = Role.ADMIN
    ) -> int:
        async with self.unit(role, writes=True) as unit:
            return (await service.delete(unit, node_id, version, with_below=with_below)).nodes

    async def outline(self, role: Role = Role.ADMIN) -> dict[str, Any]:
        """The whole tree as nested ids."""

        def nested(nodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
            return {node["id"]: nested(node.get("children", ())) for node in nodes}

        async with self.unit(role) as unit:
            return nested(await service.levels(unit, MAX_LEVELS))

    async def found(self, words: str, role: Role = Role.ADMIN) -> list[str]:
        async with self.unit(role) as unit:
            hits, _, total = await service.search(unit, words, PageQuery())
            assert total == len(hits)
            return [hit.id for hit in hits]


@pytest.fixture
async def catalogue(database: Database) -> Catalogue:
    """
    finanzen
    ├── umsatz          Umsatz je Monat
    │   └── prognose
    └── gehaelter       (manager)
        └── vorstand
    lager
    geheim              (admin)
    """
    made = Catalogue(database)
    async with made.unit(writes=True) as unit:
        for node in (
            NodeInput(title="Finanzen"),
            NodeInput(parent_id="finanzen", title="Umsatz", description="Umsatz je Monat und Größe"),
            NodeInput(parent_id="finanzen/umsatz", title="Prognose"),
            NodeInput(parent_id="finanzen", title="Gehälter", min_role=Role.MANAGER),
            NodeInput(parent_id="finanzen/gehaelter", title="Vorstand"),
            NodeInput(title="Lager"),
            NodeInput(title="Geheim", min_role=Role.ADMIN),
        ):
            await service.create(unit, node)
    made.said.clear()
    return made


ALL = {
    "finanzen": {
        "finanzen/umsatz": {"finanzen/umsatz/prognose": {}},
        "finanzen/gehaelter": {"finanzen/gehaelter/vorstand": {}},
    },
    "lager": {},
    "geheim": {},
}


class TestReading:
    async def test_each_role_sees_its_part(self, catalogue: Catalogue) -> None:
        assert await catalogue.outline() == ALL
        for_manager = {area: below for area, below in ALL.items() if area != "geheim"}
        assert await catalogue.outline(Role.MANAGER) == await catalogue.outline(Role.AUDITOR) == for_manager
        assert await catalogue.outline(Role.CLERK) == {
            "finanzen": {"finanzen/umsatz": {"finanzen/umsatz/prognose": {}}},
            "lager": {},
        }

    async def test_a_node_knows_the_way_to_it(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(Role.CLERK) as unit:
            node = await service.node(unit, "finanzen/umsatz/prognose")
            assert [step.title for step in node.trail] == ["Finanzen", "Umsatz"]
            assert (node.area, node.depth, node.child_count) == ("finanzen", 2, 0)
            assert (await service.node(unit, "finanzen")).child_count == 1

    async def test_what_a_clerk_does_not_see_is_not_found(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(Role.CLERK) as unit:
            for hidden in ("finanzen/gehaelter", "finanzen/gehaelter/vorstand", "geheim", "nirgends"):
                with pytest.raises(NotFound):
                    await service.node(unit, hidden)
                with pytest.raises(NotFound):
                    await service.children(unit, hidden)

    async def test_children_come_in_order_with_their_counts(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(Role.MANAGER) as unit:
            children = await service.children(unit, "finanzen")
            assert [(child.title, child.child_count) for child in children] == [("Umsatz", 1), ("Gehälter", 1)]
        async with catalogue.unit(Role.CLERK) as unit:
            assert [child.title for child in await service.children(unit, "finanzen")] == ["Umsatz"]

    async def test_the_menu_is_two_levels(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(Role.CLERK) as unit:
            first, second = await service.menu(unit)
            assert [(child["title"], child["children"]) for child in first["children"]] == [("Umsatz", [])]
            assert (second["id"], second["children"]) == ("lager", [])


class TestSearch:
    async def test_finds_beginnings_of_words_all_of_which_must_occur(self, catalogue: Catalogue) -> None:
        assert await catalogue.found("ums") == ["finanzen/umsatz"]
        assert await catalogue.found("MONAT ums") == ["finanzen/umsatz"]
        assert await catalogue.found("umsatz lager") == []
        assert await catalogue.found("msatz") == []

    async def test_knows_umlauts(self, catalogue: Catalogue) -> None:
        assert await catalogue.found("größ") == ["finanzen/umsatz"]
        assert await catalogue.found("GEHÄ") == ["finanzen/gehaelter"]

    async def test_shows_each_role_its_part(self, catalogue: Catalogue) -> None:
        assert await catalogue.found("vorstand", Role.MANAGER) == ["finanzen/gehaelter/vorstand"]
        assert await catalogue.found("vorstand", Role.CLERK) == []
        assert await catalogue.found("geheim", Role.AUDITOR) == []

    async def test_a_title_counts_more_than_a_description(self, catalogue: Catalogue) -> None:
        await catalogue.create("lager", "Bestand", description="Zählt den Umschlag")
        await catalogue.create("lager", "Umschlag", description="Bestand in Bewegung")
        assert await catalogue.found("umschlag") == ["lager/umschlag", "lager/bestand"]
        assert await catalogue.found("bestand") == ["lager/bestand", "lager/umschlag"]

    async def test_tells_where_a_hit_lies(self, catalogue: Catalogue) -> None:
        async with catalogue.unit() as unit:
            (hit,), following, total = await service.search(unit, "prog", PageQuery())
            assert ([step.id for step in hit.trail], following, total) == (
                ["finanzen", "finanzen/umsatz"],
                None,
                1,
            )

    async def test_turns_pages(self, catalogue: Catalogue) -> None:
        for number in range(5):
            await catalogue.create("lager", f"Regal {number}")
        async with catalogue.unit() as unit:
            seen: list[str] = []
            cursor: str | None = None
            while True:
                hits, cursor, total = await service.search(unit, "regal", PageQuery(2, cursor))
                assert total == 5
                seen += [hit.id for hit in hits]
                if cursor is None:
                    break
            assert sorted(seen) == [f"lager/regal-{number}" for number in range(5)]

    async def test_takes_nothing_for_a_query_language(self, catalogue: Catalogue) -> None:
        for nothing in ("", "  ", '"', "(", "²", "\\", ":*", "a & | !", "NEAR(a b)", "' OR 1=1 --"):
            assert await catalogue.found(nothing) == [], nothing
        for said in ("umsatz*", '"umsatz', "umsatz -je", "umsatz | monat", "umsatz'"):
            assert await catalogue.found(said) == ["finanzen/umsatz"], said

    async def test_follows_changes_and_deletions(self, catalogue: Catalogue) -> None:
        await catalogue.change("finanzen/umsatz", 1, title="Erlöse")
        assert await catalogue.found("erlöse") == ["finanzen/umsatz"]
        await catalogue.delete("finanzen", with_below=True)
        assert await catalogue.found("erlöse") == await catalogue.found("prognose") == []


class TestCreating:
    async def test_gives_a_free_id_and_the_last_place(self, catalogue: Catalogue) -> None:
        first = await catalogue.create("lager", "Regal")
        second = await catalogue.create("lager", "Regal")
        assert (first.id, second.id) == ("lager/regal", "lager/regal-2")
        assert (second.area, second.depth, second.position, second.version) == ("lager", 1, 1, 1)

    async def test_makes_room_between_siblings(self, catalogue: Catalogue) -> None:
        await catalogue.create("finanzen", "Kosten", position=1)
        async with catalogue.unit() as unit:
            children = await service.children(unit, "finanzen")
        assert [(child.title, child.position) for child in children] == [
            ("Umsatz", 0),
            ("Kosten", 1),
            ("Gehälter", 2),
        ]

    async def test_is_refused_below_what_the_caller_does_not_see(self, catalogue: Catalogue) -> None:
        for parent_id in ("geheim", "nirgends"):
            with pytest.raises(Unprocessable, match="There is no function"):
                await catalogue.create(parent_id, "Neu", Role.MANAGER)

    async def test_is_refused_where_the_caller_could_not_see_it(self, catalogue: Catalogue) -> None:
        with pytest.raises(Unprocessable, match="could not see it yourself"):
            await catalogue.create("lager", "Neu", Role.MANAGER, min_role=Role.ADMIN)

    async def test_stops_at_the_deepest_level(self, catalogue: Catalogue) -> None:
        parent_id = "lager"
        for _ in range(MAX_LEVELS - 1):
            parent_id = (await catalogue.create(parent_id, "t")).id
        with pytest.raises(Unprocessable, match=f"at most {MAX_LEVELS} levels"):
            await catalogue.create(parent_id, "t")

    async def test_at_once_under_one_title_gives_different_ids(self, catalogue: Catalogue) -> None:
        made = await asyncio.gather(*(catalogue.create("lager", "Fach") for _ in range(4)))
        assert sorted(node.id for node in made) == ["lager/fach", "lager/fach-2", "lager/fach-3", "lager/fach-4"]
        assert sorted(node.position for node in made) == [0, 1, 2, 3]


class TestChanging:
    async def test_keeps_the_id_when_the_title_changes(self, catalogue: Catalogue) -> None:
        changed = await catalogue.change("finanzen/umsatz", 1, title="Erlöse")
        assert (changed.id, changed.title, changed.version) == ("finanzen/umsatz", "Erlöse", 2)

    async def test_is_refused_to_who_has_not_read_the_newest(self, catalogue: Catalogue) -> None:
        await catalogue.change("lager", 1, icon="📦")
        with pytest.raises(Conflict) as refused:
            await catalogue.change("lager", 1, title="Halle")
        assert refused.value.extra["current"]["icon"] == "📦"

    async def test_to_the_same_is_no_change(self, catalogue: Catalogue) -> None:
        assert (await catalogue.change("lager", 1, title="Lager")).version == 1
        assert catalogue.said == []

    async def test_of_a_hidden_node_finds_nothing(self, catalogue: Catalogue) -> None:
        with pytest.raises(NotFound):
            await catalogue.change("geheim", 1, Role.MANAGER, title="Offen")

    async def test_cannot_hide_it_from_the_caller(self, catalogue: Catalogue) -> None:
        with pytest.raises(Unprocessable):
            await catalogue.change("lager", 1, Role.MANAGER, min_role=Role.ADMIN)


class TestMoving:
    async def test_takes_everything_below_along(self, catalogue: Catalogue) -> None:
        moved = await catalogue.move("finanzen/umsatz", "lager")
        assert (moved.id, moved.parent_id, moved.area, moved.depth) == ("finanzen/umsatz", "lager", "lager", 1)
        async with catalogue.unit() as unit:
            below = await service.node(unit, "finanzen/umsatz/prognose")
            assert [step.id for step in below.trail] == ["lager", "finanzen/umsatz"]
            assert (below.area, below.depth) == ("lager", 2)

    async def test_to_the_top_makes_an_area_and_back(self, catalogue: Catalogue) -> None:
        moved = await catalogue.move("finanzen/umsatz", None, position=0)
        assert [each.payload["function"]["id"] for each in catalogue.said] == [
            "finanzen/umsatz",
            "finanzen",
            "lager",
            "geheim",
        ]
        assert (moved.area, moved.depth, moved.position) == ("umsatz", 0, 0)
        assert next(iter(await catalogue.outline())) == "finanzen/umsatz"
        await catalogue.move("finanzen/umsatz", "finanzen", version=2, position=0)
        assert await catalogue.outline() == ALL

    async def test_below_itself_is_refused(self, catalogue: Catalogue) -> None:
        for parent_id in ("finanzen", "finanzen/umsatz", "finanzen/umsatz/prognose"):
            with pytest.raises(Unprocessable, match="below itself"):
                await catalogue.move("finanzen", parent_id)

    async def test_two_at_once_make_no_circle(self, catalogue: Catalogue) -> None:
        await asyncio.gather(
            catalogue.move("finanzen", "lager"), catalogue.move("lager", "finanzen"), return_exceptions=True
        )
        async with catalogue.unit() as unit:
            rows = {row.id: row.parent_id for row in await unit.session.scalars(select(FunctionNode))}
        for start in rows:
            walked, place = 0, start
            while (above := rows[place]) is not None:
                place, walked = above, walked + 1
                assert walked <= MAX_LEVELS
        assert rows["finanzen"] == "lager" or rows["lager"] == "finanzen"

    async def test_counts_the_levels_below(self, catalogue: Catalogue) -> None:
        parent_id = "lager"
        for _ in range(MAX_LEVELS - 3):
            parent_id = (await catalogue.create(parent_id, "t")).id
        await catalogue.move("finanzen/umsatz", parent_id)
        with pytest.raises(Unprocessable, match="levels"):
            await catalogue.move("finanzen/gehaelter", "finanzen/umsatz/prognose")


class TestDeleting:
    async def test_of_a_branch_must_be_meant(self, catalogue: Catalogue) -> None:
        with pytest.raises(Conflict, match="1 functions lie below it"):
            await catalogue.delete("finanzen/umsatz")
        assert await catalogue.delete("finanzen/umsatz", with_below=True) == 2
        assert "finanzen/umsatz" not in (await catalogue.outline())["finanzen"]

    async def test_spares_what_the_caller_does_not_see(self, catalogue: Catalogue) -> None:
        await catalogue.change("finanzen/gehaelter/vorstand", 1, min_role=Role.ADMIN)
        with pytest.raises(Forbidden):
            await catalogue.delete("finanzen", with_below=True, role=Role.MANAGER)
        assert await catalogue.delete("finanzen", with_below=True) == 5

    async def test_needs_the_newest_version(self, catalogue: Catalogue) -> None:
        with pytest.raises(Conflict):
            await catalogue.delete("lager", version=2)

    async def test_leaves_nothing_in_the_index(self, catalogue: Catalogue) -> None:
        await catalogue.delete("finanzen", with_below=True)
        if catalogue.database.is_sqlite:
            async with catalogue.unit() as unit:
                left = await unit.session.scalars(text("SELECT node_id FROM function_nodes_fts_docids"))
                assert sorted(left) == ["geheim", "lager"]


EVERYBODY = {f"role:{role}" for role in Role}


class TestAnnouncing:
    async def test_a_change_is_told_to_the_roles_that_see_the_node(self, catalogue: Catalogue) -> None:
        view = await catalogue.change("finanzen/gehaelter/vorstand", 1, title="Vorstände")
        (said,) = catalogue.said
        assert (said.event, set(said.rooms)) == ("catalog:update", EVERYBODY - {"role:clerk"})
        assert said.payload == {"function": view.model_dump(mode="json", by_alias=True)}
        assert said.payload["function"]["updatedAt"].endswith("Z")

    async def test_who_no_longer_sees_it_hears_that_it_is_gone(self, catalogue: Catalogue) -> None:
        await catalogue.change("lager", 1, min_role=Role.AUDITOR)
        told, gone = catalogue.said
        assert ("function" in told.payload, set(told.rooms)) == (True, {"role:admin", "role:auditor"})
        assert (gone.payload, set(gone.rooms)) == ({"deleted": "lager"}, {"role:manager", "role:clerk"})

    async def test_who_sees_it_from_now_on_hears_of_it(self, catalogue: Catalogue) -> None:
        await catalogue.change("geheim", 1, min_role=Role.CLERK)
        (said,) = catalogue.said
        assert set(said.rooms) == EVERYBODY

    async def test_a_move_below_a_hidden_branch_hides(self, catalogue: Catalogue) -> None:
        await catalogue.move("finanzen/umsatz", "finanzen/gehaelter")
        told, gone = catalogue.said
        assert set(told.rooms) == EVERYBODY - {"role:clerk"}
        assert (gone.payload, gone.rooms) == ({"deleted": "finanzen/umsatz"}, ("role:clerk",))

    async def test_siblings_that_made_room_are_told_to_who_sees_them(self, catalogue: Catalogue) -> None:
        await catalogue.create("finanzen", "Bilanz", position=0, min_role=Role.ADMIN)
        new, *pushed = catalogue.said
        assert new.rooms == ("role:admin",)
        assert [(each.payload["function"]["id"], each.payload["function"]["position"]) for each in pushed] == [
            ("finanzen/umsatz", 1),
            ("finanzen/gehaelter", 2),
        ]
        assert [set(each.rooms) for each in pushed] == [EVERYBODY, EVERYBODY - {"role:clerk"}]

    async def test_a_deletion_is_told_to_who_saw_it(self, catalogue: Catalogue) -> None:
        await catalogue.delete("geheim")
        (said,) = catalogue.said
        assert (said.payload, said.rooms) == ({"deleted": "geheim"}, ("role:admin",))

    async def test_a_reload_is_told_to_everybody(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(writes=True) as unit:
            await service.reload(unit)
        (said,) = catalogue.said
        assert (said.event, said.payload, said.rooms) == (
            "catalog:reload",
            {"loadedAt": "2026-03-02T09:00:00Z"},
            (),
        )

    async def test_nothing_is_told_of_what_was_rolled_back(self, catalogue: Catalogue) -> None:
        with pytest.raises(Conflict):
            await catalogue.change("lager", 7, title="Halle")
        assert catalogue.said == []


class TestRules:
    async def test_the_house_has_rules_until_others_are_loaded(self, catalogue: Catalogue) -> None:
        async with catalogue.unit() as unit:
            assert (await service.rules_document(unit)).loaded_at is None
            assert (await service.findings(unit)).findings == []
        async with catalogue.unit(writes=True) as unit:
            await service.reload(unit)
            assert (await service.rules_document(unit)).loaded_at == unit.now

    async def test_rules_that_make_no_sense_are_not_put_in_force(self, catalogue: Catalogue) -> None:
        async with catalogue.unit(writes=True) as unit:
            await service.reload(unit)
            rules = await service.repository.rules(unit.session)
            assert rules is not None
            rules.document = {"maxDepth": "viele"}
        with pytest.raises(Unprocessable, match="maxDepth"):
            async with catalogue.unit(writes=True) as unit:
                await service.reload(unit)

    async def test_findings_name_only_what_the_caller_sees(self, catalogue: Catalogue) -> None:
        await catalogue.create("geheim", "Zwei")
        await catalogue.create("geheim", "zwei")
        async with catalogue.unit(Role.ADMIN) as unit:
            assert [finding.rule for finding in (await service.findings(unit)).findings] == ["twin"]
        async with catalogue.unit(Role.MANAGER) as unit:
            assert (await service.findings(unit)).findings == []
