"""When a query is slow."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_THRESHOLD_MS = 100.0


class SlowThresholds:
    """One threshold for all names, and others for some (ms). Slow means strictly greater."""

    __slots__ = ("_by_name_ns", "_default_ns")

    def __init__(
        self, default_ms: float = DEFAULT_THRESHOLD_MS, by_name: Mapping[str, float] | None = None
    ) -> None:
        self._default_ns = _ns(default_ms)
        self._by_name_ns = {name: _ns(threshold) for name, threshold in (by_name or {}).items()}

    def changed(self, default_ms: float | None, by_name: Mapping[str, float] | None) -> SlowThresholds:
        """These thresholds, but for those that are given."""
        result = SlowThresholds(self._default_ns / 1e6 if default_ms is None else default_ms, by_name)
        if by_name is None:
            result._by_name_ns = self._by_name_ns
        return result

    def of_ns(self, name: str) -> int:
        return self._by_name_ns.get(name, self._default_ns)

    def of_ms(self, name: str) -> float:
        return self.of_ns(name) / 1e6

    def is_slow(self, name: str, duration_ns: int) -> bool:
        return duration_ns > self.of_ns(name)


def _ns(threshold_ms: float) -> int:
    """Raises `ValueError` for a negative threshold."""
    if threshold_ms < 0:
        raise ValueError(f"a threshold in ms is at least 0, not {threshold_ms}")
    return round(threshold_ms * 1e6)
