"""The query monitor alone: what any engine runs, by name. Run it: python examples/watch_queries.py"""

from sqlalchemy import create_engine, text

from steinmetz.monitor import query_monitor
from steinmetz.sql import hook

engine = create_engine("sqlite://")
query_monitor.attach(hook(engine))

with engine.connect() as connection:
    with query_monitor.track("getUserById"):
        connection.execute(text("SELECT 1 AS id"))
    for number in range(100):
        connection.execute(text("SELECT :number"), {"number": number})

for name, times in query_monitor.query_stats()["queryBreakdown"].items():
    print(f"{name:30} {times['count']:>4} x  p95 {times['p95']:.3f} ms")
