"""How many events that want an acknowledgement does one core take in, in a burst and one at a time?

One core for the server, another for the load: 50 clients that have shown a JWT. In a burst each writes all its
events before it reads; with one outstanding each waits for an acknowledgement before the next event. What counts
is CPU time of the server per event, so that a busy machine hits all alike; "per core-second" is its inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from benchmarks.harness.confidence import median, ratio_of_medians
from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_least
from benchmarks.harness.rounds import interleaved
from benchmarks.harness.socketio_load import LoadClientError, SocketIOLoad
from benchmarks.harness.sockets import NODE, OURS, PYTHON, Running, connect, servers

SEED = 20260302
CLIENTS = 50
PATIENCE_S = 120.0
MESSAGE = '["{event}",{{"room":"sales","text":"The order of Meyer & Sons has left the house."}}]'


@dataclass(frozen=True, slots=True)
class Form:
    """Events of each client a turn, which must keep a server busy for some tenths of a second: CPU time is counted
    in hundredths."""

    rounds: int
    burst: int
    roundtrips: int

    def for_a_slow_one(self) -> Form:
        """As much of a server's time with fewer events."""
        return Form(self.rounds, self.burst // 6, self.roundtrips // 6)


FULL = Form(rounds=9, burst=2_400, roundtrips=1_200)
QUICK = Form(rounds=3, burst=1_500, roundtrips=700)
KINDS = {"burst": "say", "one outstanding": "say", "burst, coroutine handler": "ask"}


def run(options: Options) -> Report:
    """Raises `StartError`, and `LoadClientError` when events stay unanswered."""
    form, report = QUICK if options.quick else FULL, Report()
    sides = servers(options)
    with ExitStack() as stack:
        turns: dict[str, Callable[[], float]] = {}
        for name in (OURS, NODE, PYTHON):
            if name not in sides.found:
                continue
            options.say(f"starting {name}")
            server = stack.enter_context(sides.found[name]())
            load = stack.enter_context(server.load(options.cores.load))
            connect(load, CLIENTS)
            amount = form.for_a_slow_one() if name == PYTHON else form
            for kind in KINDS:
                _measured(server, load, kind, amount)  # warm: Node compiles what is hot
                turns[f"{name}, {kind}"] = _turn(server, load, kind, amount)
        found = interleaved(form.rounds, turns, options.say)
    for name, rounds in found.items():
        report.add(name, 1e6 / median(rounds), "events and acks per core-second")
    for missing in sides.missing:
        if missing.name in (NODE, PYTHON):
            report.add(missing.name, None, f"missing: {missing.reason}")
    for kind in KINDS:
        if f"{NODE}, {kind}" not in found:
            continue
        ratio = ratio_of_medians(
            [[each] for each in found[f"{NODE}, {kind}"]],
            [[each] for each in found[f"{OURS}, {kind}"]],
            Random(SEED),
        )
        report.add(f"{kind}: times Node", ratio.value, f"x (95 %: {ratio.low:.3g} to {ratio.high:.3g})")
        if kind in ("burst", "one outstanding"):
            report.targets.append(at_least(f"{kind}: times Node", ratio.value, 1.0, "x"))
    report.notes.append(f"{form.rounds} rounds, medians; {CLIENTS} clients, 83 bytes an event")
    return report


def _turn(server: Running, load: SocketIOLoad, kind: str, form: Form) -> Callable[[], float]:
    return lambda: _measured(server, load, kind, form)


def _measured(server: Running, load: SocketIOLoad, kind: str, form: Form) -> float:
    """CPU microseconds of the server an event."""
    text = "421" + MESSAGE.format(event=KINDS[kind])
    is_burst = kind != "one outstanding"
    times = form.burst if is_burst else form.roundtrips
    before = server.usage()
    load.expect("(ack)", CLIENTS * times, PATIENCE_S)
    if is_burst:
        load.send(text, times=times)
    else:
        load.roundtrip(text, times=times)
    is_complete, have = load.reached()
    if not is_complete:
        raise LoadClientError(f"{have} of {CLIENTS * times} events were acknowledged")
    return 1e6 * (server.usage() - before).cpu_s / (CLIENTS * times)
