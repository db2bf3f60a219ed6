"""A flood of frames, handed out a bit at a time."""

from __future__ import annotations

import pytest

from steinmetz.realtime.engineio.frames import CloseCode, FrameParser, Message, Opcode
from steinmetz.realtime.errors import FrameError
from steinmetz.realtime.server.intake import LARGE, SMALL, Intake
from tests.unit.realtime.server.test_uvicorn import text


class Counting(FrameParser):
    """Remembers how much it was given at once."""

    __slots__ = ("pieces",)

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self.pieces: list[int] = []

    @property
    def is_between_messages(self) -> bool:
        return False  # so that all of it goes through here

    def feed(self, data: bytes) -> list[Message]:
        self.pieces.append(len(data))
        return super().feed(data)


def all_of(intake: Intake, most: int) -> list[list[str | bytes]]:
    turns = []
    while intake:
        turns.append([data for _, data in intake.take(most)])
    return turns


def test_messages_come_in_their_order_and_no_more_than_asked_for() -> None:
    intake = Intake(FrameParser(1_000))
    intake.put(b"".join(text(str(number)) for number in range(1_000)))
    turns = all_of(intake, 64)
    assert [len(turn) for turn in turns] == [64] * 15 + [40]
    assert [data for turn in turns for data in turn] == [str(number) for number in range(1_000)]


def test_no_more_is_parsed_than_is_taken() -> None:
    parser = Counting(1_000)
    intake = Intake(parser)
    intake.put(text("3") * 30_000)
    assert len(intake.take(250)) == 250
    assert parser.pieces == [SMALL]


def test_large_frames_are_parsed_in_large_pieces() -> None:
    parser = Counting(1_000_000)
    intake = Intake(parser)
    intake.put(text("x" * 60_000) * 4)
    assert [len(data) for data in all_of(intake, 250)[0]] == [60_000] * 4
    assert parser.pieces[:2] == [SMALL, LARGE]
    assert len(parser.pieces) == 5


def test_what_comes_meanwhile_goes_behind() -> None:
    intake = Intake(FrameParser(1_000))
    whole = b"".join(text(str(number)) for number in range(1_500))
    intake.put(whole[:7_000])
    first = intake.take(10)
    intake.put(whole[7_000:])
    rest = [data for turn in all_of(intake, 100) for data in turn]
    assert [data for _, data in first] + rest == [str(number) for number in range(1_500)]


def test_what_is_no_frame_is_said_when_its_turn_comes() -> None:
    intake = Intake(FrameParser(1_000))
    intake.put(text("good") * 500 + b"\xc1\x80\0\0\0\0" + text("lost"))
    assert intake.take(100) == [(Opcode.TEXT, "good")] * 100
    with pytest.raises(FrameError) as caught:
        all_of(intake, 100)
    assert caught.value.close_code == CloseCode.PROTOCOL_ERROR


def test_texts_before_a_frame_that_breaks_the_rules_are_not_lost() -> None:
    intake = Intake(FrameParser(1_000))
    intake.put(text("a") * 700 + text("b") + b"\xff\x80" + text("c"))
    assert len(intake.take(500)) == 500
    with pytest.raises(FrameError) as refused:
        intake.take(250)
    assert [data for _, data in refused.value.messages] == ["a"] * 200 + ["b"]
