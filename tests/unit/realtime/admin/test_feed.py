"""Happenings leave in batches; too many of them give way to a new picture."""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.realtime.admin.feed import BATCH_S, MAX_BATCH, Feed, Happening


class Screen:
    def __init__(self) -> None:
        self.said: list[list[Happening]] = []
        self.pictures = 0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.feed = Feed(self.said.append, self._show, lambda *timer: self.timers.append(timer))

    def _show(self) -> None:
        self.pictures += 1

    def moment(self) -> None:
        [(seconds, flush)] = self.timers
        assert seconds == BATCH_S
        self.timers.clear()
        flush()


def test_a_batch_at_a_time_in_order() -> None:
    screen = Screen()
    for number in range(3):
        screen.feed.add("x", number)
    assert screen.said == []
    screen.moment()
    screen.feed.add("y")
    screen.moment()
    assert screen.said == [[("x", (0,)), ("x", (1,)), ("x", (2,))], [("y", ())]]
    assert screen.timers == []


def test_a_storm_is_one_new_picture_and_counted() -> None:
    screen = Screen()
    for number in range(3 * MAX_BATCH):
        screen.feed.add("x", number)
    screen.moment()
    assert (screen.said, screen.pictures, screen.feed.dropped) == ([], 1, 3 * MAX_BATCH)
    screen.feed.add("y")
    screen.moment()
    assert screen.said == [[("y", ())]]
