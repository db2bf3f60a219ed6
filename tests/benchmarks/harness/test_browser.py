from __future__ import annotations

from benchmarks.harness.browser import LEAST_MS, Interaction, read


def test_keys_and_clicks_belong_to_the_deed_they_began_in_and_none_is_left_out() -> None:
    watched = {
        "deeds": [[100.0, "search"], [200.0, "open"], [300.0, "search"]],
        # Before the first deed, twice in "search", once in "open", and again in "search".
        "inputs": [50.0, 110.0, 120.0, 210.0, 310.0],
        # number, begin, took, waited, worked: a press and its release have one number, the slower counts.
        "events": [
            [7, 50.0, 400.0, 1.0, 2.0],
            [14, 110.0, 32.0, 1.0, 20.0],
            [14, 115.0, 40.0, 2.0, 30.0],
            [21, 210.0, 120.0, 5.0, 90.0],
        ],
    }
    found = read(watched)
    assert sorted((one.deed, one.took_ms) for one in found) == [
        ("open", 120.0),
        ("search", LEAST_MS),
        ("search", LEAST_MS),
        ("search", 40.0),
    ]
    assert Interaction("open", 120.0, waited_ms=5.0, worked_ms=90.0) in found
