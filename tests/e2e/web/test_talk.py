"""Chat side by side, notifications that arrive, maintenance that everybody sees."""

from __future__ import annotations

from contextlib import AsyncExitStack
from uuid import uuid4

import httpx2
import pytest
from playwright.async_api import Browser, Locator, expect

from tests.e2e.server import RunningServer
from tests.e2e.web.screen import TASTES, WITHIN_MS, Screen, Taste, colleague, screen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

IDS = ["wide-light-en", "phone-dark-de", "wide-dark-de", "phone-light-en"]
WORDS = {
    "en-GB": {"notifications": "Notifications", "all": "All notifications", "write": "Write notification"},
    "de-DE": {"notifications": "Benachrichtigungen", "all": "Alle Benachrichtigungen",
              "write": "Mitteilung schreiben"},
}  # fmt: skip


def log(visitor: Screen) -> Locator:
    return visitor.page.locator(".chat-scroll")


def writing(visitor: Screen) -> Locator:
    return visitor.page.locator(".chat-composer textarea")


def lines(visitor: Screen, text: str) -> Locator:
    """The messages with ``text`` in them: neither what is still on its way nor what is being corrected."""
    return log(visitor).locator(".chat-line", has_text=text)


async def hears(visitor: Screen, text: str, times: int = 1) -> None:
    await expect(lines(visitor, text)).to_have_count(times, timeout=WITHIN_MS)


@pytest.mark.parametrize("taste", TASTES[2:], ids=IDS[2:])
async def test_two_talk_side_by_side(server: RunningServer, browser: Browser, taste: Taste) -> None:
    name = f"{taste['locale']}-{taste['viewport']['width']}"
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(screen(server, browser, taste=taste, path="/chat/general"))
        two = await stack.enter_async_context(screen(server, browser, role="manager", path="/chat/general"))
        await expect(writing(two)).to_be_visible(timeout=WITHIN_MS)
        await writing(one).press_sequentially("https://example.com/")
        await expect(two.page.locator(".chat-typing")).not_to_be_empty(timeout=WITHIN_MS)
        said = f"https://example.com/{uuid4()} is where it stands."
        await writing(one).fill(said)
        await writing(one).press("Enter")
        for visitor in (one, two):
            await hears(visitor, said)
        await expect(log(two).get_by_role("link", name="https://example.com/").last).to_have_attribute(
            "rel", "noopener noreferrer nofollow"
        )
        await expect(two.page.locator(".chat-typing")).to_be_empty()
        await one.look(f"chat-{name}")
        await one.is_sound()

        await writing(one).press("ArrowUp")
        correction = one.page.locator(".chat-correction textarea")
        await expect(correction).to_be_focused()
        await correction.fill(f"{said} Corrected.")
        await correction.press("Enter")
        for visitor in (one, two):  # the other may hear of it before its author has his answer
            await hears(visitor, f"{said} Corrected.")

        line = lines(one, said)
        await line.hover()
        await line.get_by_role("button").last.click()
        await one.page.get_by_role("dialog").locator("footer .danger").click()
        await hears(two, said, 0)
        await expect(log(two).locator(".deleted").last).to_be_visible()
        one.is_quiet()
        two.is_quiet()


async def test_what_was_said_while_one_was_away_is_there_once_afterwards(
    server: RunningServer, browser: Browser
) -> None:
    async with colleague(server) as http, screen(server, browser, path="/chat/general") as visitor:
        await expect(writing(visitor)).to_be_visible(timeout=WITHIN_MS)
        before = f"before {uuid4()}"
        await http.post("/api/chat/messages", json={"channel": "general", "text": before})
        await hears(visitor, before)
        await visitor.page.context.set_offline(True)
        await expect(visitor.page.locator(".live")).not_to_have_attribute("data-live", "live", timeout=WITHIN_MS)
        missed = [f"missed {uuid4()}" for _ in range(3)]
        for text in missed:
            await http.post("/api/chat/messages", json={"channel": "general", "text": text})
        mine = f"mine {uuid4()}"
        await writing(visitor).fill(mine)
        await writing(visitor).press("Enter")
        await expect(log(visitor).locator("[data-pending]")).to_contain_text(mine)
        await visitor.page.context.set_offline(False)
        for text in (*missed, mine):
            await hears(visitor, text)
        await expect(log(visitor).locator("[data-pending]")).to_have_count(0)
        heard = (await http.get("/api/chat/channels/general/messages", params={"limit": 20})).json()["data"]
        assert [message["text"] for message in heard].count(mine) == 1


async def test_what_was_said_offline_goes_out_though_its_channel_was_left(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(colleague(server))
        visitor = await stack.enter_async_context(screen(server, browser, path="/chat/general"))
        other = await stack.enter_async_context(screen(server, browser, role="manager", path="/chat/general"))
        page = visitor.page
        await expect(writing(visitor)).to_be_visible(timeout=WITHIN_MS)
        await visitor.go("/customers")  # so that its page is there to go to without the network
        await visitor.heading("Customers")
        await visitor.go("/chat/general")
        await page.context.set_offline(True)
        await expect(page.locator(".live")).not_to_have_attribute("data-live", "live", timeout=WITHIN_MS)
        said = f"said offline {uuid4()}"
        await writing(visitor).fill(said)
        await writing(visitor).press("Enter")
        await visitor.go("/customers")
        await visitor.heading("Customers")
        await visitor.go("/chat/general")
        await expect(log(visitor).locator("[data-pending]")).to_contain_text(said)
        await visitor.go("/customers")
        await visitor.heading("Customers")
        await page.context.set_offline(False)
        await hears(other, said)
        await visitor.go("/chat/general")
        await hears(visitor, said)
        await expect(log(visitor).locator("[data-pending]")).to_have_count(0)
        heard = (await http.get("/api/chat/channels/general/messages", params={"limit": 20})).json()["data"]
        assert [message["text"] for message in heard].count(said) == 1


async def test_who_says_more_than_may_wait_keeps_it_in_hand(server: RunningServer, browser: Browser) -> None:
    async with screen(server, browser, "manager", TASTES[1], "/chat/general") as visitor:
        page, run = visitor.page, str(uuid4())
        await expect(writing(visitor)).to_be_visible(timeout=WITHIN_MS)
        await page.context.set_offline(True)
        await expect(page.locator(".live")).not_to_have_attribute("data-live", "live", timeout=WITHIN_MS)
        for number in range(51):
            await writing(visitor).fill(f"{number} {run}")
            await writing(visitor).press("Enter")
        await expect(log(visitor).locator("[data-pending]")).to_have_count(50)
        await expect(log(visitor).locator("[data-pending]").first).to_contain_text(f"0 {run}")
        await expect(page.get_by_role("status").filter(has_text="50 Nachrichten sind noch")).to_be_visible()
        await expect(writing(visitor)).to_have_value(f"50 {run}")
        await visitor.look("chat-full")
        await page.context.set_offline(False)
        # Ten at once and one a second is what the server takes of one person.
        for number in range(11):
            await hears(visitor, f"{number} {run}")
        await expect(page.get_by_role("status").filter(has_text="50 Nachrichten sind noch")).to_have_count(0)
        await writing(visitor).press("Enter")
        await expect(log(visitor).locator("[data-pending]").last).to_contain_text(f"50 {run}")
        await expect(log(visitor)).not_to_contain_text("Nicht gesendet")


async def test_who_was_let_out_before_he_had_entered_asks_for_nothing(
    server: RunningServer, browser: Browser
) -> None:
    """A channel's room is entered, then what was said in it is asked for; in between one may have left it."""
    async with colleague(server, "clerk") as http, screen(server, browser, path="/chat") as visitor:
        me = (await http.get("/api/auth/me")).json()["data"]["id"]
        new = {"name": f"Kurz {uuid4().hex[:8]}", "isPrivate": True}
        channel = (await http.post("/api/chat/channels", json=new)).json()["data"]["id"]
        acks = await visitor.hold("43")  # an Engine.IO message that is a Socket.IO ACK
        acks.begin()
        await visitor.go(f"/chat/{channel}")
        await visitor.page.get_by_role("heading", level=2, name=new["name"]).wait_for()
        await acks.came()
        await visitor.go("/chat/general")
        await visitor.page.get_by_role("heading", level=2, name=new["name"]).wait_for(state="detached")
        assert (await http.delete(f"/api/chat/channels/{channel}/members/{me}")).is_success
        acks.release()
        await writing(visitor).fill(f"after it {channel}")
        await writing(visitor).press("Enter")
        await hears(visitor, f"after it {channel}")
        visitor.is_quiet()


async def test_a_private_channel_has_its_members_and_a_draft_waits_in_it(
    server: RunningServer, browser: Browser
) -> None:
    async with screen(server, browser, role="manager", path="/chat") as visitor:
        await visitor.press("New channel")
        name = f"Vorstand {uuid4().hex[:8]}"
        dialog = visitor.page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_label("Private").check()
        await dialog.get_by_role("button", name="Open channel").click()
        await expect(visitor.page.get_by_role("heading", level=2, name=name)).to_be_visible(timeout=WITHIN_MS)
        await expect(visitor.page.locator(".chat-head")).to_contain_text("1 here", timeout=WITHIN_MS)
        await writing(visitor).fill("not sent yet")
        await visitor.go("/chat/general")
        await expect(writing(visitor)).to_have_value("")
        await visitor.page.go_back()
        await expect(writing(visitor)).to_have_value("not sent yet")
        await visitor.is_sound()


def members(visitor: Screen) -> Locator:
    return visitor.page.locator(".chat-members li")


async def test_a_clerk_lets_somebody_into_a_private_channel_takes_him_out_and_leaves(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        clerk = await stack.enter_async_context(screen(server, browser, path="/chat"))
        manager = await stack.enter_async_context(screen(server, browser, role="manager"))
        name = f"Messe {uuid4().hex[:8]}"
        await clerk.press("New channel")
        form = clerk.page.get_by_role("dialog")
        await form.get_by_label("Name").fill(name)
        await form.get_by_label("Private").check()
        await form.get_by_role("button", name="Open channel").click()
        await clerk.press("Members")
        panel = clerk.page.get_by_role("dialog", name=f"Members of {name}")
        await expect(panel.locator("p[role=status]")).to_have_text("Nobody but you is in here yet.")
        own = await members(clerk).inner_text()

        async with colleague(server, "admin") as http:
            users = (await http.get("/api/users", params={"search": "manager@steinmetz.example"})).json()["data"]
        theirs = users[0]["name"]
        await panel.get_by_role("combobox").press_sequentially("nobody is called so")
        await expect(panel.get_by_role("listbox")).to_have_text("Nothing found")
        await panel.get_by_role("combobox").fill(theirs)
        await expect(panel.get_by_role("option")).to_have_text(theirs)
        await clerk.look("chat-let-in")
        await clerk.is_sound()
        await clerk.page.keyboard.press("Enter")
        await panel.get_by_role("button", name="Let in").click()
        await expect(members(clerk)).to_have_count(2)
        await expect(panel.locator("p[role=status]")).to_contain_text(f"{theirs} is in")
        await manager.shows_toast("Sie sind in einem neuen Kanal")  # as the user has it, not the browser
        await panel.get_by_role("combobox").fill(theirs)
        await expect(panel.get_by_role("option")).to_contain_text("is in already")
        await clerk.page.keyboard.press("Escape")
        await clerk.look("chat-members")
        await clerk.is_sound()

        await manager.go("/chat")
        await manager.page.get_by_role("link", name=name).click()
        await manager.press("Members")
        await expect(members(manager)).to_have_count(2)
        await manager.page.keyboard.press("Escape")

        await panel.get_by_role("button", name=f"Take {theirs} out").click()
        await clerk.page.get_by_role("dialog", name=f"Take {theirs} out").locator("footer .danger").click()
        await expect(members(clerk)).to_have_text([own], use_inner_text=True)
        await expect(manager.page.get_by_role("link", name=name)).to_have_count(0)

        # Refused, he is back where he was and told why.
        refusal = {"title": "Not now", "status": 503, "detail": "Writing is switched off."}
        gone = "**/api/chat/channels/*/members/*"
        await clerk.page.route(gone, lambda route: route.fulfill(status=503, json=refusal))
        await panel.get_by_role("button", name="Leave channel").click()
        await clerk.page.get_by_role("dialog", name="Leave channel").locator("footer .danger").click()
        await clerk.shows_toast("Writing is switched off.")
        await expect(clerk.page.get_by_role("heading", level=2, name=name)).to_be_visible()
        await clerk.page.unroute(gone)
        clerk.complaints = [said for said in clerk.complaints if "503" not in said]

        await clerk.press("Members")
        await panel.get_by_role("button", name="Leave channel").click()
        await clerk.page.get_by_role("dialog", name="Leave channel").locator("footer .danger").click()
        await expect(clerk.page.get_by_role("link", name=name)).to_have_count(0)
        clerk.is_quiet()


async def has_read_everything(http: httpx2.AsyncClient) -> None:
    for channel in (await http.get("/api/chat/channels", params={"limit": 200})).json()["data"]:
        if channel["unread"]:
            mark = {"messageId": channel["lastMessage"]["id"]}
            await http.post(f"/api/chat/channels/{channel['id']}/read", json=mark)


async def test_what_is_unread_is_counted_in_the_navigation_and_in_the_title(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        await has_read_everything(await stack.enter_async_context(colleague(server, "clerk")))
        http = await stack.enter_async_context(colleague(server))
        visitor = await stack.enter_async_context(screen(server, browser, path="/customers"))
        page = visitor.page
        link = page.get_by_role("navigation").get_by_role("link", name="Chat")
        await visitor.heading("Customers")
        await expect(link).to_have_accessible_name("Chat")
        await expect(page).to_have_title("Customers · SteinmetZ")
        for count in (1, 2):
            await http.post("/api/chat/messages", json={"channel": "general", "text": f"unread {uuid4()}"})
            await expect(link).to_have_accessible_name(f"Chat {count} unread")
            await expect(page).to_have_title(f"({count}) Customers · SteinmetZ")
        await visitor.look("chat-unread")
        await visitor.is_sound()
        await link.click()
        await expect(page).to_have_title("Chat · SteinmetZ")
        await expect(link).to_have_accessible_name("Chat")
        assert visitor.documents == 1, "the page was loaded again"


@pytest.mark.parametrize("taste", TASTES[2:], ids=IDS[2:])
async def test_a_notification_rings_and_leads_to_what_it_is_about(
    server: RunningServer, browser: Browser, taste: Taste
) -> None:
    words = WORDS[taste["locale"]]
    title = f"Inventur {uuid4().hex[:8]}"
    notice = {"audience": "role", "role": "clerk", "level": "warning", "title": title,
              "message": "Ab 12 Uhr bleibt das Lager geschlossen.", "link": "/customers"}  # fmt: skip
    async with colleague(server) as http, screen(server, browser, taste=taste) as visitor:
        sent = await http.post("/api/notifications", json=notice)
        assert sent.status_code == 201, sent.text
        await visitor.shows_toast(title)
        await expect(visitor.page.locator(".bell .bell-count")).to_be_visible(timeout=WITHIN_MS)
        await visitor.page.locator(".bell .menu-button").click()
        await expect(visitor.page.locator(".bell .notice").first).to_contain_text(title, timeout=WITHIN_MS)
        await visitor.look(f"bell-{taste['locale']}-{taste['viewport']['width']}")
        await visitor.is_sound()
        await visitor.page.get_by_role("link", name=words["all"]).click()
        await visitor.heading(words["notifications"])
        line = visitor.page.locator(".notices.card .notice", has_text=title)
        await expect(line).to_have_attribute("data-unread", "", timeout=WITHIN_MS)
        await visitor.look(f"notifications-{taste['locale']}-{taste['viewport']['width']}")
        await visitor.is_sound()
        await line.click()
        await expect(visitor.page.locator("h1")).to_be_focused()
        assert visitor.page.url.endswith("/customers")


async def test_an_administrator_writes_a_notification_and_takes_it_back(
    server: RunningServer, browser: Browser
) -> None:
    title = f"Feierabend {uuid4().hex[:8]}"
    async with screen(server, browser, role="admin", path="/notifications") as visitor:
        await visitor.press("Write notification")
        dialog = visitor.page.get_by_role("dialog")
        await dialog.get_by_label("To", exact=True).select_option("all")
        await dialog.get_by_label("Title").fill(title)
        await dialog.get_by_label("Message").fill("Bis morgen.")
        await dialog.get_by_role("button", name="Send").click()
        line = visitor.page.locator(".notices.card li", has_text=title)
        await expect(line).to_be_visible(timeout=WITHIN_MS)
        await line.get_by_role("button", name="Take back").click()
        await visitor.page.get_by_role("dialog").locator("footer .danger").click()
        await expect(line).to_have_count(0, timeout=WITHIN_MS)


async def test_maintenance_is_seen_by_everybody_at_once_and_refusals_say_why(
    server: RunningServer, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(screen(server, browser, role="admin", path="/maintenance"))
        clerk = await stack.enter_async_context(screen(server, browser, path="/customers/new"))
        await admin.page.get_by_label("What everybody reads").fill("Neue Version")
        await admin.press("Switch maintenance on")
        await admin.is_sound()
        await admin.page.get_by_role("dialog").locator("footer .danger").click()
        for visitor in (admin, clerk):
            await expect(visitor.page.locator(".banner")).to_contain_text("Neue Version", timeout=WITHIN_MS)
        await clerk.look("maintenance")
        await clerk.page.get_by_label("Name").fill("Granit")
        await clerk.press("Save")
        await expect(clerk.page.get_by_role("alert")).to_be_visible(timeout=WITHIN_MS)
        await admin.press("Switch maintenance off")
        await expect(clerk.page.locator(".banner")).to_contain_text("is over", timeout=WITHIN_MS)
        await admin.look("maintenance-off")
        await admin.is_sound()
