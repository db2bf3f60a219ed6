from __future__ import annotations

from steinmetz.cache.asgi.memo import Memo


def test_it_begins_anew_when_its_bytes_are_used_up() -> None:
    memo: Memo[int, str] = Memo(1_000)
    for number in range(333):
        memo.put(number, "x", 3)
    assert (len(memo), memo.weight_bytes, memo.get(0)) == (333, 999, "x")
    memo.put(333, "x", 3)
    assert (len(memo), memo.weight_bytes, memo.get(0), memo.get(333)) == (1, 3, None, "x")


def test_what_is_very_long_is_not_remembered() -> None:
    memo: Memo[int, str] = Memo(1_000)
    memo.put(1, "x", 4)
    assert memo.get(1) is None


def test_what_was_looked_up_before_is_found_after_it_began_anew() -> None:
    memo: Memo[int, str] = Memo(1_000)
    get = memo.get
    for number in range(1_000):
        memo.put(number, "x", 3)
    assert get(999) == "x"
