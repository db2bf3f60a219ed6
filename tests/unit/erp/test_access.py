"""The straight way of an access log line writes what the long way through structlog does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from steinmetz.clock import FakeClock
from steinmetz.erp.access import AccessLog, KeptLine, address_json, request_line
from steinmetz.erp.logging import configure_logging, json_stream

pytestmark = pytest.mark.anyio
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = []


def line(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "method": "GET", "route": "/a/{id}", "path": "/a/7", "status": 200, "duration_ms": 0.25, "size": 4,
        "bytes_in": 0, "cache": "HIT", "user": "user:7", "address": "192.0.2.1", "agent": "browser/1",
        "request_id": "r-1",
    }  # fmt: skip
    return request_line(**said | changes)


HARMLESS = line()
NOBODY = line(user=None, route=None, cache=None, address=None, agent="")
HOSTILE = line(
    path='/"\\\n\x00\u202e' + "y" * 500,
    agent="a\x1b[2J\xff" + "x" * 500,
    address='"}\n\u2028' + "1" * 90,
    method="G" * 30,
)
HALF = line(path="/\ud800")


@pytest.mark.parametrize("said", [HARMLESS, NOBODY, HOSTILE, HALF])
def test_a_line_is_the_one_that_structlog_writes(capsys: Capture, said: dict[str, Any]) -> None:
    configure_logging("info", "json")
    AccessLog(FakeClock()).write(said)
    structlog.get_logger("steinmetz.access").info("Request", **said)
    straight, long = (json.loads(text) for text in capsys.readouterr().err.splitlines())
    assert list(straight) == list(long)
    assert {**straight, "timestamp": ""} == {**long, "timestamp": ""}
    if said is not HALF:
        assert straight["timestamp"] == "2026-03-02T09:00:00Z"


@pytest.mark.parametrize("said", [HARMLESS, NOBODY, HOSTILE])
async def test_the_line_of_a_kept_answer_is_the_same_and_they_are_written_together(
    capsys: Capture, said: dict[str, Any]
) -> None:
    configure_logging("info", "json")
    access, kept = AccessLog(FakeClock()), KeptLine(said)
    for _ in range(3):
        access.write_kept(kept, 0.25, address_json(said["address"]), "r-1")
    assert capsys.readouterr().err == ""
    await asyncio.sleep(0)
    access.write(said)
    *together, alone = (json.loads(text) for text in capsys.readouterr().err.splitlines())
    assert together == [alone] * 3
    assert [list(one) for one in together] == [list(alone)] * 3


async def test_lines_keep_their_order(capsys: Capture) -> None:
    configure_logging("info", "json")
    access = AccessLog(FakeClock())
    access.write_kept(KeptLine(HARMLESS), 1, address_json(None), "first")
    access.write(line(request_id="second"))
    written = [json.loads(text)["request_id"] for text in capsys.readouterr().err.splitlines()]
    assert written == ["first", "second"]


@pytest.mark.parametrize(("level", "style"), [("warning", "json"), ("info", "text")])
async def test_another_level_or_form_goes_the_long_way(capsys: Capture, level: str, style: str) -> None:
    configure_logging(level, style)
    assert json_stream() is None
    access = AccessLog(FakeClock())
    access.write(HARMLESS)
    access.write_kept(KeptLine(HARMLESS), 1, address_json(None), "r-2")
    written = capsys.readouterr().err.splitlines()
    assert ["r-" in text for text in written] == ([] if level == "warning" else [True, True])


async def test_whoever_captures_the_log_sees_them() -> None:
    configure_logging("info", "json")
    access = AccessLog(FakeClock())
    with capture_logs() as seen:
        access.write(HARMLESS)
        access.write_kept(KeptLine(HARMLESS), 0.1234, address_json("192.0.2.9"), "r-2")
    assert [(one["request_id"], one["address"], one["duration_ms"]) for one in seen] == [
        ("r-1", "192.0.2.1", 0.25),
        ("r-2", "192.0.2.9", 0.123),
    ]
