"""Does the ERP stay as quick and as small as it was, when an office of 200 works with it for half an hour?

`steinmetz.erp.traffic` with 200 clerks, each with an open screen that listens, against the product with
everything on. Its memory is read every five seconds. From the first answer that the cache evicts, because its
budget is full, the time is cut into ten parts: the largest and the smallest of their medians may differ by 5 %.
The budget is smaller than the product's own, so that it is full after some minutes. An error is an answer of
500 or more, a request without an answer, an answer older than an acknowledged write, a screen that lost its
connection, and a line of level error in the log; refusals of two clerks who change the same record are none,
and told beside.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import process_time
from urllib.request import urlopen

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.pinning import pinned
from benchmarks.harness.processes import StartError
from benchmarks.harness.product import Product, seeded_company, served
from benchmarks.harness.report import Report, at_least, at_most
from steinmetz.clock import SystemClock
from steinmetz.erp.traffic import client as traffic
from steinmetz.erp.traffic.report import Tally

PARTS = 10
MOST_APART = 5.0
SEED = 20261126
ERROR_LEVELS = ("error", "critical")


@dataclass(frozen=True, slots=True)
class Form:
    clerks: int
    seconds: float
    budget_bytes: int
    look_s: float


FULL = Form(clerks=200, seconds=1_800, budget_bytes=24_000_000, look_s=5)
QUICK = Form(clerks=40, seconds=30, budget_bytes=1_000_000, look_s=1)


@dataclass(frozen=True, slots=True)
class Look:
    """The server at one moment."""

    at_s: float
    rss_bytes: int
    cache_bytes: int
    evictions: int


def run(options: Options) -> Report:
    """Raises `StartError` when the product does not stand, or refuses the clerks."""
    form = QUICK if options.quick else FULL
    options.say("seeding the company")
    company = seeded_company()
    settings = {"STEINMETZ_CACHE_MAX_BYTES": str(form.budget_bytes)}
    tally = Tally()
    with served(company, name="soak", cores=options.cores.server, settings=settings, is_probed=False) as product:
        plan = traffic.Plan(product.url, clerks=form.clerks, seed=SEED, duration_s=form.seconds)
        with _looking(product, form, options) as looks, pinned(options.cores.load):
            used, load_s = product.program.usage(), process_time()
            try:
                asyncio.run(traffic.run(plan, tally))
            except traffic.TrafficError as error:
                raise StartError(str(error)) from error
            used, load_s = product.program.usage() - used, process_time() - load_s
        logged = errors_of(product.program.log)
    report = Report()
    report_work(report, tally, logged)
    a_request_ms = 1000 * used.cpu_s / max(1, tally.requests)
    report.add("server CPU a request", a_request_ms, "ms, and what the screens hear of it")
    report.add("server, busy", 100 * used.cpu_s / tally.elapsed_s, "% of its core")
    report.add("the clerks' own program, busy", 100 * load_s / tally.elapsed_s, "% of the other")
    report_memory(report, looks)
    return report


def report_work(report: Report, tally: Tally, logged: int) -> None:
    failed = sum(count for status, count in tally.statuses.items() if status >= 500)
    stale = tally.ledger.stale + tally.ledger.backwards + tally.events_backwards
    report.add("requests", tally.requests, f"in {tally.elapsed_s:,.0f} s")
    report.add("events heard by the screens", tally.events.total(), "")
    report.add("refused, the record had changed", tally.statuses[409], "")
    report.add("versions compared", tally.ledger.checked, "")
    report.add("hits", 100 * tally.hit_rate, "% of all reads")
    report.add("hits of an oracle", 100 * tally.oracle_hit_rate, "% of all reads")
    for name, latencies in (("read", tally.reads), ("write", tally.writes)):
        for q in (0.5, 0.95, 0.99):
            report.add(f"a {name} is answered, p{round(100 * q)}", latencies.quantile_ms(q), "ms")
    report.targets += [
        at_most("answers of 500 or more", failed, 0),
        at_most("requests without an answer", tally.broken, 0),
        at_most("stale answers", stale, 0),
        at_most("screens that lost their connection", tally.sockets_lost, 0),
        at_most("errors in the server's log", logged, 0),
        at_least("versions compared", tally.ledger.checked, 1),
    ]


def report_memory(report: Report, looks: Sequence[Look]) -> None:
    full = after_the_limit(looks)
    report.add("the cache at its end", looks[-1].cache_bytes / 1e6, f"MB; {looks[-1].evictions} answers evicted")
    report.add("memory at the end", looks[-1].rss_bytes / 2**20, "MiB RSS")
    if len(full) < PARTS:
        report.add("memory since the cache is full", None, "it did not fill its budget")
        report.targets.append(at_least("looks since the cache is full", len(full), PARTS))
        return
    medians = parts_of(full)
    report.add("the cache was full after", full[0].at_s, "s")
    for number, rss_bytes in enumerate(medians, 1):
        report.add(f"memory since then, part {number} of {PARTS}", rss_bytes / 2**20, "MiB RSS, median")
    apart = 100 * (max(medians) / min(medians) - 1)
    report.targets.append(at_most("memory since the cache is full, apart", apart, MOST_APART, "%"))


def after_the_limit(looks: Sequence[Look]) -> list[Look]:
    """Those from the first eviction on."""
    return [look for look in looks if look.evictions]


def parts_of(looks: Sequence[Look]) -> list[float]:
    """The median RSS in bytes of each of ten parts of equal length."""
    edges = [round(number * len(looks) / PARTS) for number in range(PARTS + 1)]
    return [median([look.rss_bytes for look in looks[begin:end]]) for begin, end in pairwise(edges)]


def errors_of(log: Path) -> int:
    """Lines of a log that tell of an error, and tracebacks that no line holds."""
    found = 0
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("Traceback "):
            found += 1
        elif line.startswith("{"):
            found += json.loads(line).get("level") in ERROR_LEVELS
    return found


@contextmanager
def _looking(product: Product, form: Form, options: Options) -> Iterator[list[Look]]:
    """Look every so many seconds; the list grows until the end of the block, and has its last look then."""
    looks: list[Look] = []
    clock, done = SystemClock(), threading.Event()
    began_s = clock.monotonic_s()

    def look() -> None:
        text = urlopen(f"{product.url}/metrics", timeout=30).read().decode()
        rss_bytes = product.program.usage().rss_bytes
        at_s = clock.monotonic_s() - began_s
        looks.append(Look(at_s, rss_bytes, _figure(text, "bytes"), _figure(text, "evictions")))
        options.say(f"{at_s:,.0f} of {form.seconds:,.0f} s, {rss_bytes / 2**20:.0f} MiB")

    def watch() -> None:
        while not done.wait(form.look_s):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield looks
    finally:
        done.set()
        watcher.join()
    look()


def _figure(metrics: str, name: str) -> int:
    found = re.search(rf'^steinmetz_cache\{{figure="{name}"\}} (\S+)$', metrics, re.MULTILINE)
    if found is None:
        raise StartError(f"/metrics does not tell {name} of the cache")
    return int(float(found[1]))
