"""Raw HTTP rates by wrk, where the question is how much a server can answer and not how it feels."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.peers import Missing, debian_program
from benchmarks.harness.pinning import pinned


@dataclass(frozen=True, slots=True)
class HttpRate:
    requests: int
    requests_per_s: float
    not_2xx: int
    """Answers outside 2xx and 3xx, and broken connections; a rate with some of them is no rate."""
    p99_ms: float | None = None


def http_rate(
    url: str,
    *,
    cores: frozenset[int],
    seconds: int,
    connections: int = 32,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
    arguments: Sequence[str] = (),
    may_install: bool = False,
) -> HttpRate | Missing:
    """GET ``url`` over and over on kept-alive connections, or what the Lua ``script`` makes of it."""
    wrk = debian_program("wrk", "wrk", may_install=may_install)
    if isinstance(wrk, Missing):
        return wrk
    sent = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    run = [] if script is None else ["-s", str(script)]
    passed = ["--", *arguments] if arguments else []
    with pinned(cores):
        done = subprocess.run(
            [str(wrk), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *sent, *run, url, *passed],
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 30,
        )
    return parse_wrk(done.stdout)


def parse_wrk(text: str) -> HttpRate | Missing:
    """Read wrk's report."""
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None:
        return Missing("wrk", f"its report could not be read: {text.strip()[:200]!r}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    not_2xx = (int(bad[1]) if bad else 0) + (sum(int(count) for count in broken.groups()) if broken else 0)
    p99 = re.search(r"^\s+99%\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
    p99_ms = None if p99 is None else float(p99[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return HttpRate(int(total[1]), float(rate[1]), not_2xx, p99_ms)
