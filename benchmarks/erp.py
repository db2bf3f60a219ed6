"""How much faster and livelier is the ERP with everything on than with the cache off and screens that poll?

Before: ``STEINMETZ_CACHE=off``, ``STEINMETZ_LIVE=off``, every clerk's screen asks for the overview each 5 s.
After: everything on, every clerk's screen listens. Both do the same seeded workload (`steinmetz.erp.traffic`) on
the same freshly seeded company, in interleaved rounds, the server alone on its core. Reads are timed at the
client's socket. Hits are compared with those of an oracle that recomputes and compares; every answer is compared
with the acknowledged writes. Then N screens (load/socketio_load.c) hear of one payment after the other; the time
counts from the end of the COMMIT, stamped in the server, to the arrival at each screen.
"""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.harness.confidence import median, quantile, ratio_of_medians
from benchmarks.harness.cpu import Usage
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.peers import Missing
from benchmarks.harness.pinning import pinned
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from benchmarks.harness.product import ROOT, Probed, Product, seeded_company, served
from benchmarks.harness.report import Report, at_least, at_most
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.socketio_load import Arrivals, SocketIOLoad
from benchmarks.harness.wrk import http_rate
from steinmetz.clock import SystemClock
from steinmetz.erp.traffic import client as traffic
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Role
from steinmetz.erp.traffic.model import OVERVIEW, pause_s
from steinmetz.erp.traffic.report import Tally
from steinmetz.erp.traffic.wire import Connection

BEFORE = {"STEINMETZ_CACHE": "off", "STEINMETZ_LIVE": "off"}
POLL_S = 5.0
SEED = 20260302
EVENT = "dashboard:update"
FLOOR_BYTES = 3_000
"""About as many as the overview has."""
REST_S = 0.5
"""Between two payments, so that each is heard alone."""
HEARD_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Form:
    """How much is measured."""

    rounds: int
    warm_up_s: float
    seconds: float
    screens: tuple[int, ...]
    payments: int
    bare_answers: int
    clerks: int = 12
    pause_s: float = 0.6
    """Twenty requests a second: even before, the server is idle half of the time, so that medians are the cost of
    answering and not of queueing."""


FULL = Form(rounds=3, warm_up_s=20, seconds=60, screens=(1_000, 10_000), payments=40, bare_answers=400)
QUICK = Form(rounds=1, warm_up_s=4, seconds=7, screens=(1_000,), payments=8, bare_answers=60)


@dataclass(slots=True)
class Round:
    """One run of the workload on one server."""

    tally: Tally
    reads_ms: list[float]
    hits_ms: list[float]
    """Those of the reads that were hits."""
    usage: Usage
    probed: Probed
    shown_after_ms: list[float]
    """From each commit to each polling screen; empty when nobody polls."""


@dataclass(slots=True)
class Screens:
    """Payments, one after the other, before many screens."""

    connected: int
    wanted: int
    refusal: str
    arrivals: Arrivals
    unheard: int
    """Payments that not every screen heard of."""
    rss_per_screen_kb: float
    cpu_ms_per_commit: float


def run(options: Options) -> Report:
    """Raises `StartError` when the product does not stand, or refuses the clerks."""
    try:
        return _measure(options)
    except traffic.TrafficError as error:
        raise StartError(str(error)) from error


def _measure(options: Options) -> Report:
    form = QUICK if options.quick else FULL
    options.say("seeding the company")
    company = seeded_company()

    def before() -> Round:
        with served(company, name="erp-before", cores=options.cores.server, settings=BEFORE) as product:
            return work(product, form, options, polling=True)

    def after() -> Round:
        with served(company, name="erp-after", cores=options.cores.server) as product:
            return work(product, form, options, polling=False)

    report = Report()
    report_floor(report, form, options)
    rounds = interleaved(form.rounds, {"before": before, "after": after}, options.say)
    report_workload(report, rounds["before"], rounds["after"])
    for count in form.screens:
        options.say(f"payments before {count:,} screens")
        with served(company, name="erp-screens", cores=options.cores.server) as product:
            if count == form.screens[0]:
                report_raw_hits(report, product, options)
            report_screens(report, pay_before_screens(product, count, form.payments, options))
    report.notes.append(
        f"{form.clerks} clerks, one write in 20 requests, seed {SEED}, {form.rounds} x {form.seconds:g} s warm. "
        "Hits are of all reads; the oracle is a cache that recomputes each answer and compares"
    )
    return report


# ---- The workload --------------------------------------------------------------------------------------------


def work(product: Product, form: Form, options: Options, *, polling: bool) -> Round:
    """Run the workload once and say what it cost the server."""
    plan = traffic.Plan(
        product.url,
        clerks=form.clerks,
        seed=SEED,
        duration_s=form.seconds,
        warm_up_s=form.warm_up_s,
        pause_s=form.pause_s,
        screens=not polling,
        poll_s=POLL_S if polling else None,
    )
    tally, reads_ms, hits_ms = Tally(), list[float](), list[float]()
    polls: dict[int, list[tuple[int, int]]] = defaultdict(list)

    counted, used = Probed(), Usage(0.0, 0.0, 0)

    def warm() -> None:
        nonlocal counted, used
        reads_ms.clear()
        hits_ms.clear()
        polls.clear()
        counted, used = product.probed(), product.program.usage()

    def sample(call: Call, reply: Reply, duration_ms: float) -> None:
        if not call.is_write and reply.is_good:
            reads_ms.append(duration_ms)
            if reply.x_cache == "HIT":
                hits_ms.append(duration_ms)

    def polled(screen: int, sent_ns: int, ended_ns: int) -> None:
        polls[screen].append((sent_ns, ended_ns))

    with pinned(options.cores.load):
        asyncio.run(traffic.run(plan, tally, sample=sample, polled=polled, warm=warm))
    used, counted = product.program.usage() - used, product.probed().since(counted)
    shown = [ms for screen in polls.values() for ms in shown_after_ms(counted.commits_ns, screen)]
    return Round(tally, reads_ms, hits_ms, used, counted, shown)


def shown_after_ms(commits_ns: Sequence[int], polls: Sequence[tuple[int, int]]) -> Iterator[float]:
    """From each commit to the first answer asked for after it; a commit after the last poll is never shown."""
    asked = [sent_ns for sent_ns, _ in polls]
    for commit_ns in commits_ns:
        place = bisect_left(asked, commit_ns)
        if place < len(polls):
            yield (polls[place][1] - commit_ns) / 1e6


def report_workload(report: Report, before: list[Round], after: list[Round]) -> None:
    for name, rounds in (("before", before), ("after", after)):
        _report_side(report, name, rounds)
    faster = ratio_of_medians([each.reads_ms for each in before], [each.reads_ms for each in after], Random(SEED))
    report.add(
        "reads, times faster in the median", faster.value, f"x (95 %: {faster.low:.3g} to {faster.high:.3g})"
    )
    hits = sum(each.tally.x_cache["HIT"] for each in after)
    oracle_hits = sum(each.tally.oracle.hits for each in after)
    reads = sum(each.tally.read_count for each in after)
    queries = sum(each.probed.statements.get("read", 0) for each in after)
    stale = sum(_stale(each.tally) for each in [*before, *after])
    report.targets += [
        at_least("reads, times faster in the median", faster.value, 50, "x"),
        at_least("hits, of an oracle's", 100 * hits / max(1, oracle_hits), 95, "%"),
        at_most("queries a read", queries / max(1, reads), 0.2),
        at_most("stale answers", stale, 0),
    ]


def _report_side(report: Report, name: str, rounds: list[Round]) -> None:
    tallies = [each.tally for each in rounds]
    reads_ms = sorted(ms for each in rounds for ms in each.reads_ms)
    reads, requests = sum(t.read_count for t in tallies), sum(t.requests for t in tallies)
    writes = requests - reads
    statements: dict[str, int] = defaultdict(int)
    for each in rounds:
        for purpose, count in each.probed.statements.items():
            statements[purpose] += count
    report.add(f"{name}: requests", requests, "")
    report.add(f"{name}: refused or broken", sum(t.refused + t.broken for t in tallies), "")
    report.add(f"{name}: read, median", median(reads_ms), "ms")
    report.add(f"{name}: read, p99", quantile(reads_ms, 0.99), "ms")
    if hits_ms := [ms for each in rounds for ms in each.hits_ms]:
        report.add(f"{name}: hit, median", median(hits_ms), "ms")
    report.add(f"{name}: write, median", tallies[0].writes.quantile_ms(0.5), "ms")
    report.add(f"{name}: hits", 100 * sum(t.x_cache["HIT"] for t in tallies) / max(1, reads), "%")
    report.add(f"{name}: hits of the oracle", 100 * sum(t.oracle.hits for t in tallies) / max(1, reads), "%")
    report.add(f"{name}: queries a read", statements["read"] / max(1, reads + _polls(tallies)), "")
    report.add(f"{name}: queries a write", statements["write"] / max(1, writes), "")
    report.add(f"{name}: queries to recompute, a write", statements["recompute"] / max(1, writes), "")
    report.add(f"{name}: queries to admit, a request", statements["admission"] / max(1, requests), "")
    report.add(f"{name}: server CPU a request", 1000 * sum(each.usage.cpu_s for each in rounds) / requests, "ms")
    report.add(f"{name}: versions compared", sum(t.ledger.checked for t in tallies), "")
    report.add(f"{name}: stale answers", sum(_stale(t) for t in tallies), "")
    if shown := sorted(ms for each in rounds for ms in each.shown_after_ms):
        report.add(f"{name}: commit to screen, p50", quantile(shown, 0.5), f"ms, polling each {POLL_S:g} s")
        report.add(f"{name}: commit to screen, p99", quantile(shown, 0.99), f"ms, polling each {POLL_S:g} s")


def _polls(tallies: list[Tally]) -> int:
    return sum(tally.polls for tally in tallies)


def _stale(tally: Tally) -> int:
    return tally.ledger.stale + tally.ledger.backwards + tally.events_backwards


# ---- Commit to screen ----------------------------------------------------------------------------------------


def pay_before_screens(product: Product, count: int, payments: int, options: Options) -> Screens:
    """Open ``count`` screens and pay ``payments`` invoices before them."""
    door = traffic.Door(product.url, traffic.DEMO_ACCOUNTS, SystemClock())
    with pinned(options.cores.load):
        token = asyncio.run(door.token(Role.CLERK))
        before = product.program.usage()
        with SocketIOLoad(product.port, cores=options.cores.load, auth={"token": token}) as load:
            connected = load.connect(count, within_s=120)
            grown = product.program.usage() - before
            found = Screens(
                connected=connected.ready,
                wanted=count,
                refusal=connected.error,
                arrivals=Arrivals(),
                unheard=0,
                rss_per_screen_kb=grown.rss_bytes / 1024 / max(1, connected.ready),
                cpu_ms_per_commit=0.0,
            )
            if connected.ready:
                asyncio.run(_pay_invoices(product, door, load, payments, found))
            return found


async def _pay_invoices(
    product: Product, door: traffic.Door, load: SocketIOLoad, payments: int, found: Screens
) -> None:
    connection = door.connection()
    try:
        listing = Call("GET /api/invoices", f"/api/invoices?status=sent&status=overdue&limit={payments + 1}")
        reply, _ = await door.call(connection, Role.CLERK, listing)
        first, *others = reply.data
        # The first commit after the screens came finds nothing to compare with; it is not counted.
        await _pay_one(product, door, connection, load, first, found.connected, Arrivals())
        used = product.program.usage()
        for invoice in others:
            await asyncio.sleep(REST_S)
            heard = await _pay_one(product, door, connection, load, invoice, found.connected, found.arrivals)
            found.unheard += not heard
        used = product.program.usage() - used
        found.cpu_ms_per_commit = 1000 * used.cpu_s / max(1, len(others))
    finally:
        connection.close()


async def _pay_one(
    product: Product,
    door: traffic.Door,
    connection: Connection,
    load: SocketIOLoad,
    invoice: dict[str, Any],
    screens: int,
    into: Arrivals,
) -> bool:
    """Pay one invoice and wait until all screens have heard; whether they have.

    Raises `StartError` when the payment is refused, for then nothing is measured.
    """
    body = {"version": invoice["version"], "amountCents": invoice["openCents"]}
    pay = Call("POST /api/invoices/{id}/pay", f"/api/invoices/{invoice['id']}/pay", body)
    load.expect(EVENT, screens, HEARD_WITHIN_S)
    reply, answer = await door.call(connection, Role.CLERK, pay)
    heard, _ = load.reached()
    if not reply.is_good:
        raise StartError(f"{pay.path} was refused with status {reply.status}: {reply.document}")
    commits_ns = product.probed().commits_ns
    commit_ns = next((stamp for stamp in reversed(commits_ns) if answer.sent_ns <= stamp <= answer.ended_ns), None)
    if commit_ns is None:
        raise StartError(f"the probe saw no commit while {pay.path} was under way")
    load.arrivals(EVENT, commit_ns, into)
    return heard


def report_screens(report: Report, screens: Screens) -> None:
    at = f"at {screens.wanted:,} screens"
    report.add(f"screens connected {at}", screens.connected, screens.refusal)
    missed = screens.wanted - screens.connected + screens.unheard
    report.targets.append(at_most(f"screens that missed something {at}", missed, 0))
    if not screens.arrivals.count:
        report.add(f"commit to screen {at}", None, "nothing was heard")
        return
    p50_ms, p99_ms = screens.arrivals.quantile_ms(0.5), screens.arrivals.quantile_ms(0.99)
    report.add(f"commit to screen {at}, p50", p50_ms, "ms")
    report.add(f"commit to screen {at}, p99", p99_ms, "ms")
    report.add(f"payments not heard everywhere {at}", screens.unheard, "")
    report.add(f"server CPU a commit {at}", screens.cpu_ms_per_commit, "ms")
    report.add(f"memory a screen {at}", screens.rss_per_screen_kb, "kB RSS")
    bound_ms = 50 if screens.wanted <= 1000 else 150
    report.targets.append(at_most(f"commit to screen {at}, p99", p99_ms, bound_ms, "ms"))


# ---- The floor -----------------------------------------------------------------------------------------------


def report_floor(report: Report, form: Form, options: Options) -> None:
    """What an answer takes of a loop that looks at nothing, asked at the same pace by the same client."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.harness.bare_answers", str(port), str(FLOOR_BYTES)]
    options.say("the floor")
    with (
        Program(command, log=CACHE / "run" / "erp-floor.log", cores=options.cores.server, cwd=ROOT) as program,
        pinned(options.cores.load),
    ):
        program.wait_until(answers(f"http://127.0.0.1:{port}/"))
        took_ms = asyncio.run(_ask_bare(port, form))
    report.add("the floor: any answer at all, median", median(took_ms), "ms, of a loop that looks at nothing")


async def _ask_bare(port: int, form: Form) -> list[float]:
    random, connection = Random(SEED), Connection("127.0.0.1", port)
    took_ms = []
    try:
        for _ in range(form.bare_answers):
            await asyncio.sleep(pause_s(form.pause_s / form.clerks, random))
            answer = await connection.request("GET", OVERVIEW.path)
            took_ms.append(answer.duration_ms)
    finally:
        connection.close()
    return took_ms


# ---- Raw hits ------------------------------------------------------------------------------------------------


def report_raw_hits(report: Report, product: Product, options: Options) -> None:
    """How many kept overviews the server gives a second, with a token, as fast as wrk asks."""
    door = traffic.Door(product.url, traffic.DEMO_ACCOUNTS, SystemClock())
    token = asyncio.run(door.token(Role.CLERK))
    used = product.program.usage()
    rate = http_rate(
        product.url + OVERVIEW.path,
        cores=options.cores.load,
        seconds=2 if options.quick else 6,
        headers={"Authorization": f"Bearer {token}"},
        may_install=options.may_install,
    )
    used = product.program.usage() - used
    if isinstance(rate, Missing):
        report.add("raw hits of the overview", None, f"missing {rate.name}: {rate.reason}")
        return
    report.add("raw hits of the overview", rate.requests_per_s, f"a second ({rate.not_2xx} refused)")
    report.add("raw hit, server CPU", 1e6 * used.cpu_s / max(1, rate.requests), "us")
