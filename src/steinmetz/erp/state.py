"""What the application is made of, held at ``app.state.steinmetz``; `main.create_app` fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.requests import Request

from steinmetz.erp.modules.auth.doorkeeper import Doorkeeper
from steinmetz.erp.modules.chat.pace import Pace

if TYPE_CHECKING:
    from steinmetz.cache import ResponseCache
    from steinmetz.clock import Clock
    from steinmetz.erp.db import Database
    from steinmetz.erp.edge import Traffic
    from steinmetz.erp.modules.auth.identity import Identity
    from steinmetz.erp.modules.auth.passwords import PasswordHasher
    from steinmetz.erp.modules.auth.throttle import LoginThrottle
    from steinmetz.erp.modules.batch.events import Listeners
    from steinmetz.erp.rates import RateLimits
    from steinmetz.erp.scheduler import Scheduler
    from steinmetz.erp.settings import Settings
    from steinmetz.erp.warming import Warming
    from steinmetz.monitor import QueryMonitor
    from steinmetz.realtime import Server


@dataclass(slots=True, kw_only=True)
class AppState:
    """The parts of one running application. A part that there is none of is None."""

    settings: Settings
    database: Database
    clock: Clock
    identity: Identity
    """Proves access tokens; the cache's `Authenticator`."""
    hasher: PasswordHasher
    throttle: LoginThrottle
    traffic: Traffic
    """Counts of requests, for /metrics."""
    rates: RateLimits
    """How many requests an address and a user may make."""
    batch: Listeners
    """Who is told of batch jobs: clients, and the workers of this process."""
    io: Server | None = None
    cache: ResponseCache | None = None
    monitor: QueryMonitor | None = None
    warming: Warming | None = None
    scheduler: Scheduler | None = None
    live_stats: Callable[[], dict[str, int]] = dict
    """What clients listen to; see `steinmetz.live.Live.stats`."""
    probes: dict[str, Callable[[], str]] = field(default_factory=dict)
    """For /readyz: the process's own workers, each ``ok`` or what is wrong with it, told without waiting."""
    chat_pace: Pace = field(default_factory=Pace)
    started_at: datetime = field(init=False)
    doorkeeper: Doorkeeper = field(init=False)
    """Sign-ins: made, renewed, ended."""

    def __post_init__(self) -> None:
        self.started_at = self.clock.now()
        self.doorkeeper = Doorkeeper(
            self.database, self.hasher, self.identity.tokens, self.throttle, session_s=self.settings.session_s
        )


def state_of(request: Request) -> AppState:
    """The state of the application that ``request`` reached."""
    state: AppState = request.app.state.steinmetz
    return state
