"""The catalogue over HTTP: paths as ids, answers by role, refusals, and the events that follow a write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.erp.db import Publication
from steinmetz.erp.kit.announcements import Announcement
from steinmetz.erp.kit.roles import Role

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]

PATH = "/api/functions"
NODES = f"{PATH}/nodes"


async def data(answer: Awaitable[httpx2.Response], status: int = 200) -> Any:
    done = await answer
    assert done.status_code == status, done.text
    return done.json()["data"]


@pytest.fixture
async def manager(sign_in: SignIn) -> httpx2.AsyncClient:
    """Signed in, with a small tree: Finanzen / Umsatz / Prognose, Finanzen / Gehälter (manager), Lager."""
    http = await sign_in("manager")
    for node in (
        {"title": "Finanzen", "icon": "💶", "kind": "category"},
        {"parentId": "finanzen", "title": "Umsatz", "description": "Umsatz je Monat"},
        {"parentId": "finanzen/umsatz", "title": "Prognose"},
        {"parentId": "finanzen", "title": "Gehälter", "minRole": "manager"},
        {"title": "Lager"},
    ):
        await data(http.post(NODES, json=node), 201)
    return http


@pytest.mark.both_databases
async def test_the_tree_by_levels_and_by_role(
    manager: httpx2.AsyncClient, sign_in: SignIn, engine_name: str
) -> None:
    clerk = await sign_in("clerk")
    areas = await data(clerk.get(PATH))
    assert [(area["id"], area["childCount"], "children" in area) for area in areas] == [
        ("finanzen", 1, False),
        ("lager", 0, False),
    ]
    finance, _ = await data(manager.get(PATH, params={"depth": 3}))
    assert [child["id"] for child in finance["children"]] == ["finanzen/umsatz", "finanzen/gehaelter"]
    assert finance["children"][0]["children"][0]["id"] == "finanzen/umsatz/prognose"
    menu = await data(clerk.get(f"{PATH}/menu"))
    assert menu[0]["children"] == [{"id": "finanzen/umsatz", "title": "Umsatz", "icon": "", "children": []}]


async def test_a_node_is_addressed_by_its_path(manager: httpx2.AsyncClient) -> None:
    node = await data(manager.get(f"{NODES}/finanzen/umsatz/prognose"))
    assert node["trail"] == [
        {"id": "finanzen", "title": "Finanzen"},
        {"id": "finanzen/umsatz", "title": "Umsatz"},
    ]
    assert await data(manager.get(f"{NODES}/finanzen%2Fumsatz%2Fprognose")) == node
    children = await data(manager.get(f"{NODES}/finanzen/umsatz/children"))
    assert [child["id"] for child in children] == ["finanzen/umsatz/prognose"]


async def test_nodes_named_like_a_route_have_one_reading(manager: httpx2.AsyncClient) -> None:
    for title in ("Children", "Move"):
        made = await data(manager.post(NODES, json={"parentId": "lager", "title": title}), 201)
        assert made["id"] == f"lager/{title.lower()}-2"
        assert (await data(manager.get(f"{NODES}/{made['id']}")))["title"] == title
    assert len(await data(manager.get(f"{NODES}/lager/children"))) == 2


@pytest.mark.both_databases
async def test_search_finds_what_the_role_sees(
    manager: httpx2.AsyncClient, sign_in: SignIn, engine_name: str
) -> None:
    clerk = await sign_in("clerk")
    answer = (await clerk.get(f"{PATH}/search", params={"q": "umsa mon"})).json()
    assert [hit["id"] for hit in answer["data"]] == ["finanzen/umsatz"]
    assert answer["page"] == {"next": None, "total": 1}
    assert [hit["id"] for hit in await data(manager.get(f"{PATH}/search?q=gehä"))] == ["finanzen/gehaelter"]
    assert await data(clerk.get(f"{PATH}/search?q=gehä")) == []
    for hostile in ('"', "' --", "*", "a NEAR b", "&|!", "(", "%00"[:2]):
        assert (await clerk.get(f"{PATH}/search", params={"q": hostile})).status_code == 200


async def test_what_is_hidden_from_a_role_does_not_exist_for_it(
    manager: httpx2.AsyncClient, sign_in: SignIn
) -> None:
    clerk = await sign_in("clerk")
    hidden = f"{NODES}/finanzen/gehaelter"
    assert (await manager.get(hidden)).status_code == 200
    assert (await manager.get(hidden)).headers["x-cache"] == "HIT"
    for path in (hidden, f"{hidden}/children", f"{NODES}/nirgends", f"{NODES}/"):
        assert (await clerk.get(path)).status_code == 404


async def test_a_clerk_changes_nothing(manager: httpx2.AsyncClient, sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    for http in (clerk, auditor):
        for answer in (
            http.post(NODES, json={"title": "Neu"}),
            http.patch(f"{NODES}/lager", json={"version": 1, "title": "Halle"}),
            http.post(f"{NODES}/lager/move", json={"version": 1, "parentId": "finanzen"}),
            http.delete(f"{NODES}/lager?version=1"),
            http.post(f"{PATH}/reload"),
        ):
            refused = await answer
            assert refused.status_code == 403, refused.text
            assert refused.json()["neededRole"] in {"manager", "admin", "clerk"}
    assert (await clerk.get(f"{PATH}/lint")).status_code == 403
    assert (await auditor.get(f"{PATH}/lint")).status_code == 200
    assert (await manager.post(f"{PATH}/reload")).json()["neededRole"] == "admin"


async def test_a_kept_finding_is_not_shown_to_a_clerk(manager: httpx2.AsyncClient, sign_in: SignIn) -> None:
    clerk = await sign_in("clerk")
    for _ in range(2):
        assert (await manager.get(f"{PATH}/lint")).status_code == 200
    for _ in range(2):
        assert (await clerk.get(f"{PATH}/lint")).status_code == 403


async def test_a_change_keeps_the_id_and_refuses_who_comes_late(manager: httpx2.AsyncClient) -> None:
    path = f"{NODES}/finanzen/umsatz"
    changed = await data(manager.patch(path, json={"version": 1, "title": "Erlöse"}))
    assert (changed["id"], changed["title"], changed["version"]) == ("finanzen/umsatz", "Erlöse", 2)
    late = await manager.patch(path, json={"version": 1, "title": "Einnahmen"})
    assert (late.status_code, late.json()["current"]) == (409, changed)
    assert (await data(manager.get(path)))["title"] == "Erlöse"


async def test_a_move_makes_no_circle(manager: httpx2.AsyncClient) -> None:
    moved = await data(manager.post(f"{NODES}/finanzen/umsatz/move", json={"version": 1, "parentId": "lager"}))
    assert (moved["parentId"], moved["area"], moved["version"]) == ("lager", "lager", 2)
    refused = await manager.post(f"{NODES}/lager/move", json={"version": 1, "parentId": "finanzen/umsatz"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "parentId"


async def test_a_branch_is_deleted_only_if_that_is_meant(manager: httpx2.AsyncClient) -> None:
    path = f"{NODES}/finanzen/umsatz"
    assert (await manager.delete(path)).status_code == 422
    assert (await manager.delete(f"{path}?version=1")).status_code == 409
    assert (await manager.delete(f"{path}?version=1&dryRun=true")).status_code == 409
    would = await data(manager.delete(f"{path}?version=1&recursive=true&dryRun=true"))
    assert would == {"deleted": "finanzen/umsatz", "nodes": 2}
    assert (await manager.get(f"{path}/prognose")).status_code == 200
    assert await data(manager.delete(f"{path}?version=1&recursive=true")) == {
        "deleted": "finanzen/umsatz",
        "nodes": 2,
    }
    assert (await manager.get(f"{path}/prognose")).status_code == 404
    assert (await manager.delete(f"{path}?version=1")).status_code == 404


NONSENSE_NODES: list[dict[str, Any]] = [
    {},
    {"title": " "},
    {"title": "x" * 201},
    {"title": "nul\x00"},
    {"title": "Neu", "parentId": "nirgends"},
    {"title": "Neu", "kind": "thing"},
    {"title": "Neu", "minRole": "admin"},
    {"title": "Neu", "position": -1},
    {"title": "Neu", "id": "eigen"},
]


async def test_a_node_that_makes_no_sense_is_refused(manager: httpx2.AsyncClient) -> None:
    before = await data(manager.get(PATH, params={"depth": 3}))
    for body in NONSENSE_NODES:
        assert (await manager.post(NODES, json=body)).status_code == 422, body
    assert await data(manager.get(PATH, params={"depth": 3})) == before


async def test_a_question_that_makes_no_sense_is_refused(manager: httpx2.AsyncClient) -> None:
    for query in ("?depth=0", "?depth=99", "?level=1", "/search", "/search?q=" + "x" * 201):
        assert (await manager.get(f"{PATH}{query}")).status_code == 422, query


async def test_nobody_reads_without_signing_in(manager: httpx2.AsyncClient, client: httpx2.AsyncClient) -> None:
    for below in ("", "/rules", "/menu", "/search?q=x", "/lint", "/nodes/lager", "/nodes/lager/children"):
        for _ in range(2):
            answer = await manager.get(f"{PATH}{below}")
            assert answer.status_code == 200
        assert answer.headers["x-cache"] == "HIT", below
        refused = await client.get(f"{PATH}{below}")
        assert refused.status_code == 401
        assert refused.headers["x-cache"] != "HIT"


async def test_a_role_shares_its_answers_and_no_other(manager: httpx2.AsyncClient, sign_in: SignIn) -> None:
    clerk, other_clerk = await sign_in("clerk"), await sign_in("clerk")
    assert [(await http.get(PATH)).headers["x-cache"] for http in (manager, clerk, other_clerk)] == [
        "MISS",
        "MISS",
        "HIT",
    ]


async def kept(http: httpx2.AsyncClient, *paths: str) -> list[bool]:
    """Whether each is answered from the cache."""
    return [(await http.get(path)).headers["x-cache"] == "HIT" for path in paths]


async def test_a_write_drops_what_shows_it_and_leaves_the_rest(manager: httpx2.AsyncClient) -> None:
    paths = (PATH, f"{NODES}/lager", f"{NODES}/finanzen/umsatz", f"{PATH}/rules", "/api/customers")
    await kept(manager, *paths)
    assert await kept(manager, *paths) == [True] * 5
    refused = await manager.patch(f"{NODES}/lager", json={"version": 9, "title": "Halle"})
    assert refused.status_code == 409
    assert await kept(manager, *paths) == [True] * 5
    await data(manager.patch(f"{NODES}/lager", json={"version": 1, "title": "Halle"}))
    assert await kept(manager, *paths) == [False, False, True, True, True]
    assert (await data(manager.get(PATH)))[1]["title"] == "Halle"


@pytest.mark.both_databases
async def test_a_node_survives_a_write_to_another(manager: httpx2.AsyncClient, engine_name: str) -> None:
    paths = (f"{NODES}/lager", f"{NODES}/finanzen/umsatz/prognose", f"{PATH}/rules")
    await kept(manager, *paths)
    await data(manager.patch(f"{NODES}/lager", json={"version": 1, "description": "Regale"}))
    assert await kept(manager, *paths) == [False, True, True]


async def test_what_is_deeper_than_shown_leaves_the_tree_as_it_is(manager: httpx2.AsyncClient) -> None:
    paths = (PATH, f"{PATH}/menu", f"{PATH}?depth=3")
    await kept(manager, *paths)
    await data(manager.patch(f"{NODES}/finanzen/umsatz/prognose", json={"version": 1, "description": "neu"}))
    assert await kept(manager, *paths) == [True, True, False]


@pytest.mark.both_databases
async def test_a_new_node_refreshes_every_list_it_belongs_to(
    manager: httpx2.AsyncClient, engine_name: str
) -> None:
    paths = (PATH, f"{PATH}/menu", f"{NODES}/finanzen", f"{NODES}/finanzen/children", f"{PATH}/search?q=Kosten")
    await kept(manager, *paths)
    await data(manager.post(NODES, json={"parentId": "finanzen", "title": "Kosten"}), 201)
    assert await kept(manager, *paths) == [False] * 5
    assert [each["title"] for each in await data(manager.get(paths[3]))] == ["Umsatz", "Gehälter", "Kosten"]
    assert len(await data(manager.get(paths[4]))) == 1


async def test_putting_the_rules_in_force_empties_the_catalogue(
    sign_in: SignIn, manager: httpx2.AsyncClient
) -> None:
    paths = (PATH, f"{PATH}/rules", "/api/customers")
    await kept(manager, *paths)
    await data((await sign_in("admin")).post(f"{PATH}/reload"))
    assert await kept(manager, *paths) == [False, False, True]


async def test_rules_are_put_in_force_and_told(sign_in: SignIn, published: list[Publication]) -> None:
    admin = await sign_in("admin")
    rules = await data(admin.get(f"{PATH}/rules"))
    assert (rules["loadedAt"], rules["document"]["maxDepth"]) == (None, 6)
    reloaded = await data(admin.post(f"{PATH}/reload"))
    assert reloaded == {"loadedAt": "2026-03-02T09:00:00Z"}
    assert published == [Announcement("catalog:reload", reloaded)]
    assert (await data(admin.get(f"{PATH}/rules")))["loadedAt"] == reloaded["loadedAt"]


async def test_a_change_is_said_after_it_stands_and_only_then(
    manager: httpx2.AsyncClient, published: list[Publication]
) -> None:
    await manager.patch(f"{NODES}/lager", json={"version": 9, "title": "Halle"})
    assert published == []
    changed = await data(manager.patch(f"{NODES}/lager", json={"version": 1, "title": "Halle"}))
    (said,) = published
    assert isinstance(said, Announcement)
    assert (said.event, said.payload, len(said.rooms)) == ("catalog:update", {"function": changed}, 4)


async def test_findings_name_the_broken_rule(manager: httpx2.AsyncClient) -> None:
    assert await data(manager.get(f"{PATH}/lint")) == {"findings": [], "counts": {}}
    await data(manager.post(NODES, json={"title": "lager"}), 201)
    report = await data(manager.get(f"{PATH}/lint"))
    assert report["counts"] == {"twin": 1}
    assert report["findings"][0]["nodeId"] == "lager-2"
