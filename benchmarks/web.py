"""How soon does a visitor see the page, how soon does it answer him, and how much has to be loaded for that?

The product with the demo company, in a browser that knows nothing of it yet. First contentful paint of the
sign-in and of the overview by the browser's own timing; every key and click of an office day
(harness/clerks_day.py) by its Event Timing, from the input to the next frame; the start bundle is what the browser
asks for until the overview stands, each file gzipped. The whole tree of the catalogue is scrolled for ten seconds,
line by line and by leaps: its rows in the document, and its longest task.

The server has a core of its own; the browser, which draws without a graphics card, takes what is left of both.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from benchmarks.harness.browser import (
    Interaction,
    at_rest,
    browsing,
    interactions,
    opened_ms,
    sign_in,
    visitor,
    watch_pages,
)
from benchmarks.harness.clerks_day import clerks_day, open_the_tree
from benchmarks.harness.confidence import median, quantile
from benchmarks.harness.options import Options
from benchmarks.harness.product import seeded_company, served
from benchmarks.harness.report import Report, at_least, at_most

STATIC = Path(__file__).resolve().parent.parent / "src" / "steinmetz" / "static"
MOST_BUNDLE_KB, MOST_PAINT_MS, MOST_ANSWER_MS = 120, 1_000, 100
MOST_TREE_ROWS, MOST_TASK_MS, LEAST_TREE_NODES = 150, 50, 15_000
FIGURE = "[data-figure=openInvoices] .value"

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
SCROLL = """
async (ms) => {
  const box = document.querySelector('[role=tree]');
  window.watched.tasks.length = 0;
  let rows = 0;
  let frames = 0;
  let down = 1;
  const end = performance.now() + ms;
  let leap = performance.now() + 1000;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    frames++;
    if (performance.now() > leap) {
      leap += 1000;
      box.scrollTop = (box.scrollTop + box.scrollHeight * 0.37) % box.scrollHeight;
    } else box.scrollTop += down * 180;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1 || box.scrollTop <= 0) down = -down;
    rows = Math.max(rows, document.querySelectorAll('[role=treeitem]').length);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  const nodes = Math.round(box.scrollHeight / document.querySelector('[role=treeitem]').offsetHeight);
  return { rows, nodes, frames: frames / (ms / 1000), longest: Math.max(0, ...window.watched.tasks) };
}
"""


def run(options: Options) -> Report:
    report = Report()
    rounds = 3 if options.quick else 9
    options.say("seeding the demo company")
    company = seeded_company()
    with served(company, name="web", cores=options.cores.server) as product, browsing() as browser:
        options.say("sign-in and overview")
        visits = [_visit(browser, product.url) for _ in range(rounds)]
        for name in ("sign-in", "overview"):
            paints = [visit[name] for visit in visits]
            report.add(f"first contentful paint, {name}", median(paints), "ms")
            report.targets.append(at_most(f"first contentful paint, {name}", median(paints), MOST_PAINT_MS, "ms"))
        report.add("the overview's figures stand", median([visit["figures"] for visit in visits]), "ms, signed in")
        bundle = _bundle(visits[0]["files"])
        for kind, kilobytes in bundle.items():
            report.add(f"start bundle, {kind}", kilobytes, "kB gzip")
        report.targets.append(at_most("start bundle", sum(bundle.values()), MOST_BUNDLE_KB, "kB gzip"))
        options.say("keys and clicks")
        days = 1 if options.quick else 5
        found = [_day(browser, product.url) for _ in range(days)]
        _answers(report, [one for pressed, _ in found for one in pressed])
        opened = sorted(took for _, pages in found for took in pages)
        report.add("pages opened", len(opened), "times, from memory or not")
        report.add("an opened page is drawn, p50", quantile(opened, 0.5), "ms, from the press to its first frame")
        report.add("an opened page is drawn, p98", quantile(opened, 0.98), "ms")
        options.say("the tree")
        _tree(browser, product.url, report, 2_000 if options.quick else 10_000)
    return report


def _visit(browser: Browser, url: str) -> dict[str, Any]:
    files: list[str] = []
    with visitor(browser, url) as page:
        page.locator("input[name=email]").wait_for()
        found = {"sign-in": _paint(page)}
        sign_in(page, "clerk")
        page.on("request", lambda request: files.append(urlsplit(request.url).path))
        page.reload()
        page.locator(FIGURE).wait_for()
        found["figures"] = page.evaluate("performance.now()")
        found["overview"] = _paint(page)
        return {**found, "files": files}


def _paint(page: Page) -> float:
    page.wait_for_function(f"() => ({PAINT}) !== null")
    return float(page.evaluate(PAINT))


def _bundle(paths: list[str]) -> dict[str, float]:
    """Kilobytes by kind of what was asked for, each file as it goes over the wire."""
    sizes: dict[str, float] = {}
    for path in sorted(set(paths)):
        file = STATIC / (path.lstrip("/") or "index.html")
        if file.is_file():
            kind = file.suffix.lstrip(".")
            sizes[kind] = sizes.get(kind, 0.0) + len(gzip.compress(file.read_bytes())) / 1000
    return sizes


def _day(browser: Browser, url: str) -> tuple[list[Interaction], list[float]]:
    """Every key and click, and how long each page took that they opened."""
    with visitor(browser, url) as page:
        sign_in(page, "manager")
        watch_pages(page)
        clerks_day(page)
        return interactions(page), opened_ms(page)


def _answers(report: Report, all_of_them: list[Interaction]) -> None:
    by_deed: dict[str, list[Interaction]] = {}
    for interaction in all_of_them:
        by_deed.setdefault(interaction.deed, []).append(interaction)
    for deed, some in by_deed.items():
        worst = max(some, key=lambda one: one.took_ms)
        unit = f"ms the slowest of {len(some)}; {worst.worked_ms:.0f} of them in our code"
        report.add(f"to {deed}", worst.took_ms, unit)
    took = sorted(one.took_ms for one in all_of_them)
    slowest = max(all_of_them, key=lambda one: one.took_ms)
    p98 = quantile(took, 0.98)
    report.add(
        "keys and clicks", len(took), f"; {sum(ms > MOST_ANSWER_MS for ms in took)} above {MOST_ANSWER_MS} ms"
    )
    report.add("a key or click is answered, p50", median(took), "ms, to the next frame; 16 stands for less too")
    report.add("a key or click is answered, p98", p98, f"ms; the slowest was to {slowest.deed}")
    report.targets.append(at_most("a key or click is answered, p98", p98, MOST_ANSWER_MS, "ms"))


def _tree(browser: Browser, url: str, report: Report, ms: int) -> None:
    with visitor(browser, url) as page:
        sign_in(page, "admin")
        page.locator(".navigation a[href='/functions']").click()
        page.locator("[role=treeitem]").first.wait_for()
        open_the_tree(page)
        at_rest(page)
        found = page.evaluate(SCROLL, ms)
    report.add("the tree: rows in the document", found["rows"], f"of {found['nodes']:,} nodes")
    report.add("the tree: frames of the scroll", found["frames"], "a second")
    report.add("the tree: longest task of the scroll", found["longest"], "ms; below 50 the browser names none")
    report.targets += [
        at_least("the tree: nodes", found["nodes"], LEAST_TREE_NODES),
        at_most("the tree: rows in the document", found["rows"], MOST_TREE_ROWS),
        at_most("the tree: longest task", found["longest"], MOST_TASK_MS, "ms"),
    ]
