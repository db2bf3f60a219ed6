from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from steinmetz.cache.testing import assert_bypass, assert_hit, assert_miss, outcome, uncached


def response(outcome: str) -> Any:
    return SimpleNamespace(headers={"x-cache": outcome, "cache-status": "SteinmetZ; hit"})


def test_an_outcome_is_said_with_its_reason() -> None:
    assert_hit(response("HIT"))
    assert_miss(response("MISS"))
    assert_bypass(response("BYPASS"))
    with pytest.raises(AssertionError, match=r"expected X-Cache: MISS, got HIT \(SteinmetZ; hit\)"):
        assert_miss(response("HIT"))
    assert outcome(SimpleNamespace(headers={})) == "-"  # type: ignore[arg-type]  a stand-in response


def test_uncached_puts_the_switch_back_as_it_was(rig: Any) -> None:
    with uncached(rig.cache):
        assert not rig.cache.enabled
        with uncached(rig.cache):
            assert not rig.cache.enabled
        assert not rig.cache.enabled
    assert rig.cache.enabled
