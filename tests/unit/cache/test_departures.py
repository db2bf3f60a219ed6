from __future__ import annotations

from random import Random

from steinmetz.cache.departures import BATCHES, Departure, Departures, remembered_beside
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


def test_the_newest_are_remembered_whatever_comes_back_in_between() -> None:
    departures, order = Departures(remembered=100), dict[bytes, None]()
    chance = Random(7)
    for step in range(5_000):
        key = b"%d" % chance.randrange(400)
        order.pop(key, None)
        if chance.random() < 0.3:
            departures.returned(key)
        else:
            departures.left(key, Departure(Gone.EVICTED, b"%d" % step, None))
            order[key] = None
        known = [key for key in order if departures.why(key)]
        assert len(known) == len(departures) <= 100
        assert len(order) < 100 or len(known) >= 100 - 100 // BATCHES
        assert known == list(order)[-len(known) :]
        order = dict.fromkeys(known)


def test_beside_a_small_store_less_is_remembered_than_beside_a_large_one() -> None:
    assert [remembered_beside(store) for store in (0, 24_000_000, 10**9)] == [1_000, 2_000, 20_000]
