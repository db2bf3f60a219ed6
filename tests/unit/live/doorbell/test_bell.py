"""What a live server makes of what it hears, in every order and from every kind of writer."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from steinmetz.live.doorbell import Bell, Place
from steinmetz.live.doorbell import bell as module
from steinmetz.live.doorbell.messages import (
    Bump,
    Bye,
    Decoder,
    Elsewhere,
    Heard,
    Hello,
    Mark,
    Message,
    Said,
    Unmark,
    Wrote,
    encode,
)

from .conftest import ANYTHING, INVOICES, Notebook, eventually

HELLO = Hello("sqlite:/a.db", "steinmetz seed (7)")
DOUBT = [("mark", ANYTHING), ("schema", None), ("bump", ANYTHING)]
"""What a conversation leaves behind that broke off."""


class Writer:
    """The other end of a line, without a ringer's care."""

    def __init__(self, place: Place, bell: Bell) -> None:
        line = place.knock(bell.name, 5)
        assert line is not None
        self.line = line
        self._decoder = Decoder()

    def tell(self, *messages: Message) -> list[Message]:
        """Send all at once; returns the answers."""
        self.line.sendall(b"".join(encode(message) for message in messages))
        answers: list[Message] = []
        while len(answers) < len(messages):
            received = self.line.recv(4_096)
            assert received, "the server hung up"
            answers += self._decoder.feed(received)
        return answers

    def is_cut(self) -> bool:
        try:
            return self.line.recv(4_096) == b""
        except ConnectionResetError:
            return True


@pytest.fixture
def writer(place: Place, bell: Bell) -> Iterator[Writer]:
    writer = Writer(place, bell)
    yield writer
    writer.line.close()


def test_a_commit_is_marked_bumped_and_named_after_its_writer(
    writer: Writer, notebook: Notebook, bell: Bell
) -> None:
    assert writer.tell(HELLO, Mark(1, INVOICES)) == [Heard(), Heard()]
    assert notebook.lines == [("mark", INVOICES)]
    assert writer.tell(Bump(1)) == [Heard()]
    assert notebook.lines == [("mark", INVOICES), ("bump", INVOICES)]
    assert notebook.causes == ["steinmetz seed (7)"]


def test_a_rollback_is_unmarked(writer: Writer, notebook: Notebook) -> None:
    writer.tell(HELLO, Mark(1, INVOICES), Unmark(1))
    assert notebook.lines == [("mark", INVOICES), ("unmark", INVOICES)]


def test_several_commits_of_one_writer_overlap(writer: Writer, notebook: Notebook) -> None:
    writer.tell(HELLO, Mark(1, INVOICES), Mark(2, ANYTHING), Bump(1), Unmark(2))
    assert [what for what, _ in notebook.lines] == ["mark", "mark", "bump", "unmark"]
    assert notebook.lines[2:] == [("bump", INVOICES), ("unmark", ANYTHING)]


def test_after_anything_was_written_the_schema_is_read_again_before_the_bump(
    writer: Writer, notebook: Notebook
) -> None:
    writer.tell(HELLO, Mark(1, ANYTHING), Bump(1))
    assert notebook.lines == DOUBT


def test_a_server_that_came_up_meanwhile_hears_of_the_whole_commit(writer: Writer, notebook: Notebook) -> None:
    writer.tell(HELLO, Wrote(INVOICES))
    assert notebook.lines == [("mark", INVOICES), ("bump", INVOICES)]


def test_announcements_are_passed_on(writer: Writer, notebook: Notebook) -> None:
    writer.tell(HELLO, Said({"event": "catalog:update"}))
    assert notebook.lines == [("said", {"event": "catalog:update"})]


def test_a_writer_who_says_bye_leaves_nothing_behind(writer: Writer, notebook: Notebook, bell: Bell) -> None:
    writer.tell(HELLO, Mark(1, INVOICES), Bump(1))
    writer.line.sendall(encode(Bye()))
    assert writer.is_cut()
    assert notebook.lines == [("mark", INVOICES), ("bump", INVOICES)]
    assert bell.lost == 0


def test_a_writer_of_another_database_may_leave_as_he_likes(
    writer: Writer, notebook: Notebook, bell: Bell
) -> None:
    assert writer.tell(Hello("sqlite:/b.db", "steinmetz seed (8)")) == [Elsewhere()]
    writer.line.shutdown(socket.SHUT_RD)  # the answer to his next word finds nobody
    writer.line.sendall(encode(Mark(1, INVOICES)))
    eventually(lambda: not bell._callers)
    assert (notebook.lines, bell.lost) == ([], 0)


def hang_up(writer: Writer) -> None:
    writer.line.close()


def cut_a_message_in_two(writer: Writer) -> None:
    writer.line.sendall(encode(Bump(1))[:9])
    writer.line.close()


def say_bye_too_early(writer: Writer) -> None:
    writer.line.sendall(encode(Bye()))


def send(raw: bytes) -> Callable[[Writer], None]:
    return lambda writer: writer.line.sendall(raw)


ENDINGS = [
    hang_up,
    cut_a_message_in_two,
    say_bye_too_early,
    send(b"\x00\x00\x00\x04null"),
    send(b"\xff" * 8),
    send(encode(Bump(2))),
    send(encode(Mark(1, INVOICES))),
    send(encode(HELLO)),
    send(encode(Heard())),
]


@pytest.mark.parametrize("end", ENDINGS)
def test_whoever_breaks_off_between_mark_and_bump_may_have_written_anything(
    end: Callable[[Writer], None], writer: Writer, notebook: Notebook, bell: Bell
) -> None:
    writer.tell(HELLO, Mark(1, INVOICES))
    end(writer)
    eventually(lambda: len(notebook.lines) == 5)
    assert notebook.lines == [("mark", INVOICES), ("bump", INVOICES), *DOUBT]
    assert bell.lost == 1


def test_whoever_breaks_off_with_nothing_marked_may_still_have_written(writer: Writer, notebook: Notebook) -> None:
    writer.tell(HELLO)
    writer.line.close()
    eventually(lambda: notebook.lines == DOUBT)


class Doubting(Notebook):
    """Tells a lost commit from one that stands."""

    def lost(self, token: object) -> None:
        self.lines.append(("lost", token))


def test_h4_a_writer_killed_after_it_sent_its_commit_may_still_be_committed_for(place: Place) -> None:
    """PostgreSQL goes on with the COMMIT of a client that is gone; our line to him breaks before that is done."""
    notebook = Doubting()
    bell = Bell(place, notebook, schema_changed=notebook.schema_changed)
    bell.open()
    writer = Writer(place, bell)
    writer.tell(HELLO, Mark(1, INVOICES))
    hang_up(writer)
    eventually(lambda: len(notebook.lines) == 5)
    bell.close()
    assert notebook.lines == [("mark", INVOICES), ("lost", INVOICES), *DOUBT]


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\n\r\n", encode(Bump(1)), encode(Bye()), b"\x00"])
def test_garbage_from_the_start_ends_the_line_and_counts_as_anything(
    raw: bytes, writer: Writer, notebook: Notebook, bell: Bell
) -> None:
    writer.line.sendall(raw)
    writer.line.shutdown(socket.SHUT_WR)
    assert writer.is_cut()
    eventually(lambda: notebook.lines == DOUBT)
    assert bell.lost == 1


def test_somebody_who_only_looks_in_has_told_nothing(place: Place, bell: Bell, notebook: Notebook) -> None:
    Writer(place, bell).line.close()
    later = Writer(place, bell)
    later.tell(HELLO)  # by now the first has been attended to
    assert notebook.lines == []
    assert bell.lost == 0
    later.line.close()


def test_writers_to_another_database_concern_nobody(writer: Writer, notebook: Notebook, bell: Bell) -> None:
    assert writer.tell(Hello("sqlite:/b.db", "x"), Mark(1, INVOICES)) == [Elsewhere(), Elsewhere()]
    writer.line.close()
    assert notebook.lines == []
    assert bell.lost == 0


def test_another_user_is_refused_and_counted(
    place: Place, bell: Bell, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "user_of", lambda line: os.geteuid() + 1)
    assert Writer(place, bell).is_cut()
    assert (bell.refused, notebook.lines) == (1, [])


def test_callers_and_their_marks_are_bounded(
    place: Place, bell: Bell, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CALLERS", 2)
    monkeypatch.setattr(module, "MAX_MARKS", 3)
    first, second = Writer(place, bell), Writer(place, bell)
    first.tell(HELLO)
    second.tell(HELLO, *(Mark(number, INVOICES) for number in range(3)))
    assert Writer(place, bell).is_cut()
    eventually(lambda: notebook.lines[3:] == DOUBT)
    assert bell.refused == 1
    notebook.lines[3:] = []
    second.line.sendall(encode(Mark(3, INVOICES)))
    assert second.is_cut()
    eventually(lambda: notebook.lines[-3:] == DOUBT)
    assert [what for what, _ in notebook.lines[:6]] == ["mark"] * 3 + ["bump"] * 3
    first.tell(Mark(1, INVOICES))
    first.line.close()


def test_a_writer_who_reads_no_answer_is_cut_off(writer: Writer, bell: Bell, notebook: Notebook) -> None:
    writer.line.settimeout(10)
    many = encode(HELLO) + b"".join(encode(Said(None)) for _ in range(20_000))
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        writer.line.sendall(many * 2)
    eventually(lambda: bell.lost == 1)


def test_a_failing_observer_ends_the_line_and_not_the_bell(
    place: Place, writer: Writer, notebook: Notebook, bell: Bell
) -> None:
    notebook.fails = True
    writer.line.sendall(encode(HELLO) + encode(Mark(1, INVOICES)))
    eventually(lambda: bell.lost == 1)
    other = Writer(place, bell)
    other.tell(HELLO)  # by now the first has been dealt with
    notebook.fails = False
    other.tell(Mark(1, INVOICES), Bump(1))
    assert notebook.lines == [("mark", INVOICES), ("bump", INVOICES)]
    other.line.close()


def test_a_closed_bell_is_gone_and_leaves_no_mark_up(place: Place, notebook: Notebook) -> None:
    bell = Bell(place, notebook)
    bell.open()
    assert (place.folder / bell.name).stat().st_mode & 0o777 == 0o600
    writer = Writer(place, bell)
    writer.tell(HELLO, Mark(1, INVOICES))
    bell.close()
    bell.close()
    assert notebook.lines[:2] == [("mark", INVOICES), ("bump", INVOICES)]
    assert list(place.folder.iterdir()) == []
    assert writer.is_cut()
