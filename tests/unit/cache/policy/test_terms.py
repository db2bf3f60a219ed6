from __future__ import annotations

from steinmetz.cache.policy.terms import Terms


def test_nothing_stale_is_allowed_unless_it_is_said() -> None:
    terms = Terms(60)
    assert (terms.stale_while_revalidate_s, terms.stale_if_error_s, terms.age_s, terms.vary) == (0, 0, 0, ())
