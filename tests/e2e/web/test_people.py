"""Employees, departments, leave, the week of hours, users and the own profile."""

from __future__ import annotations

from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import PASSWORD, TASTES, WITHIN_MS, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

IDS = ["wide-light-en", "phone-dark-de", "wide-dark-de", "phone-light-en"]
WORDS = {
    "en-GB": {"employees": "Employees", "departments": "Departments", "leave": "Leave", "time": "Time entries",
              "users": "Users", "profile": "Profile"},
    "de-DE": {"employees": "Beschäftigte", "departments": "Abteilungen", "leave": "Abwesenheit",
              "time": "Zeiterfassung", "users": "Benutzer", "profile": "Profil"},
}  # fmt: skip


def fresh(word: str) -> str:
    return f"{word} {uuid4().hex[:6]}"


@pytest.mark.parametrize("taste", TASTES[:2], ids=IDS[:2])
async def test_every_page_of_the_area_is_sound(server: RunningServer, browser: Browser, taste: Taste) -> None:
    words = WORDS[taste["locale"]]
    async with screen(server, browser, role="admin", taste=taste, path="/employees") as visitor:
        for page, title in words.items():
            await visitor.go(f"/{page}")
            await visitor.heading(title)
            await expect(visitor.page.locator("[aria-busy=true]")).to_have_count(0, timeout=WITHIN_MS)
            await visitor.look(f"{page}-{taste['locale']}-{taste['viewport']['width']}")
            await visitor.is_sound()


async def test_a_manager_employs_somebody_and_a_clerk_sees_no_salary(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        manager = await stack.enter_async_context(screen(server, browser, role="manager", path="/employees/new"))
        clerk = await stack.enter_async_context(screen(server, browser, path="/employees?q=Quarz"))
        await manager.heading("New employee")
        await manager.page.get_by_label("First name").fill("Quirin")
        await manager.page.get_by_label("Last name").fill("Quarz")
        await manager.page.get_by_label("E-mail").fill("quirin@example.com")
        await manager.page.get_by_label("Job title").fill("Steinmetz")
        await manager.page.get_by_label("Department").select_option(index=1)
        await manager.page.get_by_label("Salary").fill("3210.50")
        await manager.press("Save")
        await manager.heading("Quirin Quarz")
        await expect(manager.page.locator(".page")).to_contain_text("3,210.50")
        await manager.is_sound()
        row = await clerk.row("Quarz")
        await row.get_by_role("link").click()
        await clerk.heading("Quirin Quarz")
        await expect(clerk.page.get_by_text("Salary")).to_have_count(0)
        await expect(clerk.page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)

        await manager.page.get_by_role("link", name="Edit", exact=True).click()
        await manager.page.get_by_label("Job title").fill("Meister")
        await manager.press("Save")
        await expect(clerk.page.locator(".details").first).to_contain_text("Meister", timeout=WITHIN_MS)


async def test_a_department_comes_is_renamed_and_goes(server: RunningServer, browser: Browser) -> None:
    name = fresh("Steinbruch")
    async with screen(server, browser, role="manager", path="/departments") as visitor:
        await visitor.press("New department")
        dialog = visitor.page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_label("Cost centre").fill("9100")
        await dialog.get_by_role("button", name="Save").click()
        row = await visitor.row(name)
        await row.get_by_role("button", name="Change department").click()
        await dialog.get_by_label("Cost centre").fill("9200")
        await dialog.get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("9200", timeout=WITHIN_MS)
        await row.get_by_role("button", name="Delete department").click()
        await visitor.page.get_by_role("dialog").locator("footer .danger").click()
        await expect(row).to_have_count(0, timeout=WITHIN_MS)


async def test_leave_is_requested_decided_and_seen_by_both(server: RunningServer, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        clerk = await stack.enter_async_context(screen(server, browser, path="/leave"))
        manager = await stack.enter_async_context(
            screen(server, browser, role="manager", path="/leave?tab=decide")
        )
        await clerk.press("Request leave")
        dialog = clerk.page.get_by_role("dialog")
        await dialog.get_by_label("Kind").select_option("special")
        await dialog.get_by_label("First day").fill("2027-03-09")
        await dialog.get_by_label("Last day").fill("2027-03-10")
        await dialog.get_by_role("button", name="Request leave").click()
        await expect(dialog).to_have_count(0, timeout=WITHIN_MS)
        mine = await clerk.row("9 Mar 2027")
        await expect(mine).to_contain_text("requested")
        asked = await manager.row("9 Mar 2027")
        await asked.get_by_role("button", name="Reject").click()
        refusal = manager.page.get_by_role("dialog")
        await refusal.get_by_label("Reason").fill("Messe")
        await refusal.get_by_role("button", name="Reject").click()
        await expect(manager.page.locator("tbody tr", has_text="9 Mar 2027")).to_have_count(0, timeout=WITHIN_MS)
        await expect(mine).to_contain_text("rejected", timeout=WITHIN_MS)
        await expect(mine).to_contain_text("Messe")
        await clerk.is_sound()


async def test_a_week_of_hours_is_filled_by_keyboard_and_an_entry_comes_back(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, path="/time?week=2026-01-13") as visitor:
        await visitor.heading("Time entries")
        day = visitor.page.get_by_role("region", name="Tuesday, 13 January 2026")
        await expect(day).to_be_visible(timeout=WITHIN_MS)
        entries, dialog = day.locator(".time-entry"), visitor.page.get_by_role("dialog")
        for left in reversed(range(await entries.count())):
            await entries.first.click()
            await dialog.get_by_role("button", name="Delete").click()
            await expect(dialog).to_have_count(0, timeout=WITHIN_MS)
            await expect(entries).to_have_count(left, timeout=WITHIN_MS)
        await day.get_by_role("button", name="Add time").focus()
        await visitor.page.keyboard.press("Enter")
        await dialog.get_by_label("From").fill("12")
        await dialog.get_by_label("To").fill("8")
        await dialog.get_by_label("To").press("Enter")
        await expect(dialog.get_by_label("To")).to_be_focused()
        await expect(dialog).to_contain_text("the end after the beginning")
        await dialog.get_by_label("From").fill("8:15")
        await dialog.get_by_label("Project").fill("Fassade")
        await dialog.get_by_label("To").fill("1230")
        await dialog.get_by_label("To").press("Enter")
        entry = day.locator(".time-entry", has_text="Fassade")
        await expect(entry).to_contain_text("08:15–12:30", timeout=WITHIN_MS)
        await visitor.is_sound()
        await entry.click()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(dialog).to_have_count(0, timeout=WITHIN_MS)  # its own toast is there, not an earlier one's
        await expect(entry).to_have_count(0, timeout=WITHIN_MS)
        await visitor.page.get_by_role("button", name="Undo").last.click()
        await expect(entry).to_be_visible(timeout=WITHIN_MS)


async def test_a_user_is_made_signs_in_and_is_sent_away_when_disabled(
    server: RunningServer, browser: Browser
) -> None:
    name, email = fresh("Ida Basalt"), f"{uuid4().hex[:8]}@steinmetz.example"
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(screen(server, browser, role="admin", path="/users"))
        await admin.press("New user")
        dialog = admin.page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_label("E-mail").fill(email)
        await dialog.get_by_role("button", name="Save").click()
        password = await admin.page.locator(".once").text_content()
        assert password
        await admin.page.get_by_role("dialog").locator("footer button").click()
        assert password not in await admin.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")

        new = await stack.enter_async_context(screen(server, browser, role=None))
        await new.sign_in(email.removesuffix("@steinmetz.example"), password)
        await new.is_live()
        row = await admin.row(name)
        await row.get_by_role("button", name="Disable").click()
        await admin.page.get_by_role("dialog").locator("footer .danger").click()
        await expect(row).to_contain_text("disabled", timeout=WITHIN_MS)
        await expect(new.page.locator("input[name=password]")).to_be_visible(timeout=WITHIN_MS)
        await row.get_by_role("button", name="Enable").click()
        await expect(row).to_contain_text("active", timeout=WITHIN_MS)


async def test_a_password_is_changed_and_kept_nowhere(server: RunningServer, browser: Browser) -> None:
    async with colleague(server, "admin") as http:
        made = await http.post("/api/users", json={"email": "pia@steinmetz.example", "name": "Pia Granit",
                                                   "role": "clerk", "password": PASSWORD})  # fmt: skip
        assert made.status_code == 201, made.text
    async with screen(server, browser, role="pia", path="/profile") as visitor:
        await visitor.page.get_by_label("Current password").fill(PASSWORD)
        await visitor.page.locator("input[name=fresh]").fill("Gneis-und-Glimmer-77")
        await visitor.page.locator("input[name=repeated]").fill("Gneis-und-Glimmer-78")
        await visitor.press("Change password")
        await expect(visitor.page.locator("input[name=repeated]")).to_be_focused()
        kept = await visitor.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
        assert "Gneis" not in kept
        assert PASSWORD not in kept
        await visitor.page.locator("input[name=repeated]").fill("Gneis-und-Glimmer-77")
        await visitor.press("Change password")
        await visitor.shows_toast("Password changed")
        await visitor.is_live()
        await visitor.go("/customers")
        await visitor.heading("Customers")
        await visitor.is_sound()
