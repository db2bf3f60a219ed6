"""Every setting of the ERP: environment variables with the prefix ``STEINMETZ_``, nothing else.

Secrets are `SecretStr`: they appear in no message, log line or listing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from steinmetz.erp.kit.secret_file import SecretFileError, read_or_make
from steinmetz.gcra import Rate
from steinmetz.monitor.alerts.webhook import check_target, signing_key
from steinmetz.monitor.analysis.alerting import Budget

PREFIX = "STEINMETZ_"
PLAIN_NAMES = frozenset({"SLOW_QUERY_THRESHOLD_MS"})
"""Read without the prefix."""


SMALLEST_RATE = 10
"""A rate below this would refuse single writes."""
MIN_SECRET_BYTES = 32
WELL_KNOWN_WORDS = (
    "secret",
    "changeme",
    "change-me",
    "password",
    "your-256-bit",
    "example",
    "default",
    "insecure",
)
SECRET_FILE = "jwt-secret"
LEGAL_AUDIT_DAYS = 3_650
"""Ten years, as long as books are kept (§ 147 AO): the audit log says how they came to be what they are."""
MAX_RETENTION_DAYS = 36_500


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingsError(Exception):
    """The settings are not usable; the message is one line that names the variable and says what to do."""


Listed = Annotated[tuple[str, ...], NoDecode]
"""Several words in one variable, separated by commas."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    environment: Environment = Environment.PRODUCTION
    """``development`` accepts weak secrets."""
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=0, le=65535)
    """0 lets the system choose."""
    workers: int = Field(1, ge=1, le=64)
    data_dir: Path = Path("data")
    """Holds the embedded database and the secret made on the first start."""
    database_url: SecretStr | None = None
    """``postgresql://…`` or ``sqlite:///…``; without it, a SQLite file in the data folder."""
    redis_url: SecretStr | None = None

    jwt_secret: SecretStr | None = None
    """At least 32 bytes; without it one is made and kept in the data folder."""
    jwt_secret_previous: SecretStr | None = None
    """Still accepted, no longer used for signing: tokens outlive the change of a secret."""
    metrics_token: SecretStr | None = None
    """Asked for at /metrics; without it, /metrics answers the same machine only."""
    access_token_s: int = Field(900, ge=30, le=86_400)
    session_s: int = Field(30 * 86_400, ge=60, le=366 * 86_400)
    """How long one sign-in can be renewed."""

    argon2_memory_kib: int = Field(19_456, ge=8, le=4_194_304)
    """Memory of one password check; with the next two OWASP's second recommended choice (19 MiB, t=2, p=1)."""
    argon2_time_cost: int = Field(2, ge=1, le=100)
    argon2_parallelism: int = Field(1, ge=1, le=64)

    cors_origins: Listed = ()
    """Origins of other sites whose pages may use HTTP and sockets, e.g. ``https://intranet.example.com``."""
    trusted_proxies: Listed = ()
    """Addresses or networks whose X-Forwarded-* headers are believed."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"
    """``auto``: text on a terminal, JSON lines elsewhere."""
    access_log: bool = True

    cache_consistency: Literal["session", "strong"] = "session"
    """What cached routes promise where servers share a Redis."""
    cache: bool = True
    monitor: bool = True
    live: bool = True
    """Kill switches, without a deploy: ``on`` or ``off``."""
    admin_ui: bool = True
    """Whether administrators may watch the sockets with Socket.IO's Admin UI."""
    monitor_history: bool = True
    """Whether the figures of queries outlive the process: what is compared before and after a deploy has to."""
    max_body_bytes: int = Field(1_000_000, ge=1_000, le=1_000_000_000)
    """The largest request body that is read."""
    rate_limit_address: str = "18000/60"
    """Requests and seconds: so many at once, and that many again in each period; a write counts as five."""
    rate_limit_user: str = "3000/60"
    """The same for one user, wherever he asks from. ``off`` for no limit."""
    cache_max_bytes: int = Field(64 * 1024 * 1024, ge=1_000_000)
    cache_warm_s: float = Field(2, ge=0, le=300)
    """How long a start waits in /readyz for the answers that were worth most; the rest is warmed behind it."""
    cache_renew: bool = True
    """Whether an answer that many ask for is computed again as soon as a commit has dropped it."""
    cache_watch: bool = False
    """For development: whether one in twenty hits for another caller is computed all the same and compared, which
    finds a route whose answers are not the same for all who share them. ``dev.py run`` turns it on."""
    foreign_writers: bool = True
    """Whether commits of other programs to the same database are noticed: `steinmetz.live.strangers`."""
    max_connections: int = Field(20_000, ge=1)
    """Sockets of one process."""
    connections_per_address: int = Field(10_000, ge=1)
    """Of these, from one address; an IPv6 network of 64 bits is one, this machine itself is none."""
    connections_per_user: int = Field(200, ge=1)
    """Of these, of one user."""
    drain_per_s: float = Field(1_000, gt=0)
    """Sockets a second that a stopping server sends elsewhere; it comes to its end when all have gone."""
    drain_timeout_s: float = Field(20, gt=0, le=3_600)
    """How long that may take; a crowd that would take longer is sent away faster."""
    drain_notice_s: float = Field(0, ge=0, le=300)
    """How long /readyz says no before the first is sent away: as long as a balancer takes to hear it."""
    batch_workers: int = Field(2, ge=0, le=8)
    """Batch items done at once by one process; 0 leaves them to others. On SQLite one."""
    slow_query_threshold_ms: float = Field(
        100, ge=0, validation_alias=AliasChoices("SLOW_QUERY_THRESHOLD_MS", "slow_query_threshold_ms")
    )
    query_budgets: dict[str, dict[str, float]] = {}
    """What named queries may take, in ms: ``{"finance.invoices": {"p95": 20, "p99": 100}}``; more is an alert."""
    alert_webhook_url: SecretStr | None = None
    """Where alerts are posted to, signed as Standard Webhooks says."""
    alert_webhook_secret: SecretStr | None = None
    """``whsec_`` and Base64, or any text of at least 16 characters."""
    slow_query_thresholds: Annotated[dict[str, Annotated[float, Field(ge=0)]], NoDecode] = {}
    """Other thresholds for single names, ms: ``{"finance.invoices": 300}``."""
    sensitive_columns: Listed = ()
    """Columns whose values no log shows, besides password, token, iban, salary and their like."""
    explain: Literal["off", "slow"] = "slow"
    """Whose plans are asked for without being told to: at most one a second, each statement's every 10 minutes."""

    retention_sessions_days: int = Field(30, ge=0, le=MAX_RETENTION_DAYS)
    """Sign-ins that have ended, and revocations; for this and the next four: 0 keeps for ever."""
    retention_batch_days: int = Field(90, ge=0, le=MAX_RETENTION_DAYS)
    """Batch jobs that have ended, with their items."""
    retention_notices_days: int = Field(365, ge=0, le=MAX_RETENTION_DAYS)
    retention_sign_ins_days: int = Field(180, ge=0, le=MAX_RETENTION_DAYS)
    """The log of sign-ins: it holds addresses of people, and no law wants it for long."""
    retention_audit_days: int = Field(LEGAL_AUDIT_DAYS, ge=0, le=MAX_RETENTION_DAYS)

    commit: str | None = Field(None, max_length=64)
    """What this was built from, shown by /version; a clone knows it by itself."""

    @field_validator("slow_query_thresholds", mode="before")
    @classmethod
    def _is_map(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            decoded = json.loads(value)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            raise ValueError(f'{value!r} is not a JSON map like {{"finance.invoices": 300}} (name: milliseconds)')
        return decoded

    @field_validator("cors_origins", "trusted_proxies", "sensitive_columns", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        )

    @field_validator("rate_limit_address", "rate_limit_user")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        rate(value)
        return value

    @field_validator("log_level", "log_format", "environment", "explain", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, separator, rest = origin.partition("://")
            if scheme not in {"http", "https"} or not separator or not rest or set(rest) & set("/?#@* "):
                raise ValueError(f"{origin!r} is not an origin like https://intranet.example.com (no path, no *)")
        return tuple(origin.lower() for origin in origins)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network, strict=False)
        return networks

    @model_validator(mode="after")
    def _has_known_database(self) -> Settings:
        if self.url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ValueError("DATABASE_URL must begin with postgresql:// or sqlite:///")
        if self.is_embedded and self.url.database in {None, "", ":memory:"}:
            raise ValueError("DATABASE_URL must name a file, like sqlite:///data/steinmetz.db")
        return self

    @field_validator("query_budgets")
    @classmethod
    def _are_budgets(cls, budgets: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        Budget.read(budgets)
        return budgets

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_target(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            check_target(url.get_secret_value())
        return url

    @field_validator("alert_webhook_secret")
    @classmethod
    def _is_signing_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            signing_key(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _has_both_of_webhook(self) -> Settings:
        if (self.alert_webhook_url is None) != (self.alert_webhook_secret is None):
            raise ValueError(f"{PREFIX}ALERT_WEBHOOK_URL and {PREFIX}ALERT_WEBHOOK_SECRET go together")
        return self

    @property
    def url(self) -> URL:
        """The database, with the driver that the application uses."""
        if self.database_url is None:
            return URL.create("sqlite+aiosqlite", database=str(self.data_dir / "steinmetz.db"))
        try:
            url = make_url(self.database_url.get_secret_value())
        except (ArgumentError, ValueError):  # the latter for a port that is no number
            raise ValueError("DATABASE_URL is not an address like postgresql://user@host/name") from None
        kind = url.drivername.partition("+")[0]
        driver = {
            "postgres": "postgresql+asyncpg",
            "postgresql": "postgresql+asyncpg",
            "sqlite": "sqlite+aiosqlite",
        }
        return url.set(drivername=driver.get(kind, kind))

    @property
    def database_address(self) -> str:
        """The database's address in full, password included: for engines, not for people."""
        return self.url.render_as_string(hide_password=False)

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a SQLite file of ours, which migrates itself."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def rate_of_address(self) -> Rate | None:
        return rate(self.rate_limit_address)

    @property
    def rate_of_user(self) -> Rate | None:
        return rate(self.rate_limit_user)

    def token_secrets(self) -> tuple[str, ...]:
        """The secret that signs tokens, then the older one that is still accepted.

        Without a setting the secret is made on the first start and kept in the data folder. Raises `SettingsError`
        for a weak one outside development, and for a file that others can read.
        """
        secrets = []
        for field in ("jwt_secret", "jwt_secret_previous"):
            setting: SecretStr | None = getattr(self, field)
            if setting is None:
                continue
            flaw = weakness(setting.get_secret_value())
            if flaw is not None and self.environment is not Environment.DEVELOPMENT:
                raise SettingsError(
                    f"{variable(field)}: {flaw}. Take the output of `openssl rand -base64 48`, or leave it "
                    "out and one is made; STEINMETZ_ENVIRONMENT=development accepts weak secrets"
                )
            secrets.append(setting.get_secret_value())
        if self.jwt_secret is None:
            secrets.insert(0, self._kept_secret())
        return tuple(secrets)

    def _kept_secret(self) -> str:
        self.make_data_dir()
        try:
            return read_or_make(self.data_dir / SECRET_FILE)
        except SecretFileError as error:
            raise SettingsError(str(error)) from None

    def make_data_dir(self) -> None:
        """Make the data folder, for its owner only, if there is none. Raises `SettingsError`."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"STEINMETZ_DATA_DIR: {self.data_dir} cannot be made: {error.strerror or error}"
            ) from None


def weakness(secret: str) -> str | None:
    """Why ``secret`` must not sign tokens of a company; None if it may."""
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"it is shorter than {MIN_SECRET_BYTES} bytes"
    if len(set(secret)) < 10:
        return "it repeats few characters"
    if any(word in secret.lower() for word in WELL_KNOWN_WORDS):
        return "it contains a well-known word"
    return None


def rate(text: str) -> Rate | None:
    """The rate that ``600/60`` says, 600 requests in 60 seconds; None for ``off`` or ``0``.

    Raises `ValueError`.
    """
    if text.strip().lower() in {"off", "0"}:
        return None
    found = re.fullmatch(r"(\d{1,9})/(\d{1,6})", text.strip())
    burst, window_s = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    if burst < SMALLEST_RATE or window_s < 1:
        raise ValueError(
            f"{text!r} is not a rate like 600/60 (requests/seconds, at least {SMALLEST_RATE} requests) or off"
        )
    return Rate(burst, window_s / burst)


def variable(field: str) -> str:
    """The environment variable of the setting ``field``."""
    name = field.upper()
    return name if name in PLAIN_NAMES else PREFIX + name


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment; ``overrides`` (None: not given) go before it.

    Raises `SettingsError`.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise SettingsError("; ".join(_sentence(finding) for finding in found)) from None


def _sentence(finding: Any) -> str:
    message = str(finding["msg"]).removeprefix("Value error, ")
    if not finding["loc"]:
        return PREFIX + message if message.startswith("DATABASE_URL") else message
    return f"{variable(str(finding['loc'][0]))}: {message}"


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that no setting reads: most likely misspelt."""
    known = {variable(field) for field in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
