"""The page's types of events are those of the server, and a renamed event breaks its build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from steinmetz.erp.event_types import event_types, main
from tests.conformance.realtime.test_stock_client import node

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
EVENTS = WEB / "src" / "events.ts"
COMPILER = WEB / "node_modules" / "typescript" / "bin" / "tsc"

CLIENT = """
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, Refusal, Said, ServerToClientEvents } from './events';

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();
socket.on('batch:progress', ({ jobId, percent }) => console.log(jobId.toFixed(), percent.toFixed()));
socket.on('dashboard:widget:update', (update) => {
  if (update.widget === 'cash') console.log(update.data.balanceCents.toFixed());
});
socket.emit('room:join', 'batch-job:7', (answer) => console.log(answer.ok || answer.error.code));
socket.timeout(5000).emit('chat:typing', { channel: 'general' }, (late, answer) => console.log(late ?? answer.ok));
const greeting = { channel: 'general', text: 'Hallo' };
export const said: Promise<Said | Refusal> = socket.emitWithAck('chat:message', greeting);
"""

WRONG = {
    "an event that is not there": "socket.on('batch:progres', () => undefined);",
    "a field that is not there": "socket.on('batch:progress', (told) => console.log(told.precent));",
    "a payload that lacks a field": "socket.emit('chat:message', { text: 'x' }, () => undefined);",
    "a payload of another kind": "socket.emit('auth:refresh', 'token', () => undefined);",
    "an answer taken for granted": "socket.emit('chat:message', { channel: '', text: '' }, (a) => a.message.id);",
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A copy of the page's sources that can be compiled."""
    if not COMPILER.exists():
        if os.environ.get("STEINMETZ_STRICT"):
            pytest.fail(f"{COMPILER} is missing: run `python3 dev.py test`, which installs it")
        pytest.skip("web/node_modules has no TypeScript; `python3 dev.py test` installs it")
    shutil.copytree(WEB / "src", tmp_path / "src")
    shutil.copy(WEB / "tsconfig.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    return tmp_path


def compiled(page: Path) -> str:
    """What the compiler has to say; empty if all is well."""
    return subprocess.run(
        [node(), str(COMPILER), "--noEmit"], cwd=page, capture_output=True, text=True, check=False
    ).stdout


def test_the_types_in_the_page_are_those_of_the_schemas() -> None:
    assert EVENTS.read_text() == event_types(), "run: python3 dev.py types"


def test_drift_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.ts"
    assert main([str(file), "--check"]) == 1
    assert "run python3 dev.py types" in capsys.readouterr().err
    assert main([str(file)]) == 0
    assert main([str(file), "--check"]) == 0
    file.write_text(file.read_text().replace("'chat:message'", "'chat:massage'"))
    assert main([str(file), "--check"]) == 1


def test_they_compile_with_the_stock_client_and_wrong_uses_do_not(page: Path) -> None:
    (page / "src" / "client.ts").write_text(CLIENT)
    assert compiled(page) == ""
    (page / "src" / "client.ts").write_text(CLIENT + "\n".join(WRONG.values()))
    first = len(CLIENT.splitlines()) + 1
    told = compiled(page)
    lines = {int(line) for line in re.findall(r"^src/client\.ts\((\d+),", told, re.MULTILINE)}
    assert lines == set(range(first, first + len(WRONG))), told


def test_a_renamed_event_breaks_the_build_of_the_page(page: Path) -> None:
    events = page / "src" / "events.ts"
    events.write_text(events.read_text().replace("'dashboard:update'", "'dashboard:overview'"))
    told = compiled(page)
    assert "src/live/current.ts" in told
    assert "dashboard:update" in told
