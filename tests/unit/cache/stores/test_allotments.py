from __future__ import annotations

from steinmetz.cache.policy.limits import Limits
from steinmetz.cache.stores.allotments import Allotments


def unused(key: bytes) -> bool:
    return False


def test_the_oldest_unused_one_goes_first() -> None:
    allotments, limits = Allotments(), Limits("/a", max_entries=2)
    uses = {b"1": 1}

    def spend(key: bytes) -> bool:
        uses[key] = uses.get(key, 0) - 1
        return uses[key] >= 0

    for key in (b"1", b"2", b"3"):
        allotments.put(key, limits, 10)
    assert allotments.surplus("/a", b"3", spend) == b"2"
    allotments.discard(b"2", limits)
    assert allotments.surplus("/a", b"3", spend) is None


def test_what_is_alone_and_too_heavy_goes_itself() -> None:
    allotments, limits = Allotments(), Limits("/a", budget_bytes=5)
    allotments.put(b"1", limits, 10)
    assert allotments.surplus("/a", b"1", unused) == b"1"


def test_nothing_is_remembered_of_a_route_that_keeps_nothing() -> None:
    allotments, limits = Allotments(), Limits("/a", max_entries=2)
    allotments.put(b"1", limits, 10)
    allotments.put(b"1", limits, 20)
    allotments.discard(b"1", limits)
    allotments.discard(b"1", limits)
    assert len(allotments) == 0
    assert allotments.surplus("/a", b"1", unused) is None
