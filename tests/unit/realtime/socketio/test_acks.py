"""Acknowledgements that the server waits for."""

from __future__ import annotations

from steinmetz.realtime.socketio.acks import Acks


def test_an_answer_finds_who_waits_for_it_once() -> None:
    acks: Acks[str] = Acks()
    first, second = acks.expect("Anna", 110.0), acks.expect("Ben", 120.0)
    assert first != second
    assert acks.take(second) == "Ben"
    assert acks.take(second) is None
    assert acks.take(99) is None
    assert len(acks) == 1


def test_who_has_waited_long_enough_is_let_go_and_forgotten() -> None:
    acks: Acks[str] = Acks()
    ack_id = acks.expect("Anna", 110.0)
    acks.expect("Ben", 120.0)
    assert acks.deadline_s == 110.0
    assert acks.expire(109.9) == []
    assert acks.expire(110.0) == ["Anna"]
    assert acks.take(ack_id) is None
    assert acks.deadline_s == 120.0


def test_at_the_end_all_are_let_go() -> None:
    acks: Acks[str] = Acks()
    acks.expect("Anna", 110.0)
    acks.expect("Ben", 120.0)
    assert acks.close() == ["Anna", "Ben"]
    assert acks.deadline_s is None
