"""How long does a commit take to reach everybody who has subscribed to what it changes?

The product, with N clients (load/socketio_load.c) that have subscribed to the overview, hears one payment after
the other, each when all have heard the one before. The time counts from the end of the COMMIT, stamped in the
server, to the arrival of `live:update` at each client. Beside it stands a bare loop of `os.write` to as many
sockets, with one frame of the bytes that a commit sends to a client: the floor. Both have their turns in one run,
and rest as long between two events, for an idle connection costs the kernel more than a busy one. Computations
are the server's own count (/metrics).
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.fanout import EVENT as RAW_EVENT
from benchmarks.fanout import PEERS, PORT, crowd
from benchmarks.harness.options import Options
from benchmarks.harness.pinning import pinned
from benchmarks.harness.processes import StartError
from benchmarks.harness.product import Product, seeded_company, served
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.socketio_load import Arrivals, SocketIOLoad
from steinmetz.clock import SystemClock
from steinmetz.erp.traffic import client as traffic
from steinmetz.erp.traffic.calls import Call
from steinmetz.erp.traffic.company import Role
from steinmetz.erp.traffic.model import OVERVIEW
from steinmetz.erp.traffic.wire import Connection

EVENT = "live:update"
REST_S = 0.05
"""Between two commits, so that each is heard alone; 25 a second of one answer are computed at most."""
ROUNDS = 10
"""In each of them the product has its commits, and then the raw loop its events."""
RAW_EVENTS = 100
HEARD_WITHIN_S = 20.0
A_USER = 250
"""Clients of one user: so many may subscribe, and leave a room, at once."""
ROOM = "dashboard-room"
"""Everybody is in it and hears of the overview in words of its own; these clients leave it."""
COMPUTATIONS, PATCHES = "steinmetz_live_computations_total", 'steinmetz_live_told_total{what="patches"}'
INVOICES = 100
"""That are paid in turn, a cent each time."""
ADMINISTRATOR = traffic.Account("admin@steinmetz.example", "steinmetz-demo")
PASSWORD = "steinmetz-demo-1"
BOUNDS_MS = {1_000: 50, 10_000: 150}
MOST_TIMES_RAW = 1.5


@dataclass(frozen=True, slots=True)
class Form:
    commits: dict[int, int]
    """By the number of subscribers."""


FULL = Form({1_000: 1_000, 10_000: 300})
QUICK = Form({1_000: 150})


@dataclass(slots=True)
class Heard:
    """Commits, one after the other, before many subscribers."""

    arrivals: Arrivals = field(default_factory=Arrivals)
    raw: Arrivals = field(default_factory=Arrivals)
    """From the first call of a bare send loop to the arrival at each client."""
    missed: int = 0
    commits: int = 0
    computations: int = 0
    all_commits: int = 0
    """With those of the server's own chores."""
    patches: int = 0
    bytes_a_client: float = 0.0
    cpu_ms: float = 0.0


def run(options: Options) -> Report:
    """Raises `StartError` when the product does not stand, or refuses somebody."""
    report = Report()
    options.say("seeding the company")
    company = seeded_company()
    for subscribers, commits in (QUICK if options.quick else FULL).commits.items():
        try:
            heard = _product(company, subscribers, commits, options)
        except traffic.TrafficError as error:
            raise StartError(str(error)) from error
        _report(report, subscribers, heard)
    return report


def _report(report: Report, subscribers: int, heard: Heard) -> None:
    at, raw = f"at {subscribers:,} subscribers", heard.raw
    p99_ms, raw_ms = heard.arrivals.quantile_ms(0.99), raw.quantile_ms(0.99)
    report.add(f"payments {at}", heard.commits, f"of {heard.all_commits} commits")
    report.add(f"commit to client {at}, p50", heard.arrivals.quantile_ms(0.5), "ms")
    report.add(f"commit to client {at}, p99", p99_ms, "ms")
    report.add(f"raw send loop {at}, p50", raw.quantile_ms(0.5), "ms")
    report.add(f"raw send loop {at}, p99", raw_ms, "ms")
    report.add(f"sent to a client a commit {at}", heard.bytes_a_client, "bytes")
    report.add(f"as a patch {at}", 100 * heard.patches / heard.commits, "% of the updates")
    report.add(f"server CPU a commit {at}", heard.cpu_ms, "ms")
    report.add(f"computations a commit {at}", heard.computations / heard.all_commits, "")
    report.targets += [
        at_most(f"commit to client {at}, p99", p99_ms, BOUNDS_MS[subscribers], "ms"),
        at_most(f"updates not heard everywhere {at}", heard.missed, 0),
        at_most(f"computations a commit {at}", heard.computations / heard.all_commits, 1),
    ]
    if subscribers == max(BOUNDS_MS):
        report.targets.append(at_most(f"times the raw send loop {at}, p99", p99_ms / raw_ms, MOST_TIMES_RAW, "x"))


# ---- The product


def _product(company: Path, subscribers: int, commits: int, options: Options) -> Heard:
    options.say(f"{subscribers:,} clients subscribe")
    with (
        served(company, name="live", cores=options.cores.server) as product,
        pinned(options.cores.load),
        SocketIOLoad(product.port, cores=options.cores.load) as load,
        crowd("live-raw", [sys.executable, PEERS, "raw", PORT], subscribers, options) as (_, raw),
    ):
        raw.timed(RAW_EVENT)
        return asyncio.run(_subscribed(product, load, raw, subscribers, commits, options))


async def _subscribed(
    product: Product, load: SocketIOLoad, raw: SocketIOLoad, subscribers: int, commits: int, options: Options
) -> Heard:
    for number in range(0, subscribers, A_USER):
        token = await _clerk(product, number)
        load.show({"token": token})
        connected = load.connect(A_USER, within_s=60)
        if connected.failed:
            raise StartError(f"{connected.failed} clients did not connect: {connected.error}")
        load.expect("(ack)", 2 * A_USER, HEARD_WITHIN_S)
        for client in range(number, number + A_USER):
            load.send(f'420["live:subscribe",{{"path":"{OVERVIEW.path}"}}]', who=client)
            load.send(f'421["room:leave","{ROOM}"]', who=client)
        if not load.reached()[0]:
            raise StartError("not every subscription was acknowledged")
    if (open_now := _metric(product, "steinmetz_live_subscriptions")) != subscribers:
        raise StartError(f"of {subscribers:,} subscriptions {open_now:,.0f} were accepted")
    door = traffic.Door(product.url, traffic.DEMO_ACCOUNTS, SystemClock())
    with _closing(door) as connection:
        listing = Call("GET /api/invoices", f"/api/invoices?status=sent&status=overdue&limit={INVOICES}")
        reply, _ = await door.call(connection, Role.CLERK, listing)
        return await _pay(product, load, raw, door, connection, reply.data, subscribers, commits, options)


async def _clerk(product: Product, number: int) -> str:
    """A new clerk's token."""
    administrator = traffic.Door(product.url, {Role.MANAGER: ADMINISTRATOR}, SystemClock())
    email = f"screens{number}@example.com"
    new = {"email": email, "name": f"Screens {number}", "role": "clerk", "password": PASSWORD}
    with _closing(administrator) as connection:
        reply, _ = await administrator.call(connection, Role.MANAGER, Call("POST", "/api/users", new))
    if reply.status != 201:
        raise StartError(f"a clerk could not be made: {reply.status} {reply.document}")
    clerk = traffic.Door(product.url, {Role.CLERK: traffic.Account(email, PASSWORD)}, SystemClock())
    return await clerk.token(Role.CLERK)


@contextmanager
def _closing(door: traffic.Door) -> Iterator[Connection]:
    connection = door.connection()
    try:
        yield connection
    finally:
        connection.close()


async def _pay(
    product: Product,
    load: SocketIOLoad,
    raw: SocketIOLoad,
    door: traffic.Door,
    connection: Connection,
    invoices: list[dict[str, Any]],
    subscribers: int,
    commits: int,
    options: Options,
) -> Heard:
    """Pay a cent of one invoice after the other, and let the raw loop say as much in between."""
    heard, cpu_s = Heard(), 0.0
    for which in range(2):  # everything is warm then
        bytes_in = load.stats()["bytesIn"]
        await _pay_one(product, load, door, connection, invoices, which, subscribers, Heard())
    size = (load.stats()["bytesIn"] - bytes_in) // subscribers
    _tell_raw(raw, size, subscribers, Arrivals())
    counted = product.probed()
    bytes_in = load.stats()["bytesIn"]
    computations, patches = _metric(product, COMPUTATIONS), _metric(product, PATCHES)
    for round_ in range(ROUNDS):
        options.say(f"commit {round_ * commits // ROUNDS:,} of {commits:,} before {subscribers:,} subscribers")
        used = product.program.usage()
        for number in range(round_ * commits // ROUNDS, (round_ + 1) * commits // ROUNDS):
            await asyncio.sleep(REST_S)
            await _pay_one(product, load, door, connection, invoices, number % len(invoices), subscribers, heard)
        cpu_s += (product.program.usage() - used).cpu_s
        for _ in range(min(commits, RAW_EVENTS) // ROUNDS):
            await asyncio.sleep(REST_S)
            _tell_raw(raw, size, subscribers, heard.raw)
    heard.commits = commits
    heard.all_commits = len(product.probed().since(counted).commits_ns)
    heard.computations = int(_metric(product, COMPUTATIONS) - computations)
    heard.patches = int(_metric(product, PATCHES) - patches)
    heard.bytes_a_client = (load.stats()["bytesIn"] - bytes_in) / commits / subscribers
    heard.cpu_ms = 1000 * cpu_s / commits
    return heard


async def _pay_one(
    product: Product,
    load: SocketIOLoad,
    door: traffic.Door,
    connection: Connection,
    invoices: list[dict[str, Any]],
    which: int,
    subscribers: int,
    heard: Heard,
) -> None:
    """Raises `StartError` when the payment is refused, for then nothing is measured."""
    invoice = invoices[which]
    path = f"/api/invoices/{invoice['id']}/pay"
    load.expect(EVENT, subscribers, HEARD_WITHIN_S)
    reply, answer = await door.call(
        connection, Role.CLERK, Call("POST", path, {"version": invoice["version"], "amountCents": 1})
    )
    everywhere, _ = load.reached()
    if not reply.is_good:
        raise StartError(f"{path} was refused with status {reply.status}: {reply.document}")
    invoices[which] = {**invoice, "version": reply.document["data"]["version"]}
    commits_ns = product.probed().commits_ns
    commit_ns = next((stamp for stamp in reversed(commits_ns) if answer.sent_ns <= stamp <= answer.ended_ns), None)
    if commit_ns is None:
        raise StartError(f"the probe saw no commit while {path} was under way")
    heard.missed += not everywhere
    load.arrivals(EVENT, commit_ns, heard.arrivals)


def _metric(product: Product, name: str) -> float:
    with urlopen(f"{product.url}/metrics", timeout=10) as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    if found is None:
        raise StartError(f"/metrics does not tell {name}")
    return float(found[1])


# ---- The floor


def _tell_raw(raw: SocketIOLoad, size: int, subscribers: int, into: Arrivals) -> None:
    """One event of ``size`` bytes to each."""
    raw.expect(RAW_EVENT, subscribers, HEARD_WITHIN_S)
    raw.send(f'42["tell",{size}]', who=0)
    if not raw.reached()[0]:
        raise StartError("the raw send loop lost an event")
    raw.arrivals(RAW_EVENT, 0, into)
