"""The query monitor in the ERP: how the settings want it, and what of it runs in the background."""

from __future__ import annotations

from steinmetz import __version__
from steinmetz.clock import Clock
from steinmetz.erp.history import figures_engine
from steinmetz.erp.logging import CURRENT_REQUEST
from steinmetz.erp.migrations import head
from steinmetz.erp.settings import Environment, Settings
from steinmetz.monitor import Budget, DatabaseShelf, QueryMonitor, SharedStore, query_monitor
from steinmetz.monitor.alerts.webhook import Webhook
from steinmetz.monitor.changes.log import DatabaseChangeLog, MemoryChangeLog
from steinmetz.sql import SqlHook


class Watching:
    """The application's monitor from its settings to its end; ``history`` is None if figures stay in memory."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.monitor: QueryMonitor = query_monitor
        self._enabled = settings.monitor
        self._webhook = _webhook(settings, clock)
        engine = figures_engine(settings) if settings.monitor and settings.monitor_history else None
        self.history = SharedStore(clock, DatabaseShelf(engine, owned=True)) if engine is not None else None
        self.monitor.configure(
            slow_threshold_ms=settings.slow_query_threshold_ms,
            thresholds=settings.slow_query_thresholds,
            sensitive=settings.sensitive_columns,
            explain=settings.explain,
            request_id=CURRENT_REQUEST.get,
            enabled=settings.monitor,
            clock=clock,
            store=self.history,
            warn=settings.environment is Environment.DEVELOPMENT,
            skip=("steinmetz.erp.kit", "steinmetz.erp.db"),  # what modules ask through
        )
        self.monitor.alerts.budgets = Budget.read(settings.query_budgets)
        self.monitor.changes.log = DatabaseChangeLog(engine) if engine is not None else MemoryChangeLog()

    async def start(self) -> None:
        """Begin to watch, to write down and to tell."""
        if not self._enabled:
            return
        self.monitor.loop_lag.start()
        if self.history is not None:
            await self.history.start()
        await self.monitor.plans.start()
        if self._webhook is not None:
            self._webhook.start(self.monitor.alerts)
        self.monitor.changes.start(release=f"{__version__}-{head()}")

    async def stop(self, hook: SqlHook) -> None:
        """End all of it; ``hook`` is the one that `steinmetz.live.install` attached."""
        await self.monitor.changes.stop()
        if self._webhook is not None:
            await self._webhook.stop()
        await self.monitor.plans.stop()
        await self.monitor.advisor.aclose()
        self.monitor.loop_lag.stop()
        self.monitor.detach(hook)
        if self.history is not None:
            await self.history.aclose()


def _webhook(settings: Settings, clock: Clock) -> Webhook | None:
    if settings.alert_webhook_url is None or settings.alert_webhook_secret is None:
        return None
    return Webhook(
        settings.alert_webhook_url.get_secret_value(), settings.alert_webhook_secret.get_secret_value(), clock
    )
