from __future__ import annotations

from steinmetz.cache.hits.memo import Memo, memo_bytes_beside
from steinmetz.clock import FakeClock

LIVES_S = 1.0


def memo(budget: int = 100, clock: FakeClock | None = None) -> Memo[bytes, int]:
    now_s = (clock or FakeClock()).monotonic_s
    return Memo(budget, lambda key, weight: len(key) + weight, LIVES_S, now_s)


def test_it_never_weighs_more_than_its_budget() -> None:
    kept = memo()
    for number in range(1_000):
        kept.remember(b"%03d" % number, 7)
        assert kept.weight_bytes <= 100
    assert kept.get(b"999") == 7
    assert kept.get(b"000") is None
    assert len(kept) + kept.forgotten == 1_000


def test_what_is_asked_for_again_stays() -> None:
    kept = memo()
    kept.remember(b"hot", 7)
    for number in range(100):
        kept.remember(b"%03d" % number, 7)
        assert (kept.get(b"hot") or kept.recall(b"hot")) == 7


def test_what_weighs_more_than_half_of_it_is_not_kept() -> None:
    kept = memo()
    kept.remember(b"big", 48)
    assert kept.get(b"big") is None
    assert kept.weight_bytes == 0


def test_a_newer_one_takes_the_place_of_the_older_and_forgetting_gives_the_room_back() -> None:
    kept = memo()
    kept.remember(b"a", 9)
    kept.remember(b"a", 19)
    assert (kept.get(b"a"), kept.weight_bytes, list(kept)) == (19, 20, [19])
    kept.forget(b"a")
    kept.forget(b"a")
    assert (kept.get(b"a"), kept.weight_bytes, len(kept)) == (None, 0, 0)


def test_what_is_old_is_forgotten_too() -> None:
    kept = memo()
    for number in range(6):
        kept.remember(b"%03d" % number, 7)
    assert (kept.get(b"000"), kept.recall(b"000")) == (None, 7)
    kept.forget(b"000")
    kept.forget(b"001")
    assert kept.recall(b"001") is None
    assert kept.weight_bytes == 40


def test_what_has_outlived_itself_goes_without_any_want_of_room() -> None:
    clock = FakeClock()
    kept = memo(100_000, clock)
    for _ in range(20):
        for number in range(10):
            kept.remember(b"%d %.0f" % (number, clock.monotonic_s()), 7)
        clock.advance(LIVES_S)
        assert len(kept) <= 20
    assert kept.forgotten == 0


def test_what_is_asked_for_within_its_life_is_found_after_a_change_of_generations() -> None:
    clock = FakeClock()
    kept = memo(100_000, clock)
    clock.advance(0.9 * LIVES_S)
    kept.remember(b"made late", 7)
    clock.advance(0.2 * LIVES_S)
    kept.remember(b"another", 7)
    assert (kept.get(b"made late"), kept.recall(b"made late")) == (None, 7)
    assert kept.get(b"made late") == 7


def test_beside_a_small_store_less_is_remembered_than_beside_a_large_one() -> None:
    most = 8 << 20
    assert [memo_bytes_beside(store << 20, most) >> 10 for store in (0, 1, 16, 64, 256)] == [
        256, 256, 2_048, 8_192, 8_192,
    ]  # fmt: skip
