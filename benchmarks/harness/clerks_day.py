"""What somebody in the office does with the page in a day, key by key and click by click.

The demo company as its manager sees it. Every step waits for what the one before has brought, as people do. The
waiting is done by selectors, not by roles: to find out an element's role would itself keep the page busy.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

from benchmarks.harness.browser import at_rest, begin

KEY_MS = 60
"""Between two keys of a word; somebody who writes a hundred words a minute is half as fast."""


def clerks_day(page: Page) -> None:
    """From the overview and back to it, some 150 keys and clicks."""
    _customers(page)
    _invoices(page)
    _new_invoice(page)
    _palette(page)
    _menus(page)
    _functions(page)
    _reports(page)
    _staff(page)
    _chat(page)
    _open(page, "Overview")


def _customers(page: Page) -> None:
    _open(page, "Customers")
    _order(page, "City", "City", "Number", "Name")
    _search(page, "gmbh")
    _clear(page)
    _row(page)
    _back(page)
    _row(page)
    begin(page, "open a form")
    page.locator(".page-actions a[href$='/edit']").click()
    phone = page.locator("input[name=phone]")
    phone.wait_for()
    begin(page, "type into a form")
    phone.press_sequentially("+49 711 207", delay=KEY_MS)
    page.keyboard.press("Tab")
    _leave_form(page)
    page.locator(".page-actions a[href$='/edit']").wait_for()


def _invoices(page: Page) -> None:
    _open(page, "Invoices")
    _order(page, "Due", "Gross", "Gross")
    _search(page, "gmbh")
    _clear(page)
    begin(page, "filter a list")
    status = page.locator(".select-filter select").first
    for _ in range(3):
        status.press("ArrowDown")
        at_rest(page)
    period = page.locator("fieldset.date-range .segments button").last
    for _ in range(2):
        period.click()
        at_rest(page)
    _clear(page)
    _row(page)
    _back(page)


def _new_invoice(page: Page) -> None:
    begin(page, "open a form")
    page.locator(".page-actions a[href='/invoices/new']").click()
    page.locator(".items-editor").wait_for()
    customer = page.locator("form.form input[role=combobox]")
    begin(page, "choose in a combobox")
    customer.press_sequentially("gmbh", delay=KEY_MS)
    page.locator(".combobox [role=option]").first.wait_for()
    _press(page, "ArrowDown", "ArrowDown", "Enter")
    begin(page, "type into a table")
    for column, text in (("description", "Limestone"), ("quantity", "2"), ("price", "120")):
        page.locator(f"[data-column={column}]").first.press_sequentially(text, delay=KEY_MS)
    _press(page, "Enter", "ArrowUp")
    _leave_form(page)
    page.locator("tbody tr").first.wait_for()


def _palette(page: Page) -> None:
    begin(page, "open the palette")
    page.keyboard.press("Control+k")
    field = page.locator("dialog.palette input")
    field.wait_for()
    begin(page, "close the palette")
    page.keyboard.press("Escape")
    field.wait_for(state="hidden")
    begin(page, "open the palette")
    page.keyboard.press("Control+k")
    begin(page, "type into the palette")
    field.press_sequentially("over", delay=KEY_MS)
    begin(page, "choose in the palette")
    _press(page, "ArrowDown", "ArrowUp", "Enter")
    page.locator("[data-figure=openInvoices] .value").wait_for()
    at_rest(page)


def _menus(page: Page) -> None:
    begin(page, "open a menu")
    page.locator(".bell .menu-button").click()
    page.locator(".bell .menu-panel").wait_for()
    page.keyboard.press("Escape")
    page.locator(".user-menu .menu-button").click()
    tastes = page.locator(".user-menu .tastes")
    begin(page, "change the theme")
    for theme in (2, 1, 0):
        _click(tastes.locator(".segments").last.locator("button").nth(theme))
    begin(page, "change the language")
    for language in ("de", "en"):
        _click(tastes.locator(f"button[lang={language}]"))
    begin(page, "open a menu")
    page.keyboard.press("Escape")
    begin(page, "open a dialog")
    page.keyboard.press("?")
    page.locator("dialog").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def _functions(page: Page) -> None:
    _open(page, "Functions")
    page.locator("[role=treeitem]").first.wait_for()
    page.locator("[role=tree]").focus()
    begin(page, "move in the tree")
    _press(page, "Home", "ArrowDown", "ArrowDown", "ArrowUp")
    begin(page, "open a branch of the tree")
    _press(page, "ArrowRight")
    at_rest(page)
    _press(page, "ArrowLeft")
    begin(page, "choose in the tree")
    _press(page, "ArrowDown", "Enter")
    page.locator(".function h2").wait_for()
    open_the_tree(page)
    page.locator("[role=tree]").focus()
    begin(page, "move in the whole tree")
    _press(page, "PageDown", "PageDown", "End", "PageUp", "Home", "r")
    begin(page, "open a branch of the whole tree")
    _press(page, "Home", "ArrowLeft", "ArrowRight")
    begin(page, "search the tree")
    page.locator("[data-search]").press_sequentially("rechnung", delay=KEY_MS)
    page.locator(".hit mark").first.wait_for()
    at_rest(page)
    begin(page, "choose a hit")
    _press(page, "ArrowDown", "ArrowDown", "Enter")
    page.locator(".functions-tree[data-shown=tree]").wait_for()
    at_rest(page)


def _reports(page: Page) -> None:
    _open(page, "Reports")
    begin(page, "turn to a tab")
    for tab in (1, 2, 0):
        page.locator("[role=tab]").nth(tab).click()
        at_rest(page)
    begin(page, "step through periods")
    for _ in range(2):
        page.locator(".period-steps button").first.click()
        at_rest(page)


def _staff(page: Page) -> None:
    _open(page, "Employees")
    _search(page, "an")
    _clear(page)
    _open(page, "Time entries")
    begin(page, "step through weeks")
    for step in (0, 0, 2):
        page.locator(".page-actions button").nth(step).click()
        at_rest(page)


def _chat(page: Page) -> None:
    _open(page, "Chat")
    begin(page, "type a message")
    page.locator(".chat-composer textarea").press_sequentially("The slabs are here", delay=KEY_MS)


def open_the_tree(page: Page) -> None:
    """All nodes of the catalogue, in sight by scrolling alone."""
    begin(page, "open the whole tree")
    button = page.locator(".tree-foot button").last
    button.click()
    page.wait_for_function("() => document.querySelector('[role=tree]').scrollHeight > 300000")
    page.locator(".tree-foot button[aria-disabled]").wait_for(state="detached")
    at_rest(page)


def _open(page: Page, name: str) -> None:
    begin(page, "open a page")
    # The number of what is unread may follow the name.
    page.locator(".navigation a", has_text=re.compile(f"^{name}(?![a-z])")).click()
    page.wait_for_function("(name) => document.querySelector('main h1')?.textContent === name", arg=name)
    at_rest(page)


def _order(page: Page, *columns: str) -> None:
    begin(page, "order a table")
    for column in columns:
        page.locator("thead button.sort", has_text=re.compile(f"^{column}$")).click()
        at_rest(page)


def _search(page: Page, word: str) -> None:
    begin(page, "search a list")
    page.locator("[data-search]").press_sequentially(word, delay=KEY_MS)
    page.wait_for_url(f"**q={word}**")
    at_rest(page)


def _clear(page: Page) -> None:
    begin(page, "clear the filters")
    page.locator(".filter-bar .button.bare").click()
    at_rest(page)


def _row(page: Page) -> None:
    begin(page, "open a row")
    page.locator("a.row-link").first.click()
    page.locator("a.back").wait_for()
    at_rest(page)


def _back(page: Page) -> None:
    begin(page, "go back to a list")
    page.locator("a.back").click()
    page.locator("[data-search]").wait_for()
    at_rest(page)


def _leave_form(page: Page) -> None:
    begin(page, "leave a form")
    page.locator(".form-foot button[type=button]").first.click()
    page.locator("form.form").wait_for(state="detached")
    at_rest(page)


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key, delay=10)
        page.wait_for_timeout(KEY_MS)


def _click(button: Locator) -> None:
    button.click()
    button.page.wait_for_timeout(KEY_MS)
