"""What a polling client had not fetched waits for its next polls, within bounds."""

from __future__ import annotations

from steinmetz.realtime.server.farewells import MAX_FAREWELL, MAX_FAREWELLS, Farewells


def test_each_payload_is_taken_once_and_in_order() -> None:
    farewells = Farewells()
    farewells.keep("anna", ["41", "1"])
    assert [farewells.take("anna") for _ in range(3)] == ["41", "1", None]
    assert farewells.take("berta") is None


def test_the_oldest_gives_way_and_what_is_long_is_not_kept() -> None:
    farewells = Farewells()
    for number in range(MAX_FAREWELLS + 1):
        farewells.keep(str(number), ["1"])
    farewells.keep("long", ["x" * MAX_FAREWELL, "1"])
    assert [farewells.take(sid) for sid in ("0", "1", str(MAX_FAREWELLS), "long")] == [None, "1", "1", None]
