"""The query monitor alone: names, counts and percentiles of whatever an engine runs.

Run it: python examples/watch_queries.py
"""

from sqlalchemy import create_engine, text

from steinmetz.monitor import QueryMonitor
from steinmetz.sql import hook

engine = create_engine("sqlite://")
monitor = QueryMonitor(slow_threshold_ms=5)
monitor.attach(hook(engine))


@monitor.track("countToAMillion")
def count() -> int:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
    with engine.connect() as connection:
        return int(connection.scalar(text(f"{numbers} SELECT count(*) FROM n")) or 0)


def main() -> dict[str, dict[str, float]]:
    count()
    with engine.connect() as connection:
        for number in range(100):
            connection.execute(text("SELECT :number"), {"number": number})
    breakdown: dict[str, dict[str, float]] = monitor.query_stats()["queryBreakdown"]
    return breakdown


if __name__ == "__main__":
    for name, figures in main().items():
        print(f"{name:30} {figures['count']:>6.0f} x  p95 {figures['p95']:.3f} ms")
