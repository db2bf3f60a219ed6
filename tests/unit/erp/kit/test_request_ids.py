from __future__ import annotations

import pytest

from steinmetz.erp.kit.request_ids import DRAWN_AT_ONCE, RequestIds, sane


def test_ids_are_many_and_never_the_same() -> None:
    ids = RequestIds()
    made = [ids.new() for _ in range(3 * DRAWN_AT_ONCE)]
    assert len(set(made)) == len(made)
    assert {len(one) for one in made} == {20}
    assert all(sane(one.encode()) for one in made)


@pytest.mark.parametrize("given", [b"", b"a b", b"a\n", b"x" * 41, b"\xc3\xa4", b'"'])
def test_what_could_spoil_a_log_is_not_taken_over(given: bytes) -> None:
    assert not sane(given)
