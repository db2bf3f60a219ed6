"""Rooms of one, of many, and of none."""

from __future__ import annotations

import sys

import pytest

from steinmetz.realtime.adapters.rooms import Rooms

MEMBERS = {"anna": "ANNA", "ben": "BEN", "carl": "CARL"}


@pytest.fixture
def rooms() -> Rooms[str]:
    return Rooms(MEMBERS)


def test_a_room_is_who_entered_it_in_order(rooms: Rooms[str]) -> None:
    for sid in ("carl", "anna", "ben", "anna"):
        rooms.put("hr", sid)
    assert list(rooms.inside("hr").items()) == [("carl", "CARL"), ("anna", "ANNA"), ("ben", "BEN")]
    rooms.take("hr", "anna")
    assert list(rooms.inside("hr")) == ["carl", "ben"]


def test_entering_twice_is_entering_once(rooms: Rooms[str]) -> None:
    rooms.put("hr", "anna")
    rooms.put("hr", "anna")
    assert rooms.inside("hr") == {"anna": "ANNA"}


@pytest.mark.parametrize("guests", [["anna"], ["anna", "ben"]])
def test_a_room_ends_with_its_last_member(rooms: Rooms[str], guests: list[str]) -> None:
    for sid in guests:
        rooms.put("hr", sid)
    assert "hr" in rooms
    assert list(rooms) == ["hr"]
    for sid in guests:
        rooms.take("hr", sid)
    assert "hr" not in rooms
    assert rooms.inside("hr") == {}


@pytest.mark.parametrize("guests", [[], ["anna"], ["anna", "ben"]])
def test_who_is_not_inside_cannot_leave(rooms: Rooms[str], guests: list[str]) -> None:
    for sid in guests:
        rooms.put("hr", sid)
    with pytest.raises(KeyError):
        rooms.take("hr", "carl")


def test_t24_a_room_of_one_costs_no_dict() -> None:
    rooms = Rooms({"anna": "ANNA"})
    rooms.put("user:7", "anna")
    assert rooms._rooms == {"user:7": "anna"}
    assert sys.getsizeof(rooms) <= 48
