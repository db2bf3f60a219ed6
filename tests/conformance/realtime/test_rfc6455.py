"""The native door against RFC 6455 and RFC 7692, however the network cuts what a client sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from steinmetz.realtime import Config, Server
from steinmetz.realtime.server.native import NativeWebSocket
from tests.conformance.realtime.rfc6455_cases import CASES, CLOSE, MAX_PAYLOAD, Case
from tests.unit.realtime.server.frames_of import frames_in

SEEDS = range(4)


class Stream:
    """What the server says goes here."""

    def __init__(self) -> None:
        self.said = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed, "nothing is written behind the end"
        self.said += data

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def get_extra_info(self, name: str) -> None:
        """There is no socket below."""

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


class Application:
    """As much of a client as a transport needs."""

    max_message = MAX_PAYLOAD

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.failures = 0

    def receive(self, message: str | bytes, _source: Any) -> None:
        self.heard.append(message)

    def transport_failed(self, transport: Any, code: Any) -> None:
        self.failures += 1
        transport.close(code)


def run(case: Case, reads: Iterator[bytes]) -> tuple[Application, Stream]:
    application, stream = Application(), Stream()
    server = Server(Config(max_payload=MAX_PAYLOAD, deflate_threshold=100 if case.deflates else None))
    turns: deque[Callable[[], None]] = deque()
    server.call_soon = turns.append  # type: ignore[assignment, method-assign]  # the rest of a large read
    websocket: Any = NativeWebSocket(server, stream, set(), deflates=case.deflates)  # type: ignore[arg-type]
    websocket.client = application
    for read in reads:
        if stream.is_closed:
            break
        websocket.data_received(read)
        while turns:
            turns.popleft()()
    return application, stream


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        yield data[at : at + 1]


def at_random(data: bytes, seed: int) -> Iterator[bytes]:
    random, at = Random(seed), 0
    while at < len(data):
        size = random.choice((1, 2, 3, 5, 8, 40, 400))
        yield data[at : at + size]
        at += size


def check(case: Case, reads: Iterator[bytes]) -> None:
    application, stream = run(case, reads)
    assert tuple(application.heard) == case.heard
    said = [(first & 0x0F, payload) for first, payload in frames_in(stream.said)]
    assert all(first & 0xF0 == 0x80 for first, _ in frames_in(stream.said))
    closing = [] if case.closed is None else [(CLOSE, case.closed.to_bytes(2, "big"))]
    assert said == [*case.answers, *closing]
    assert application.failures == (case.closed is not None)
    is_echoed = any(opcode == CLOSE for opcode, _ in case.answers)
    assert not is_echoed or stream.is_closed


def named(case: Case) -> str:
    return f"{case.section}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_in_one_read(case: Case) -> None:
    check(case, whole(case.sent))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_byte_by_byte(case: Case) -> None:
    check(case, byte_by_byte(case.sent))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_cut_at_random(case: Case) -> None:
    for seed in SEEDS:
        check(case, at_random(case.sent, seed))


def test_there_are_enough_of_them_and_each_says_something_of_its_own() -> None:
    assert len(CASES) >= 60
    assert len({(case.section, case.name) for case in CASES}) == len(CASES)
