"""Slow means strictly greater than the threshold of the name."""

from __future__ import annotations

import pytest

from steinmetz.monitor.analysis.slow import SlowThresholds


def test_slow_is_strictly_greater() -> None:
    thresholds = SlowThresholds(100)
    assert not thresholds.is_slow("getUserById", 100_000_000)
    assert thresholds.is_slow("getUserById", 100_000_001)


def test_a_name_may_have_its_own_threshold() -> None:
    thresholds = SlowThresholds(100, {"report": 2_000, "ping": 0.5})
    assert not thresholds.is_slow("report", 1_999_000_000)
    assert thresholds.is_slow("ping", 600_000)
    assert thresholds.of_ms("ping") == 0.5


def test_the_common_threshold_changes_without_the_others() -> None:
    thresholds = SlowThresholds(100, {"report": 2_000}).changed(50, None)
    assert thresholds.of_ms("anything") == 50
    assert thresholds.of_ms("report") == 2_000
    assert thresholds.changed(None, {}).of_ms("report") == 50


def test_a_negative_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        SlowThresholds(-1)
