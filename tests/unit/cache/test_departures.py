from __future__ import annotations

from steinmetz.cache.departures import Departure, Departures, remembered_beside
from steinmetz.cache.stores.base import Gone


def test_the_last_word_on_a_key_counts_and_its_return_ends_it() -> None:
    departures = Departures()
    departures.left(b"k", Departure(Gone.EVICTED, b'"1"', None))
    departures.left(b"k", Departure(Gone.DROPPED, b'"2"', None))
    assert departures.why(b"k") == Departure(Gone.DROPPED, b'"2"', None)
    assert departures.returned(b"k") == Departure(Gone.DROPPED, b'"2"', None)
    assert departures.why(b"k") is departures.returned(b"k") is None


def test_only_the_newest_are_remembered() -> None:
    departures = Departures(remembered=3)
    for number in range(5):
        departures.left(b"%d" % number, Departure(Gone.EVICTED, b"", None))
    departures.left(b"2", Departure(Gone.EVICTED, b"", None))
    departures.left(b"5", Departure(Gone.EVICTED, b"", None))
    assert len(departures) == 3
    assert [key for key in (b"0", b"1", b"2", b"3", b"4", b"5") if departures.why(key)] == [b"2", b"4", b"5"]


def test_beside_a_small_store_less_is_remembered_than_beside_a_large_one() -> None:
    assert [remembered_beside(store) for store in (0, 24_000_000, 10**9)] == [1_000, 2_000, 20_000]
