from __future__ import annotations

from steinmetz.cache.policy.worth import FIRST_PAUSE_S, LONGEST_PAUSE_S, SPOILT, SPOILT_ON_TRIAL, Worth


def spoil(worth: Worth, times: int, uses: int = 0, now_s: float = 100.0) -> bool:
    verdicts = [worth.spoilt(uses, now_s) for _ in range(times)]
    return any(verdicts)


def test_t10_a_route_whose_answers_are_used_by_nobody_rests() -> None:
    worth = Worth()
    assert not spoil(worth, SPOILT - 1)
    assert spoil(worth, 1)
    assert worth.bypasses_until_s == 100 + FIRST_PAUSE_S
    assert worth.pauses == 1


def test_one_use_in_ten_is_enough_to_go_on() -> None:
    worth = Worth()
    assert not spoil(worth, SPOILT, uses=SPOILT // 10)
    assert spoil(worth, SPOILT, uses=SPOILT // 10)  # none of them was new


def test_after_the_pause_a_trial_must_do_better_than_what_was_left_at() -> None:
    worth = Worth()
    spoil(worth, SPOILT)
    assert not worth.is_over(104.9, 0)
    assert worth.is_over(105.0, 0)
    assert worth.on_trial
    assert worth.bypasses_until_s == 0
    assert spoil(worth, SPOILT_ON_TRIAL, uses=2, now_s=106)
    assert worth.bypasses_until_s == 106 + 2 * FIRST_PAUSE_S
    assert worth.is_over(116.0, 2)
    assert not spoil(worth, SPOILT_ON_TRIAL, uses=2 + 3, now_s=117)
    assert not worth.on_trial


def test_pauses_double_up_to_a_bound_and_begin_anew_once_it_was_worth_it() -> None:
    worth, now_s = Worth(), 0.0
    for _ in range(12):
        spoil(worth, SPOILT, now_s=now_s)
        pause_s = worth.bypasses_until_s - now_s
        now_s = worth.bypasses_until_s
        assert worth.is_over(now_s, 0)
    assert pause_s == LONGEST_PAUSE_S
    assert not spoil(worth, SPOILT_ON_TRIAL, uses=100, now_s=now_s)
    spoil(worth, SPOILT, uses=100, now_s=now_s)
    assert worth.bypasses_until_s == now_s + FIRST_PAUSE_S
