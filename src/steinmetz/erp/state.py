"""What the application is made of, held at ``app.state.steinmetz``; `main.create_app` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from steinmetz.erp.kit.secret_file import SecretFileError, read_or_make
from steinmetz.erp.settings import Environment, Settings, SettingsError

if TYPE_CHECKING:
    from steinmetz.cache import ResponseCache
    from steinmetz.clock import Clock
    from steinmetz.erp.db import Database
    from steinmetz.erp.edge import ResponseHeaders, Traffic
    from steinmetz.erp.modules.auth.events import Gate
    from steinmetz.erp.modules.auth.identity import Identity
    from steinmetz.erp.modules.auth.passwords import PasswordHasher
    from steinmetz.erp.modules.auth.service import Doorkeeper
    from steinmetz.monitor import QueryMonitor
    from steinmetz.realtime import Server


@dataclass(slots=True, kw_only=True)
class AppState:
    """The parts of one running application; make it with `make_state`. A part that is switched off is None."""

    settings: Settings
    database: Database
    clock: Clock
    hasher: PasswordHasher
    doorkeeper: Doorkeeper
    """Sign-ins: made, renewed, ended."""
    identity: Identity
    """Proves access tokens; the cache's `Authenticator`."""
    gate: Gate
    """Lets sockets in; ``database.publisher = gate.attach(io)``."""
    headers: ResponseHeaders
    """Its ``finish`` is the cache's."""
    traffic: Traffic
    io: Server | None = None
    cache: ResponseCache | None = None
    monitor: QueryMonitor | None = None


def state_of(request: Request) -> AppState:
    """The state of the application that ``request`` reached."""
    state: AppState = request.app.state.steinmetz
    return state


def make_hasher(settings: Settings) -> PasswordHasher:
    """Argon2id with the parameters of the settings."""
    from steinmetz.erp.modules.auth.passwords import PasswordHasher

    return PasswordHasher(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
    )


def jwt_secrets(settings: Settings) -> list[str]:
    """The secret that signs, then the one that is still accepted.

    Without a setting the secret is made on the first start and kept in the data folder. Raises `SettingsError` for
    a weak one outside development, and for a file that others can read.
    """
    from steinmetz.erp.modules.auth.tokens import weakness

    secrets = []
    for name, secret in (
        ("STEINMETZ_JWT_SECRET", settings.jwt_secret),
        ("STEINMETZ_JWT_SECRET_PREVIOUS", settings.jwt_secret_previous),
    ):
        if secret is None:
            continue
        flaw = weakness(secret.get_secret_value())
        if flaw is not None and settings.environment is not Environment.DEVELOPMENT:
            raise SettingsError(
                f"{name}: {flaw}. Take `openssl rand -base64 48`, or leave it out and one is made; "
                "STEINMETZ_ENVIRONMENT=development accepts weak secrets"
            )
        secrets.append(secret.get_secret_value())
    if settings.jwt_secret is None:
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            secrets.insert(0, read_or_make(settings.data_dir / "jwt-secret"))
        except SecretFileError as error:
            raise SettingsError(str(error)) from None
        except OSError as error:
            raise SettingsError(
                f"STEINMETZ_DATA_DIR: {settings.data_dir} cannot be made or read: {error.strerror}"
            ) from None
    return secrets


def make_state(settings: Settings, database: Database, clock: Clock) -> AppState:
    """The state without the three parts, which `main.create_app` joins. Raises `SettingsError`."""
    from steinmetz.erp.edge import ResponseHeaders, Traffic
    from steinmetz.erp.modules.auth.events import Gate
    from steinmetz.erp.modules.auth.identity import Identity
    from steinmetz.erp.modules.auth.service import Doorkeeper
    from steinmetz.erp.modules.auth.throttle import LoginThrottle
    from steinmetz.erp.modules.auth.tokens import Tokens

    tokens = Tokens(jwt_secrets(settings), access_s=settings.access_token_s)
    hasher = make_hasher(settings)
    identity = Identity(database, tokens, clock)
    return AppState(
        settings=settings,
        database=database,
        clock=clock,
        hasher=hasher,
        doorkeeper=Doorkeeper(database, hasher, tokens, LoginThrottle(), session_s=settings.session_s),
        identity=identity,
        gate=Gate(identity),
        headers=ResponseHeaders(settings.cors_origins),
        traffic=Traffic(),
    )
