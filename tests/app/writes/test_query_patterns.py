"""No page of the product asks once a row, and each stays within the statements it may need."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.patterns import PatternKind
from tests.app.writes.house import House

pytestmark = pytest.mark.anyio


async def test_no_cached_route_asks_once_a_row(house: House) -> None:
    monitor = house.app.state.monitor
    assert monitor is not None
    monitor.patterns.clear()
    for path in house.paths:
        answer = await house.readers[0].read(path, anew=True)
        assert answer.status in (200, 404), path  # some rooms are not the administrator's
    asked = {figures.route for figures in monitor.patterns.routes()}
    assert len(asked) >= 30  # it has really looked
    loops = monitor.patterns.habits({PatternKind.N_PLUS_ONE, PatternKind.WRITE_LOOP, PatternKind.CARTESIAN_JOIN})
    assert [f"{habit.worst.kind} at {habit.worst.place}: {habit.worst.remedy}" for habit in loops] == []
