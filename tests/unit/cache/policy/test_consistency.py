from __future__ import annotations

import pytest

from steinmetz.cache.policy.consistency import (
    SESSION,
    STRONG,
    UNTOLD,
    Bounded,
    Token,
    consistency_of,
    tokens_of,
)


def test_the_levels_have_names() -> None:
    assert (consistency_of("strong"), consistency_of("session")) == (STRONG, SESSION)
    assert consistency_of(Bounded(250)) == Bounded(250)


@pytest.mark.parametrize("said", ["eventual", "", Bounded(0), Bounded(-1)])
def test_anything_else_is_refused_with_what_would_do(said: Bounded | str) -> None:
    with pytest.raises(ValueError, match=r'"strong", "session" or Bounded|must be positive'):
        consistency_of(said)


@pytest.mark.parametrize(
    ("field", "tokens"),
    [
        (None, ()),
        (b"", ()),
        (b"a1.5", (Token(b"a1", 5),)),
        (b"a1.5, a1.9,a1.7", (Token(b"a1", 9),)),
        (b"a1.5, b2.3", (Token(b"a1", 5), Token(b"b2", 3))),
        (b"untold.0", (UNTOLD,)),
        (b"a1.5, untold.0", (UNTOLD,)),
        (b"nonsense", (UNTOLD,)),
        (b"a1.5,", (UNTOLD,)),
        (b"a1.-5", (UNTOLD,)),
        (b"a1." + b"9" * 17, (UNTOLD,)),
        (b", ".join(b"a%d.1" % number for number in range(20)), (UNTOLD,)),
    ],
)
def test_the_tokens_of_a_request(field: bytes | None, tokens: tuple[Token, ...]) -> None:
    assert tokens_of(field) == tokens


def test_a_token_is_written_as_it_is_read() -> None:
    assert tokens_of(bytes(Token(b"a1", 5))) == (Token(b"a1", 5),)
    assert tokens_of(bytes(UNTOLD)) == (UNTOLD,)
