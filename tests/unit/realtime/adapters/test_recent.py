"""What has arrived lately: all of it behind a position, or the word that it is not known any more."""

from __future__ import annotations

import pytest

from steinmetz.realtime.adapters import recent as module
from steinmetz.realtime.adapters.recent import Recent
from steinmetz.realtime.engineio.packet import Packet, PacketType
from steinmetz.realtime.socketio.recovery import Entry, Kind


def positions(recent: Recent, position: int) -> list[int] | None:
    found = recent.behind(position)
    return None if found is None else [entry.position for entry in found]


def entry(position: int, size: int = 10) -> Entry:
    return Entry(position, Kind.EMIT, packets=(Packet(PacketType.MESSAGE, "x" * size),))


def test_it_knows_what_came_behind_a_position_until_that_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    recent = Recent()
    assert positions(recent, 0) == []
    for position in (2, 4, 5):
        recent.add(b"life", entry(position))
    assert [positions(recent, position) for position in (0, 2, 3, 5)] == [[2, 4, 5], [4, 5], [4, 5], []]
    recent.add(b"life", entry(9))
    assert [positions(recent, position) for position in (1, 2, 5)] == [None, [4, 5, 9], [9]]


def test_its_bytes_are_bounded_and_a_new_life_begins_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1_000)
    recent = Recent()
    recent.add(b"life", entry(1, 500))
    recent.add(b"life", entry(2, 500))
    assert [positions(recent, position) for position in (0, 1)] == [None, [2]]
    recent.add(b"other", entry(10, 100))
    assert positions(recent, 1) == [10]
