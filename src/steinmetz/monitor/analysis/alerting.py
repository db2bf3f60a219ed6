"""When a figure becomes an alert and when it ceases to be one: rules with hysteresis, without clock or network.

A rule raises an alert when its measure has been above ``raise_above`` in ``raise_after`` readings in a row, and
resolves it only after ``clear_after`` readings in a row at or below ``clear_below``. What swings between the two
bounds changes nothing, so nobody is told twice of one thing. What happens at one moment (a plan that got worse, a
write that nobody predicted) is reported by `AlertBook.report` and resolves itself after a quiet time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Measure(StrEnum):
    """What is watched; `Measured.value` is in the unit named here."""

    SLOW_SHARE = "slow_share"  # of all queries, 0 to 1
    ERROR_RATE = "error_rate"  # of all queries, 0 to 1
    P95 = "p95"  # of one name, as a multiple of its budget
    P99 = "p99"
    POOL = "pool_exhausted"  # connections in use, as a share of those that may be open
    LOOP_LAG = "loop_lag"  # time that the event loop was blocked, as a share of the time
    PLAN = "plan_regressed"  # p95 after, as a multiple of before
    UNPREDICTED_WRITE = "unpredicted_write"  # tables


class Severity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a measure is worth an alert.

    ``at_least`` is the number of samples without which a reading says nothing. Raises `ValueError` unless
    ``clear_below`` is at most ``raise_above`` and the counts are positive.
    """

    measure: Measure
    raise_above: float
    clear_below: float
    severity: Severity = Severity.WARNING
    raise_after: int = 2
    clear_after: int = 6
    at_least: int = 20

    def __post_init__(self) -> None:
        if self.clear_below > self.raise_above:
            raise ValueError(f"{self.measure}: clear_below is at most raise_above")
        if min(self.raise_after, self.clear_after) < 1 or self.at_least < 0:
            raise ValueError(f"{self.measure}: raise_after and clear_after are at least 1, at_least 0")


DEFAULT_RULES = (
    Rule(Measure.SLOW_SHARE, raise_above=0.05, clear_below=0.02, at_least=50),
    Rule(Measure.ERROR_RATE, raise_above=0.05, clear_below=0.01, severity=Severity.CRITICAL),
    Rule(Measure.P95, raise_above=1.0, clear_below=0.8),
    Rule(Measure.P99, raise_above=1.0, clear_below=0.8, at_least=100),
    Rule(Measure.POOL, raise_above=0.99, clear_below=0.8, severity=Severity.CRITICAL, at_least=0),
    Rule(Measure.LOOP_LAG, raise_above=0.2, clear_below=0.05, at_least=0),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading. ``subject`` is the name, the database or the loop that it is about."""

    measure: Measure
    subject: str
    value: float
    samples: int
    message: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that people should look at; ``is_active`` until it has resolved itself.

    ``times`` counts how often it was raised or reported since it is active.
    """

    id: str
    measure: Measure
    subject: str
    severity: Severity
    value: float
    threshold: float
    message: str
    since: datetime
    at: datetime
    is_active: bool = True
    times: int = 1

    def as_json(self) -> dict[str, object]:
        """The payload of `monitor:alert`, of the webhook and of /api/diagnostics/alerts."""
        return {
            "id": self.id,
            "kind": self.measure.value,
            "subject": self.subject,
            "severity": self.severity.value,
            "state": "active" if self.is_active else "resolved",
            "value": round(self.value, 4),
            "threshold": self.threshold,
            "message": self.message,
            "since": _instant(self.since),
            "at": _instant(self.at),
            "times": self.times,
        }


SUBJECTS_WATCHED = 2_000
RECENT_KEPT = 200
QUIET_S = 900.0
"""A reported alert that is not reported again for so long has resolved itself."""


@dataclass(slots=True)
class _Watch:
    """How one subject has done lately by one rule."""

    above: int = 0
    below: int = 0
    alert: Alert | None = None


@dataclass(slots=True)
class AlertBook:
    """Which alerts are active, and which readings may lead to one. Not thread-safe: one caller at a time."""

    rules: tuple[Rule, ...] = DEFAULT_RULES
    quiet_s: float = QUIET_S
    dropped: int = 0
    """Subjects that found no room."""
    _watches: dict[tuple[Measure, str], _Watch] = field(default_factory=dict)
    _reported: dict[tuple[Measure, str], Alert] = field(default_factory=dict)
    _recent: deque[Alert] = field(default_factory=lambda: deque(maxlen=RECENT_KEPT))

    def step(self, readings: Iterable[Measured], at: datetime) -> list[Alert]:
        """Take one round of readings; returns the alerts that were raised or resolved by it.

        A subject without a reading, or with too few samples, did well.
        """
        rules = {rule.measure: rule for rule in self.rules}
        seen = {(reading.measure, reading.subject): reading for reading in readings}
        told: list[Alert] = []
        for key in list(seen.keys() | self._watches.keys()):
            rule = rules.get(key[0])
            if rule is None:
                self._watches.pop(key, None)
                continue
            change = self._judge(rule, key, seen.get(key), at)
            if change is not None:
                told.append(change)
        told.extend(self._quietened(at))
        self._recent.extend(told)
        return sorted(told, key=lambda alert: alert.id)

    def report(
        self,
        measure: Measure,
        subject: str,
        message: str,
        at: datetime,
        *,
        value: float,
        threshold: float,
        severity: Severity = Severity.CRITICAL,
    ) -> Alert | None:
        """Something happened; returns the alert, or None if the same is active already and was told."""
        key = (measure, subject)
        active = self._reported.get(key)
        if active is not None:
            self._reported[key] = replace(active, at=at, value=value, message=message, times=active.times + 1)
            return None
        if len(self._reported) >= SUBJECTS_WATCHED:
            self.dropped += 1
            return None
        alert = Alert(_id(key, at), measure, subject, severity, value, threshold, message, since=at, at=at)
        self._reported[key] = alert
        self._recent.append(alert)
        return alert

    def active(self) -> list[Alert]:
        """Those that have not resolved themselves, newest first."""
        watched = [watch.alert for watch in self._watches.values() if watch.alert is not None]
        return sorted(
            [*watched, *self._reported.values()], key=lambda alert: (alert.since, alert.id), reverse=True
        )

    def recent(self, limit: int) -> list[Alert]:
        """What was told lately, newest first: an alert when it was raised, and once more when it was resolved."""
        return list(self._recent)[: -limit - 1 : -1] if limit > 0 else []

    def _judge(self, rule: Rule, key: tuple[Measure, str], reading: Measured | None, at: datetime) -> Alert | None:
        value = reading.value if reading is not None and reading.samples >= rule.at_least else None
        watch = self._watches.get(key)
        if watch is None:
            if value is None or value <= rule.raise_above:
                return None
            if len(self._watches) >= SUBJECTS_WATCHED:
                self.dropped += 1
                return None
            watch = self._watches[key] = _Watch()
        watch.above = watch.above + 1 if value is not None and value > rule.raise_above else 0
        watch.below = watch.below + 1 if value is None or value <= rule.clear_below else 0
        if watch.alert is None:
            return self._raised(rule, key, watch, reading, at)
        return self._resolved(rule, key, watch, reading, at)

    def _raised(
        self, rule: Rule, key: tuple[Measure, str], watch: _Watch, reading: Measured | None, at: datetime
    ) -> Alert | None:
        if watch.above < rule.raise_after or reading is None:
            if watch.below:
                del self._watches[key]
            return None
        watch.alert = Alert(
            _id(key, at), rule.measure, key[1], rule.severity, reading.value, rule.raise_above, reading.message,
            since=at, at=at,
        )  # fmt: skip
        return watch.alert

    def _resolved(
        self, rule: Rule, key: tuple[Measure, str], watch: _Watch, reading: Measured | None, at: datetime
    ) -> Alert | None:
        assert watch.alert is not None
        if watch.below < rule.clear_after:
            if reading is not None:
                watch.alert = replace(watch.alert, value=reading.value, message=reading.message, at=at)
            return None
        del self._watches[key]
        value = reading.value if reading is not None else 0.0
        return replace(watch.alert, value=value, at=at, is_active=False)

    def _quietened(self, at: datetime) -> list[Alert]:
        since = at - timedelta(seconds=self.quiet_s)
        over = [key for key, alert in self._reported.items() if alert.at <= since]
        return [replace(self._reported.pop(key), at=at, is_active=False) for key in over]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a name may take (ms); None for no bound."""

    p95_ms: float | None = None
    p99_ms: float | None = None

    @staticmethod
    def read(settings: Mapping[str, Mapping[str, float]]) -> dict[str, Budget]:
        """``{"name": {"p95": 50, "p99": 200}}`` as budgets. Raises `ValueError` for anything else."""
        budgets = {}
        for name, bounds in settings.items():
            unknown = set(bounds) - {"p95", "p99"}
            if unknown or not bounds:
                raise ValueError(f"the budget of {name!r} has p95, p99 or both (ms), not {sorted(unknown)}")
            if any(bound <= 0 for bound in bounds.values()):
                raise ValueError(f"the budget of {name!r} is more than 0 ms")
            budgets[name] = Budget(bounds.get("p95"), bounds.get("p99"))
        return budgets


def _id(key: tuple[Measure, str], at: datetime) -> str:
    return f"{key[0].value}:{key[1]}:{int(at.timestamp() * 1000):x}"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
