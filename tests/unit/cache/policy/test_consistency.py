from __future__ import annotations

import pytest

from steinmetz.cache.policy.consistency import SESSION, STRONG, Bounded, consistency_of


def test_the_levels_have_names() -> None:
    assert (consistency_of("strong"), consistency_of("session")) == (STRONG, SESSION)
    assert consistency_of(Bounded(250)) == Bounded(250)


@pytest.mark.parametrize("said", ["eventual", "", Bounded(0), Bounded(-1)])
def test_anything_else_is_refused_with_what_would_do(said: Bounded | str) -> None:
    with pytest.raises(ValueError, match=r'"strong", "session" or Bounded|must be positive'):
        consistency_of(said)
