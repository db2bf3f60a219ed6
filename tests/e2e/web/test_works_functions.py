"""The catalogue of functions: its tree by keys and by search, live, and what managers do with it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import GERMAN, PHONE, TASTES, WIDE, Screen, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WORDS = {
    "en-GB": {"functions": "Functions", "found": "function"},
    "de-DE": {"functions": "Funktionen", "found": "Funktion"},
}
PATH = "/api/functions"


async def areas(http: httpx2.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get(PATH, params={"depth": 2})).json()["data"]
    return found


async def tree_of(visitor: Screen) -> None:
    """The tree is there and has the focus."""
    await expect(visitor.page.get_by_role("treeitem").first).to_be_visible()
    await visitor.page.get_by_role("tree").focus()


async def active(visitor: Screen) -> str:
    return await visitor.page.locator(".tree-row[data-active] .twig-title").inner_text()


@pytest.mark.parametrize("taste", TASTES, ids=["wide-light-en", "phone-dark-de", "wide-dark-de", "phone-light-en"])
async def test_a_function_is_found_by_keys_and_by_words(
    server: RunningServer, browser: Browser, taste: Taste
) -> None:
    words = WORDS[taste["locale"]]
    name = f"{taste['locale']}-{taste['viewport']['width']}-{taste['color_scheme']}"
    async with colleague(server) as http:
        area = (await areas(http))[0]
    group = area["children"][0]
    async with screen(server, browser, taste=taste, path="/functions") as visitor:
        press = visitor.page.keyboard.press
        await visitor.heading(words["functions"])
        await tree_of(visitor)
        await press("Home")
        await press("ArrowRight")
        row = visitor.page.get_by_role("treeitem", name=area["title"]).first
        await expect(row).to_have_attribute("aria-expanded", "true")
        await press("ArrowRight")
        assert await active(visitor) == group["title"]
        below = visitor.page.get_by_role("treeitem", name=group["title"]).first
        await expect(below).to_have_attribute("aria-level", "2")
        await expect(below).to_have_attribute("aria-setsize", str(len(area["children"])))
        last = area["children"][-1]["title"]
        await press("End")
        assert await active(visitor) == last
        await visitor.page.keyboard.type(group["title"][:4])
        await press("ArrowLeft")
        await visitor.look(f"functions-{name}")
        await visitor.is_sound()
        await press("Enter")
        await expect(visitor.page.locator(".function h2")).to_be_visible()
        await visitor.look(f"function-{name}")
        await visitor.is_sound()

        await visitor.go("/functions")
        async with colleague(server) as http:
            hit = (await http.get(f"{PATH}/search", params={"q": "liste", "limit": 1})).json()["data"][0]
        await visitor.page.locator("[data-search]").fill("liste")
        found = visitor.page.locator(".hit", has_text=hit["title"]).first
        await expect(found.locator("mark").first).to_be_visible()
        await expect(found).to_contain_text(hit["trail"][-1]["title"])
        await visitor.look(f"functions-search-{name}")
        await visitor.is_sound()
        await press("ArrowDown")
        await press("Enter")
        await expect(visitor.page.locator(".function h2")).to_have_text(hit["title"])
        for step in hit["trail"]:
            await expect(visitor.page.locator(".trail")).to_contain_text(step["title"])
        if taste["viewport"]["width"] > 1000:
            chosen = visitor.page.get_by_role("treeitem", selected=True)
            await expect(chosen).to_contain_text(hit["title"])
            await expect(chosen).to_have_attribute("aria-level", str(len(hit["trail"]) + 1))
        assert visitor.documents == 1, "the page was loaded again"
        visitor.is_quiet()


async def test_others_move_the_open_tree_and_nobody_loses_his_place(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, path="/functions") as visitor:
        page = visitor.page
        top = (await areas(http))[0]
        await tree_of(visitor)
        await visitor.press("Open all")
        await expect(page.get_by_role("treeitem", level=4).first).to_be_attached()
        count = "document.querySelectorAll('.tree-row').length"
        assert await page.evaluate(count) <= 150

        box = page.locator(".tree")
        await box.evaluate("(tree) => { tree.scrollTop = 8000; }")
        await expect(page.locator(".tree-row").first).not_to_contain_text(top["title"])
        place = """() => {
            const tree = document.querySelector('.tree');
            const edge = tree.getBoundingClientRect().top;
            const rows = [...tree.querySelectorAll('.tree-row')];
            const row = rows.find((one) => one.getBoundingClientRect().bottom > edge + 1);
            return [row.id, Math.round(row.getBoundingClientRect().top - edge)];
        }"""
        chosen = page.locator(".tree-row").nth(14)
        title = await chosen.locator(".twig-title").inner_text()
        await chosen.click()
        await expect(page.locator(".function h2")).to_have_text(title)
        assert await page.evaluate(count) <= 150
        before = await page.evaluate(place)

        new = {"parentId": top["id"], "title": "Zuoberst eingefügt", "position": 0}
        made = (await http.post(f"{PATH}/nodes", json=new)).json()["data"]
        number = page.locator(".tree-foot > :first-child")
        await expect(page.get_by_role("treeitem", selected=True)).to_contain_text(title)
        await page.wait_for_function("(top) => document.querySelector('.tree').scrollTop > top", arg=8000)
        assert await page.evaluate(place) == before
        rows = await number.inner_text()

        gone = await http.delete(f"{PATH}/nodes/{made['id']}", params={"version": made["version"]})
        assert gone.status_code == 200
        await expect(number).not_to_have_text(rows)
        assert await page.evaluate(place) == before
        await expect(page.get_by_role("treeitem", selected=True)).to_contain_text(title)

        # A node goes to another parent, and shows itself there with a mark.
        other = top["children"][1]
        await visitor.press("Close all")
        await box.evaluate("(tree) => { tree.scrollTop = 0; }")
        await page.locator(".tree-row", has_text=top["title"]).first.locator(".twisty").click()
        await page.locator(".tree-row", has_text=other["title"]).first.locator(".twisty").click()
        child = (await http.get(f"{PATH}/nodes/{other['id']}/children")).json()["data"][0]
        row = page.locator(".tree-row", has_text=child["title"]).first
        await expect(row).to_have_attribute("aria-level", "3")
        move = {"version": child["version"], "parentId": top["id"], "position": 0}
        moved = (await http.post(f"{PATH}/nodes/{child['id']}/move", json=move)).json()["data"]
        await expect(row).to_have_attribute("aria-level", "2")
        await expect(row.locator(".twig")).to_have_attribute("data-changed", "")
        back = {"version": moved["version"], "parentId": other["id"], "position": child["position"]}
        await http.post(f"{PATH}/nodes/{child['id']}/move", json=back)
        await expect(row).to_have_attribute("aria-level", "3")
        visitor.is_quiet()


async def test_a_manager_creates_changes_moves_and_deletes(server: RunningServer, browser: Browser) -> None:
    async with (
        colleague(server) as http,
        screen(server, browser, "manager", path="/functions?act=new") as visitor,
    ):
        page = visitor.page
        await page.get_by_label("Title").fill("Steinbruch")
        await visitor.press("Save")
        await visitor.shows_toast("“Steinbruch” created")
        await expect(page.locator(".function h2")).to_have_text("Steinbruch")
        await page.get_by_role("link", name="New below").click()
        await page.get_by_label("Title").fill("Sprengplan")
        await page.get_by_label("Seen by").select_option(label="Managers, auditors, administrators")
        await visitor.look("function-new")
        await visitor.is_sound()
        await visitor.press("Save")
        await expect(page.locator(".function h2")).to_have_text("Sprengplan")
        await expect(page.get_by_role("treeitem", selected=True)).to_have_attribute("aria-level", "2")

        # Somebody else is faster.
        path = f"{PATH}/nodes/steinbruch/sprengplan"
        await page.get_by_role("link", name="Edit", exact=True).click()
        await page.get_by_label("Description").fill("Mine")
        assert (await http.patch(path, json={"version": 1, "description": "Theirs"})).status_code == 200
        await visitor.press("Save")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Theirs")
        await visitor.look("function-conflict")
        await dialog.get_by_role("button", name="Save mine over it").click()
        await expect(page.locator(".function")).to_contain_text("Mine")

        # Moved, and taken back.
        await visitor.press("Move")
        await dialog.get_by_label("As an area of its own, at the top").check()
        await visitor.look("function-move")
        await dialog.get_by_role("button", name="Move").click()
        chosen = page.get_by_role("treeitem", selected=True)
        await expect(chosen).to_have_attribute("aria-level", "1")
        await visitor.press("Undo")
        await expect(chosen).to_have_attribute("aria-level", "2")

        await page.locator(".trail").get_by_role("link", name="Steinbruch").click()
        await expect(page.locator(".function h2")).to_have_text("Steinbruch")
        await page.get_by_role("button", name="Delete").click()
        await expect(dialog).to_contain_text("1 function below it goes with it")
        await visitor.look("function-delete")
        await dialog.get_by_role("button", name="Delete").click()
        await visitor.shows_toast("2 functions deleted")
        await expect(page.get_by_role("treeitem", name="Steinbruch")).to_have_count(0)
        assert [said for said in visitor.complaints if "409" not in said] == []


async def test_what_was_just_saved_can_be_moved_before_its_own_update_is_heard(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, "manager", path="/functions") as visitor:
        top = (await http.post(f"{PATH}/nodes", json={"title": f"Halde {uuid4().hex[:8]}"})).json()["data"]
        new = {"title": "Abraum", "parentId": top["id"]}
        child = (await http.post(f"{PATH}/nodes", json=new)).json()["data"]
        page = visitor.page
        updates = await visitor.hold('42["live:update"')
        await visitor.go(f"/functions?node={child['id']}")
        await expect(page.locator(".function h2")).to_have_text("Abraum")
        updates.begin()
        await page.get_by_role("link", name="Edit", exact=True).click()
        await page.get_by_label("Title").fill("Abraum, gesiebt")
        await visitor.press("Save")
        await updates.came()
        await visitor.press("Move")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("As an area of its own, at the top").check()
        await dialog.get_by_role("button", name="Move").click()
        await expect(dialog).to_have_count(0)
        updates.release()
        chosen = page.get_by_role("treeitem", selected=True)
        await expect(chosen).to_have_attribute("aria-level", "1")
        await expect(chosen).to_contain_text("Abraum, gesiebt")
        await expect(page.locator(".function h2")).to_have_text("Abraum, gesiebt")
        visitor.is_quiet()
        for node in (child, top):
            version = (await http.get(f"{PATH}/nodes/{node['id']}")).json()["data"]["version"]
            gone = await http.delete(f"{PATH}/nodes/{node['id']}", params={"version": version})
            assert gone.is_success, gone.text


async def test_an_import_is_shown_before_it_happens(server: RunningServer, browser: Browser) -> None:
    good = "## 📦 Zwischenlager\n\n├── 🏷️ Bestand\n├️⃣ Krumm\n└── 🚚 Versand\n".encode()
    files: Any = [
        {"name": "_7_Zwischenlager.md", "mimeType": "text/markdown", "buffer": good},
        {"name": "bild.png", "mimeType": "image/png", "buffer": b"no catalogue"},
    ]
    async with (
        colleague(server) as http,
        screen(server, browser, "manager", taste=PHONE | GERMAN, path="/functions/import") as visitor,
    ):
        page = visitor.page
        await visitor.heading("Katalog importieren")
        await page.locator("input[type=file]").set_input_files(files)
        await expect(page.locator(".import-report")).to_have_count(2)
        await expect(page.locator(".import-report", has_text="bild.png")).to_contain_text("Abgelehnt")
        assert (await http.get(f"{PATH}/nodes/zwischenlager")).status_code == 404
        await visitor.look("functions-import")
        await visitor.is_sound()
        await visitor.press("1 Datei importieren")
        await visitor.shows_toast("1 Datei importiert")
        assert (await http.get(f"{PATH}/nodes/zwischenlager/bestand")).status_code == 200

        # What the file had crooked is among the findings.
        await visitor.go("/functions/lint")
        await expect(page.locator("tbody tr", has_text="zwischenlager").first).to_be_visible()
        await visitor.look("functions-lint")
        await visitor.is_sound()


async def test_who_may_not_is_told_so(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, "clerk", taste=WIDE, path="/functions/import") as visitor:
        await expect(visitor.page.get_by_text("Your role does not include this")).to_be_visible()
        await visitor.go("/functions?node=not-there")
        await expect(visitor.page.get_by_text("This function is gone")).to_be_visible()
        await visitor.look("function-gone")
        assert [said for said in visitor.complaints if "404" not in said] == []
