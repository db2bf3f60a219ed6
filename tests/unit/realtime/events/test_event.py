"""One event: what it carries, what is answered, how it is treated on its way."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from steinmetz.realtime.adapters.base import RELIABLE, Flags
from steinmetz.realtime.errors import PayloadError
from steinmetz.realtime.events import EVERYBODY, Done, Event


class Progress(TypedDict):
    job: int
    done: int


PROGRESS = Event("progress", Progress, newest_by="job")


@pytest.mark.parametrize("name", ["connect", "connect_error", "connection", "disconnect", "disconnecting"])
def test_a_reserved_name_is_no_event(name: str) -> None:
    with pytest.raises(ValueError, match="reserved name"):
        Event(name)


def test_an_event_has_one_policy() -> None:
    with pytest.raises(ValueError, match="not both"):
        Event("progress", Progress, volatile=True, newest_by="job")


def test_it_carries_one_value() -> None:
    event = Event("room", str)
    assert event.read(["x"]) == event.write(["x"]) == ("x",)
    for wrong in ([], ["x", "y"], [5]):
        for take in (event.read, event.write):
            with pytest.raises(PayloadError):
                take(wrong)


def test_or_nothing_at_all() -> None:
    event = Event("stop")
    assert event.read([]) == event.write([]) == ()
    for wrong in ([None], ["x"], [{}]):
        for take in (event.read, event.write):
            with pytest.raises(PayloadError, match="carries nothing"):
                take(wrong)


def test_an_acknowledgement_is_checked_both_ways_and_may_always_be_a_refusal() -> None:
    event = Event("room", str, ack=Done)
    refusal = {"ok": False, "error": {"code": "forbidden", "message": "No."}}
    fields = {**refusal, "error": {**refusal["error"], "fields": [{"field": "x", "message": "y"}]}}  # type: ignore[dict-item]
    for good in ({"ok": True}, refusal, fields):
        assert event.write_ack(good) == good
    assert event.read_ack({"ok": True}) == {"ok": True}
    for wrong in (None, "ok", {"ok": 1}, {"ok": True, "more": 1}, {"ok": False}, {"ok": False, "error": "No."}):
        with pytest.raises(PayloadError):
            event.write_ack(wrong)
    with pytest.raises(PayloadError):
        event.read_ack({"ok": "yes"})


@pytest.mark.parametrize("answer", [None, 5, {"ok": "perhaps"}])
def test_without_a_schema_of_its_own_an_acknowledgement_is_anything(answer: Any) -> None:
    event = Event("room", str)
    assert event.write_ack(answer) is event.read_ack(answer) is answer


def test_its_policy_goes_with_every_emission() -> None:
    written = PROGRESS.write([{"job": 7, "done": 1}])
    assert PROGRESS.flags(written, RELIABLE) == Flags(newest="progress 7")
    assert PROGRESS.flags(written, Flags(newest="mine")).newest == "mine"
    assert Event("typing", volatile=True).flags((), RELIABLE) == Flags(volatile=True)
    assert Event("plain").flags((), RELIABLE) is RELIABLE


def test_a_broken_payload_has_no_newest() -> None:
    for broken in ((), ("x",), (None,)):
        assert PROGRESS.flags(broken, RELIABLE) is RELIABLE


def test_who_names_no_rooms_means_everybody() -> None:
    assert Event("x").rooms == (EVERYBODY,)
    assert Event("x", rooms=["user:{id}"]).rooms == ("user:{id}",)
