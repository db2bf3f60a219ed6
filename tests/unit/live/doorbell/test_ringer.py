"""Who writes tells everybody in time, waits for nobody for ever, and is believed on nothing he did not say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from steinmetz.live.doorbell import Bell, Place, Ringer
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import hook

from .conftest import ANYTHING, INVOICES, Notebook, eventually

MARKED, BUMPED, UNMARKED = ("mark", INVOICES), ("bump", INVOICES), ("unmark", INVOICES)

Ringers = Callable[..., Ringer]


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def ringers(place: Place, warnings: list[str]) -> Iterator[Ringers]:
    made: list[Ringer] = []

    def make(patience_s: float = 10.0, at: Place = place) -> Ringer:
        made.append(Ringer(at, who="steinmetz test", patience_s=patience_s, warn=warnings.append))
        return made[-1]

    yield make
    for ringer in made:
        ringer.close()


@pytest.fixture
def ringer(ringers: Ringers) -> Ringer:
    return ringers()


def test_alone_nothing_happens(ringer: Ringer, warnings: list[str]) -> None:
    ringer.bump(ringer.mark(INVOICES))
    ringer.unmark(ringer.mark(INVOICES))
    ringer.say({})
    assert ringer.neighbours() == []
    assert warnings == []


def test_a_mark_has_been_heard_when_it_returns_and_so_has_a_bump(
    ringer: Ringer, bell: Bell, notebook: Notebook
) -> None:
    token = ringer.mark(INVOICES)
    assert notebook.lines == [MARKED]
    ringer.bump(token)
    assert notebook.lines == [MARKED, BUMPED]
    assert notebook.causes == [f"steinmetz test ({os.getpid()})"]
    ringer.unmark(ringer.mark(INVOICES))
    assert notebook.lines[2:] == [MARKED, UNMARKED]


def test_everybody_is_told_but_oneself(place: Place, warnings: list[str]) -> None:
    books = [Notebook(), Notebook(), Notebook()]
    bells = [Bell(place, book) for book in books]
    for bell in bells:
        bell.open()
    ringer = Ringer(place, who="a server", own=bells[0].name)
    ringer.bump(ringer.mark(INVOICES))
    assert [book.lines for book in books] == [[], [MARKED, BUMPED], [MARKED, BUMPED]]
    assert ringer.neighbours() == [str(os.getpid())] * 2
    ringer.close()
    for bell in bells:
        bell.close()
        assert bell.lost == 0


def test_a_server_that_comes_up_between_mark_and_bump_hears_of_the_commit(
    ringer: Ringer, place: Place, notebook: Notebook
) -> None:
    token = ringer.mark(INVOICES)
    bell = Bell(place, notebook)
    bell.open()
    ringer.bump(token)
    assert notebook.lines == [MARKED, BUMPED]
    bell.close()


def test_a_server_that_comes_up_before_a_rollback_need_not_know(
    ringer: Ringer, place: Place, notebook: Notebook
) -> None:
    token = ringer.mark(INVOICES)
    bell = Bell(place, notebook)
    bell.open()
    ringer.unmark(token)
    assert notebook.lines == []
    bell.close()


def test_a_server_that_went_away_holds_nobody_up(ringer: Ringer, place: Place, notebook: Notebook) -> None:
    bell = Bell(place, notebook)
    bell.open()
    token = ringer.mark(INVOICES)
    bell.close()
    ringer.bump(token)
    ringer.bump(ringer.mark(INVOICES))
    assert notebook.lines[:2] == [MARKED, BUMPED]
    assert ringer.neighbours() == []


def test_a_server_that_cut_the_line_after_the_mark_still_hears_of_the_commit(
    ringer: Ringer, bell: Bell, notebook: Notebook
) -> None:
    token = ringer.mark(INVOICES)
    for line in ringer._lines.values():  # what a fault on the way would do
        line.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: notebook.lines[-1:] == [("bump", ANYTHING)])  # what the cut line leaves has been heard
    assert bell.lost == 1
    before = len(notebook.lines)
    ringer.bump(token)
    assert notebook.lines[before:] == [MARKED, BUMPED]


def test_the_socket_of_a_dead_server_is_removed(ringer: Ringer, place: Place) -> None:
    place.prepare()
    dead = place.folder / "1-dead.sock"
    with socket.socket(socket.AF_UNIX) as door, place.address(dead.name) as address:
        door.bind(address)
    ringer.bump(ringer.mark(INVOICES))
    assert not dead.exists()


def test_a_server_on_another_database_is_not_told(
    ringers: Ringers, place: Place, bell: Bell, notebook: Notebook
) -> None:
    other = ringers(at=Place(place.folder, "sqlite:/b.db"))
    for _ in range(3):
        other.bump(other.mark(INVOICES))
    assert other.neighbours() == []
    assert notebook.lines == []


def test_a_hanging_server_holds_a_writer_up_once_and_learns_all_of_it_later(
    ringers: Ringers, bell: Bell, notebook: Notebook, warnings: list[str]
) -> None:
    notebook.gate = threading.Event()
    ringer = ringers(patience_s=0.05)
    first = ringer.mark(INVOICES)
    assert len(warnings) == 1
    assert f"process {os.getpid()} does not answer" in warnings[0]
    ringer.patience_s = 1_000  # whoever waits for it now, waits for ever
    ringer.bump(first)
    ringer.bump(ringer.mark(ANYTHING))
    notebook.gate.set()
    eventually(lambda: len(notebook.lines) == 5)
    assert notebook.lines == [MARKED, BUMPED, ("mark", ANYTHING), ("schema", None), ("bump", ANYTHING)]

    notebook.gate = None
    eventually(lambda: not (ringer.neighbours() and any(line.is_late for line in ringer._lines.values())))
    ringer.bump(ringer.mark(INVOICES))
    assert notebook.lines[5:] == [MARKED, BUMPED]
    assert len(warnings) == 1


def test_a_writer_who_ends_before_a_hanging_server_has_heard_leaves_a_doubt(
    ringers: Ringers, bell: Bell, notebook: Notebook
) -> None:
    notebook.gate = threading.Event()
    ringer = ringers(patience_s=0.05)
    token = ringer.mark(INVOICES)
    ringer.bump(token)
    ringer.close()
    notebook.gate.set()
    eventually(lambda: notebook.lines[-1:] == [("bump", ANYTHING)])
    assert bell.lost == 1
    assert notebook.lines[:1] == [MARKED]


def test_a_server_whose_socket_is_full_is_cut_off(ringers: Ringers, place: Place, warnings: list[str]) -> None:
    place.prepare()
    with socket.socket(socket.AF_UNIX) as door, place.address("1-a.sock") as address:
        door.bind(address)
        door.listen()  # and nobody ever accepts
        ringer = ringers(patience_s=0.05)
        for _ in range(3_000):
            ringer.bump(ringer.mark(INVOICES))
        assert len(warnings) == 1


def test_announcements_come_after_the_commits_before_them_and_before_the_end(
    ringer: Ringer, bell: Bell, notebook: Notebook, warnings: list[str]
) -> None:
    ringer.bump(ringer.mark(INVOICES))
    ringer.say({"event": "x"})
    ringer.say("x" * 2_000_000)
    ringer.close()
    assert notebook.lines == [MARKED, BUMPED, ("said", {"event": "x"})]
    assert "could not be passed on" in warnings[0]
    eventually(lambda: bell.heard == 5)
    assert bell.lost == 0


def test_a_folder_that_cannot_be_looked_into_is_named(
    ringers: Ringers, tmp_path: Path, warnings: list[str]
) -> None:
    (tmp_path / "file").touch()
    ringer = ringers(at=Place(tmp_path / "file" / "bells", "x"))
    ringer.bump(ringer.mark(INVOICES))
    assert len(warnings) == 1
    assert "cannot be looked for" in warnings[0]


@pytest.mark.parametrize("answer", [b"", b"\x00\x00\x00\x02{}", b"\xff\xff\xff\xff"])
def test_a_server_that_answers_nonsense_is_no_hindrance(ringers: Ringers, place: Place, answer: bytes) -> None:
    place.prepare()
    with socket.socket(socket.AF_UNIX) as door, place.address("1-a.sock") as address:
        door.bind(address)
        door.listen()

        def answering() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = door.accept()
                    with line:
                        line.recv(4_096)
                        line.sendall(answer)

        thread = threading.Thread(target=answering)
        thread.start()
        ringer = ringers()
        ringer.bump(ringer.mark(INVOICES))
        assert ringer._lines == {}
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


# On an event loop


@pytest.mark.anyio
async def test_the_loop_goes_on_while_a_greenlet_waits_for_a_neighbour(
    ringer: Ringer, bell: Bell, notebook: Notebook
) -> None:
    notebook.gate = threading.Event()
    marking = asyncio.ensure_future(greenlet_spawn(ringer.mark, INVOICES))
    while bell.heard < 2:  # only a loop that goes on gets here
        await asyncio.sleep(0)
    assert not marking.done()
    notebook.gate.set()
    await greenlet_spawn(ringer.bump, await marking)
    assert notebook.lines == [MARKED, BUMPED]


@pytest.mark.anyio
async def test_t7_a_cancellation_waits_for_the_neighbour_and_is_not_lost(
    ringer: Ringer, bell: Bell, notebook: Notebook
) -> None:
    notebook.gate = threading.Event()
    reached: list[object] = []

    async def commit() -> None:
        token = await greenlet_spawn(ringer.mark, INVOICES)
        reached.append(token)
        await asyncio.sleep(0)  # here the cancellation comes through
        reached.append("too far")

    committing = asyncio.ensure_future(commit())
    while bell.heard < 2:
        await asyncio.sleep(0)
    for _ in range(3):
        committing.cancel()
        await asyncio.sleep(0)
    notebook.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert len(reached) == 1
    ringer.unmark(reached[0])
    assert notebook.lines == [MARKED, UNMARKED]


@pytest.mark.anyio
@pytest.mark.parametrize("point", ["marked", "committed"])
async def test_between_mark_and_bump_the_neighbour_is_marked_whatever_the_commit_does(
    ringer: Ringer, bell: Bell, notebook: Notebook, tmp_path: Path, point: str
) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/a.db")
    sql = hook(engine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
    sql.observe_transactions(ringer)
    seen: list[list[str]] = []

    def failing(reached: str) -> None:
        seen.append([what for what, _ in notebook.lines])
        if reached == point:
            raise OSError("the reply was lost")

    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
    assert [what for what, _ in notebook.lines] == ["mark", "bump"]
    notebook.lines.clear()
    sql.failpoint = failing
    with pytest.raises(OSError, match="the reply was lost"):
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO t VALUES (2)"))
    assert all(lines == ["mark"] for lines in seen)
    sql.failpoint = None
    await engine.dispose()
    assert [what for what, _ in notebook.lines] == ["mark", "bump"]  # in doubt it is a bump


@pytest.mark.anyio
async def test_a_rollback_is_not_told_for_nothing_was_marked(
    ringer: Ringer, bell: Bell, notebook: Notebook, tmp_path: Path
) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/a.db")
    sql = hook(engine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
    sql.observe_transactions(ringer)
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        await connection.rollback()
    await engine.dispose()
    assert notebook.lines == []


def test_around_commit_bumps_however_it_ends(ringer: Ringer, bell: Bell, notebook: Notebook) -> None:
    def commit() -> None:
        with ringer.around_commit(WriteSet(INVOICES.relations)):
            assert notebook.lines == [MARKED]
            raise OSError("the reply was lost")

    with pytest.raises(OSError, match="the reply was lost"):
        commit()
    assert notebook.lines == [MARKED, BUMPED]


def test_t7_a_lost_commit_is_bumped_and_marked_anew(ringer: Ringer, bell: Bell, notebook: Notebook) -> None:
    ringer.lost(ringer.mark(INVOICES))
    assert notebook.lines == [MARKED, MARKED, BUMPED]
