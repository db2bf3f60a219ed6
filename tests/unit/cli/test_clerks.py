"""A demo life beside the server ends with it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from steinmetz.cli import clerks as module
from steinmetz.cli import traffic
from steinmetz.cli.clerks import Clerks

pytestmark = pytest.mark.anyio

PATIENT = "import sys; sys.stdin.read()"
STUBBORN = "import threading; threading.Event().wait()"


def pretend(monkeypatch: pytest.MonkeyPatch, program: str) -> list[asyncio.subprocess.Process]:
    """In place of clerks, ``program``."""
    begin, begun = asyncio.create_subprocess_exec, []

    async def begin_another(*words: str, **options: Any) -> asyncio.subprocess.Process:
        assert words[:4] == (sys.executable, "-m", "steinmetz", "traffic")
        begun.append(await begin(sys.executable, "-c", program, **options))
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", begin_another)
    return begun


async def test_they_go_home_when_they_are_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = pretend(monkeypatch, PATIENT)
    clerks = Clerks()
    await clerks.come("http://127.0.0.1:1")
    assert begun[0].returncode is None
    for _ in range(2):
        await clerks.go_home()
    assert begun[0].returncode == 0


async def test_who_does_not_listen_is_sent_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GOING_HOME_S", 0.0)
    begun = pretend(monkeypatch, STUBBORN)
    clerks = Clerks()
    await clerks.come("http://127.0.0.1:1")
    await clerks.go_home()
    assert begun[0].returncode is not None
    assert begun[0].returncode < 0


async def test_nobody_who_has_not_come_goes_home() -> None:
    await Clerks().go_home()


async def test_work_ends_when_standard_input_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Input:
        class buffer:  # noqa: N801  as of sys.stdin
            @staticmethod
            def read() -> bytes:
                return b""

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cut off")
            raise

    monkeypatch.setattr(traffic.sys, "stdin", Input)  # type: ignore[attr-defined]
    await traffic._until_eof(work())
    assert ended == ["cut off"]
