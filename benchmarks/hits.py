"""How much CPU time does a hit cost, natively and through ASGI, beside nginx, Varnish and other Python caches?

One core for the servers, another for wrk; 4 KB of JSON; ten header fields as a browser sends them; everything
checked and every side writing an access log. The rounds take turns, and what counts is CPU time per answer of the
server's whole process tree, so that a busy machine hits all alike. "At first sight" means that each request has a
field that no request before it had. Beside nginx a Bearer token is part of the key, which is the only safe thing
it can do; the product proves the caller, applies rate limits and gives the answer of his role.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.harness.confidence import median, ratio_of_medians
from benchmarks.harness.http_caches import nginx, varnish
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from benchmarks.harness.product import ROOT
from benchmarks.harness.report import Report, at_least
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.wrk import HttpRate, http_rate

SEED = 20260302
SCRIPT = ROOT / "benchmarks" / "load" / "browser.lua"
PEERS = ROOT / "benchmarks" / "harness" / "hits_peers.py"
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3Iiwic2lkIjoiYjFkNzY4ZWYiLCJ2ZXIiOjEsImlhdCI6MTc3MjQ0MjAwMH0."
    "l3bZb8nGcCkV7kVnZkq0o2m7gqkq8yqk3m1sUu5oW9k"
)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
UVICORN = ("uvicorn[standard]==0.54.0",)
PYTHON_PEERS = {
    "litestar": ("litestar", *UVICORN),
    "cashews": ("cashews", "fastapi", *UVICORN),
    "fastapi-cache2": ("fastapi-cache2", "fastapi", "jinja2", *UVICORN),
    "aiocache": ("aiocache", "fastapi", *UVICORN),
}


@dataclass(frozen=True, slots=True)
class Form:
    rounds: int
    seconds: int
    peers: bool = True


FULL, QUICK = Form(rounds=7, seconds=2), Form(rounds=2, seconds=1, peers=False)


@dataclass(frozen=True, slots=True)
class Side:
    """One server and what is asked of it."""

    programs: list[Program]
    url: str
    headers: dict[str, str]
    first_sight: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    cpu_us: float
    p99_ms: float


def run(options: Options) -> Report:
    """Raises `StartError` when the product does not stand or refuses requests."""
    form, report = QUICK if options.quick else FULL, Report()
    with ExitStack() as stack:
        sides = _sides(stack, form, options, report)

        def turn(side: Side) -> Callable[[], Taken]:
            return lambda: _measured(side, form, options)

        found = interleaved(form.rounds, {name: turn(side) for name, side in sides.items()}, options.say)
    for name, rounds in found.items():
        report.add(f"{name}, CPU", median([each.cpu_us for each in rounds]), "us an answer")
        report.add(f"{name}, p99 under load", median([each.p99_ms for each in rounds]), "ms")
    for row in ("public", "bearer"):
        _target(report, found, f"native, {row}", f"nginx, {row}", 1.3)
        _target(report, found, f"native, {row}, first sight", f"nginx, {row}, first sight", 0.9)
        _target(report, found, f"ASGI, {row}", f"raw ASGI, {row}", 0.8)
    report.notes.append(
        f"{form.rounds} rounds of {form.seconds} s, 32 connections, medians; a ratio is CPU time an answer of the "
        "second over that of the first, its interval from 2,000 resamples of rounds"
    )
    return report


def _target(report: Report, found: dict[str, list[Taken]], ours: str, theirs: str, bound: float) -> None:
    if ours not in found or theirs not in found:
        return
    ratio = ratio_of_medians(
        [[each.cpu_us] for each in found[theirs]], [[each.cpu_us] for each in found[ours]], Random(SEED)
    )
    name = f"{ours}: times {theirs.split(',')[0]}"
    report.add(name, ratio.value, f"x (95 %: {ratio.low:.3g} to {ratio.high:.3g})")
    report.targets.append(at_least(name, ratio.value, bound, "x"))


def _measured(side: Side, form: Form, options: Options) -> Taken:
    before = _cpu_s(side.programs)
    rate = http_rate(
        side.url,
        cores=options.cores.load,
        seconds=form.seconds,
        headers=side.headers,
        script=SCRIPT,
        arguments=["first"] if side.first_sight else ["again"],
        may_install=options.may_install,
    )
    if isinstance(rate, Missing):
        raise StartError(f"{rate.name}: {rate.reason}")
    if rate.not_2xx or not rate.requests:
        raise StartError(f"{side.url} answered {rate.requests} requests, and {rate.not_2xx} of them not well")
    return Taken(1e6 * (_cpu_s(side.programs) - before) / rate.requests, _p99(rate))


def _cpu_s(programs: list[Program]) -> float:
    return sum(program.usage().cpu_s for program in programs)


def _p99(rate: HttpRate) -> float:
    return rate.p99_ms if rate.p99_ms is not None else float("nan")


# ---- The servers ---------------------------------------------------------------------------------------------


def _sides(stack: ExitStack, form: Form, options: Options, report: Report) -> dict[str, Side]:
    cores, sides = options.cores.server, dict[str, Side]()
    served = {mode: stack.enter_context(_product(mode, cores)) for mode in ("native", "asgi", "raw")}
    for row, path, headers in (("public", "/public", {}), ("bearer", "/roles", BEARER)):
        for mode, name in (("native", "native"), ("asgi", "ASGI"), ("raw", "raw ASGI")):
            program, port = served[mode]
            sides[f"{name}, {row}"] = Side([program], f"http://127.0.0.1:{port}{path}", headers)
        program, port = served["native"]
        url = f"http://127.0.0.1:{port}{path}"
        sides[f"native, {row}, first sight"] = Side([program], url, headers, first_sight=True)
    origin = served["raw"][1]
    proxy = stack.enter_context(nginx(origin, cores=cores, may_install=options.may_install))
    if isinstance(proxy, Missing):
        _missing(report, proxy)
    else:
        program, port = proxy
        for row, path, headers in (("public", "/public", {}), ("bearer", "/roles", BEARER)):
            url = f"http://127.0.0.1:{port}{path}"
            sides[f"nginx, {row}"] = Side([program], url, headers)
            sides[f"nginx, {row}, first sight"] = Side([program], url, headers, first_sight=True)
    if form.peers:
        _add_peers(stack, options, report, origin, sides)
    return sides


def _add_peers(stack: ExitStack, options: Options, report: Report, origin: int, sides: dict[str, Side]) -> None:
    cores = options.cores.server
    tuned = stack.enter_context(nginx(origin, cores=cores, may_install=options.may_install, keeps_files_open=True))
    if not isinstance(tuned, Missing):
        sides["nginx with open_file_cache, public"] = Side([tuned[0]], f"http://127.0.0.1:{tuned[1]}/public", {})
    accelerator = stack.enter_context(varnish(origin, cores=cores, may_install=options.may_install))
    if isinstance(accelerator, Missing):
        _missing(report, accelerator)
    else:
        programs, port = accelerator
        sides["varnish, public"] = Side(programs, f"http://127.0.0.1:{port}/public", {})
    for name, requirements in PYTHON_PEERS.items():
        options.say(f"getting {name}")
        python = python_packages(name, requirements)
        if isinstance(python, Missing):
            _missing(report, python)
            continue
        command, port = [str(python), str(PEERS), name], free_port()
        program, port = stack.enter_context(_serving(name, command, cores, port))
        sides[f"{name}, public"] = Side([program], f"http://127.0.0.1:{port}/public", {})


def _missing(report: Report, missing: Missing) -> None:
    report.add(missing.name, None, f"missing: {missing.reason}")


@contextmanager
def _product(mode: str, cores: frozenset[int]) -> Iterator[tuple[Program, int]]:
    command = [sys.executable, "-m", "benchmarks.harness.hits_server", mode]
    with _serving(f"hits-{mode}", command, cores, free_port()) as served:
        yield served


@contextmanager
def _serving(name: str, command: list[str], cores: frozenset[int], port: int) -> Iterator[tuple[Program, int]]:
    log: Path = CACHE / "run" / name / "server.log"
    with Program([*command, str(port)], log=log, cores=cores, cwd=ROOT) as program:
        program.wait_until(answers(f"http://127.0.0.1:{port}/public"))
        yield program, port
