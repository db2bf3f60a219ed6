"""``steinmetz doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from steinmetz.cli.connecting import screens, sockets
from steinmetz.cli.finding import Finding, Verdict, fault, fine, warning

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings

PROBE_S = 3.0
LOW_DISK_MB = 500
FULL_DISK_MB = 50


Check = Callable[["Settings"], Iterable[Finding]]


def doctor_command(*, as_json: bool) -> None:
    findings = list(examine())
    if as_json:
        import orjson

        report = {"healthy": not _has_fault(findings), "findings": [asdict(finding) for finding in findings]}
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        for finding in findings:
            colour = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.FAULT: "red"}[finding.verdict]
            typer.echo(f"{typer.style(f'{finding.verdict:<8}', fg=colour)} {finding.check:<14} {finding.message}")
            if finding.mend:
                typer.echo(f"{'':<24}{finding.mend}")
    raise typer.Exit(1 if _has_fault(findings) else 0)


def _has_fault(findings: Iterable[Finding]) -> bool:
    return any(finding.verdict is Verdict.FAULT for finding in findings)


def examine() -> Iterator[Finding]:
    """All findings; unusable settings end the examination, for everything else depends on them."""
    from steinmetz.erp.settings import SettingsError, load_settings, unknown_variables

    try:
        settings = load_settings()
    except SettingsError as error:
        yield fault("settings", str(error), "Correct the variable; `steinmetz config show` lists all of them.")
        return
    unknown = unknown_variables(os.environ)
    if unknown:
        yield warning("settings", f"nobody reads {', '.join(unknown)}", "Check the spelling.")
    else:
        yield fine("settings", "all variables are understood")
    checks: tuple[Check, ...] = (
        data_folder,
        secret,
        disk,
        database,
        retention,
        redis,
        port,
        workers,
        sockets,
        screens,
        clients,
        logs,
        slow_queries,
        web_page,
    )
    for check in checks:
        yield from check(settings)


def data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        yield fine("data folder", f"{folder} will be made on the first start")
        return
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield fault(
            "data folder", f"{folder} cannot be written: {error.strerror}", f"chown or chmod u+rwx {folder}"
        )
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        yield warning("data folder", f"{folder} is open to others (mode {mode:04o})", f"chmod 700 {folder}")
    else:
        yield fine("data folder", f"{folder} can be written, by its owner only")


def secret(settings: Settings) -> Iterator[Finding]:
    from steinmetz.erp.kit.secret_file import SecretFileError, read
    from steinmetz.erp.settings import SECRET_FILE, Environment, SettingsError, weakness

    if settings.jwt_secret is None:
        file = settings.data_dir / SECRET_FILE
        try:
            read(file)
        except FileNotFoundError:
            yield fine("secret", f"will be made in {file} on the first start")
        except (SecretFileError, OSError) as error:
            yield fault("secret", str(error), "Tokens signed with a known secret let anybody in.")
        else:
            yield fine("secret", f"kept in {file}")
        return
    flaw = weakness(settings.jwt_secret.get_secret_value())
    if flaw is None:
        yield fine("secret", "STEINMETZ_JWT_SECRET is set")
    elif settings.environment is Environment.DEVELOPMENT:
        yield warning("secret", f"STEINMETZ_JWT_SECRET is weak: {flaw}", "Good for development only.")
    else:
        yield fault("secret", f"STEINMETZ_JWT_SECRET is weak: {flaw}", "Take `openssl rand -base64 48`.")
    try:
        settings.token_secrets()
    except SettingsError as error:
        if flaw is None:
            yield fault("secret", str(error), "Correct or remove the older secret.")


def database(settings: Settings) -> Iterator[Finding]:
    from steinmetz.cli.database import revision
    from steinmetz.erp.migrations import head

    address = settings.url.render_as_string(hide_password=True)
    if settings.is_embedded and not Path(settings.url.database or "").exists():
        yield fine("database", f"{settings.url.database} will be made on the first start")
        return
    try:
        stands = revision(settings)
    except Exception as error:  # whatever the driver raises, it is a finding
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        yield fault(
            "database", f"{address} does not answer: {reason}", "Start it, or correct STEINMETZ_DATABASE_URL."
        )
        return
    yield fine("database", f"{address} answers")
    if stands == head():
        yield fine("migrations", f"at {stands}, as this release needs")
    elif settings.is_embedded:
        yield fine("migrations", f"at {stands or 'nothing'}; the next start brings it to {head()}")
    else:
        yield fault("migrations", f"at {stands or 'nothing'}, this release needs {head()}", "steinmetz migrate")
    if stands is not None:
        yield from demo_passwords(settings)
    if stands == head():
        yield from logs_of_the_company(settings)


def logs_of_the_company(settings: Settings) -> Iterator[Finding]:
    """What only the database knows: whether its logs can be changed, and whether it still refuses changes."""
    import asyncio

    from steinmetz.cli.maintenance import told
    from steinmetz.clock import SystemClock
    from steinmetz.erp.db import Database
    from steinmetz.erp.modules.system import service

    async def ask() -> tuple[list[str], service.maintenance.MaintenanceView]:
        database = Database(settings.database_address, pool_size=1)
        try:
            async with database.unit(writes=False) as unit:
                return await service.retention.missing_guards(unit), await service.maintenance.maintenance(unit)
        finally:
            await database.close()

    missing, state = asyncio.run(ask())
    if missing:
        mend = "Restore the backup from before, or make them as migration 0007_system.py does."
        yield fault("audit", f"the logs can be changed: {', '.join(missing)} missing or disabled", mend)
    else:
        yield fine("audit", "the logs can only grow")
    if not state.enabled:
        yield fine("maintenance", "off")
    elif state.until is not None and state.until > SystemClock().now():
        yield fine("maintenance", told(state))
    else:
        yield warning("maintenance", f"{told(state)} Nobody has announced an end.", "steinmetz maintenance off")


def disk(settings: Settings) -> Iterator[Finding]:
    import shutil

    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < FULL_DISK_MB:
        yield fault("disk", f"only {free_mb} MB are free at {folder}", "Make room: soon nothing can be written.")
    elif free_mb < LOW_DISK_MB:
        yield warning("disk", f"only {free_mb} MB are free at {folder}", "Make room before it is full.")
    else:
        yield fine("disk", f"{free_mb} MB are free")


def retention(settings: Settings) -> Iterator[Finding]:
    from steinmetz.erp.settings import LEGAL_AUDIT_DAYS, variable

    days = settings.retention_audit_days
    name = variable("retention_audit_days")
    if 0 < days < LEGAL_AUDIT_DAYS:
        yield warning(
            "retention",
            f"the audit log is kept for {days} days only",
            f"{name}={LEGAL_AUDIT_DAYS}: books are kept for ten years (§ 147 AO), with how they came to be.",
        )
    else:
        yield fine("retention", f"the audit log is kept for {f'{days} days' if days else 'ever'}")
    if settings.retention_sign_ins_days == 0:
        yield warning(
            "retention",
            "the log of sign-ins, with people's addresses, is kept for ever",
            f"{variable('retention_sign_ins_days')}=180, or what your data protection officer says.",
        )


def demo_passwords(settings: Settings) -> Iterator[Finding]:
    from steinmetz.cli.serve import demo_logins, is_loopback

    logins = demo_logins(settings)
    if logins and not is_loopback(settings.host):
        yield fault(
            "demo logins",
            f"{', '.join(logins)} have the published password and {settings.host} can be reached by others",
            "Sign in as each and change it, or disable them under /api/users.",
        )


def redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is None:
        yield fine("redis", "not used")
        return
    try:
        from redis import Redis
        from redis.exceptions import RedisError
    except ModuleNotFoundError:
        yield fault("redis", "the driver is not installed", "pip install 'steinmetz[redis]'")
        return
    try:
        client = Redis.from_url(
            settings.redis_url.get_secret_value(), socket_connect_timeout=PROBE_S, socket_timeout=PROBE_S
        )
        with client:
            client.ping()
    except (RedisError, ValueError, OSError) as error:
        yield fault(
            "redis", f"does not answer ({type(error).__name__})", "Start it, or correct STEINMETZ_REDIS_URL."
        )
    else:
        yield fine("redis", "answers")


def port(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host}:{settings.port}"
    try:
        info = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(info[0], info[1], info[2]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(info[4])
    except OSError as error:
        if _is_ours(settings):
            yield fine("port", f"{where} is in use by a running SteinmetZ")
        else:
            yield fault(
                "port", f"{where}: {error.strerror or error}", "Free it, or choose another: STEINMETZ_PORT."
            )
    else:
        yield fine("port", f"{where} is free")


def _is_ours(settings: Settings) -> bool:
    from http.client import HTTPConnection, HTTPException

    host = "127.0.0.1" if settings.host in {"0.0.0.0", ""} else settings.host
    connection = HTTPConnection(host, settings.port, timeout=PROBE_S)
    try:
        connection.request("GET", "/version")
        return b'"schema"' in connection.getresponse().read(1_000)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def workers(settings: Settings) -> Iterator[Finding]:
    if settings.workers > 1:
        yield fault("workers", f"{settings.workers} workers are not supported yet", "Set STEINMETZ_WORKERS=1.")


def clients(settings: Settings) -> Iterator[Finding]:
    from steinmetz.cli.serve import is_loopback

    plain = [
        origin
        for origin in settings.cors_origins
        if origin.startswith("http://") and not is_loopback(origin.removeprefix("http://").partition(":")[0])
    ]
    if plain:
        yield warning("clients", f"tokens go unencrypted to {', '.join(plain)}", "Use https origins.")
    elif settings.cors_origins:
        yield fine("clients", f"pages of {', '.join(settings.cors_origins)} may use this server")
    else:
        yield fine("clients", "only our own pages (STEINMETZ_CORS_ORIGINS names others)")
    if not is_loopback(settings.host) and not settings.trusted_proxies:
        yield warning(
            "clients",
            "others can reach this server without TLS",
            "Put a TLS proxy before it and name it in STEINMETZ_TRUSTED_PROXIES.",
        )


def logs(settings: Settings) -> Iterator[Finding]:
    if settings.log_level == "error":
        yield warning(
            "log", "level error hides the warnings of slow queries", "STEINMETZ_LOG_LEVEL=warning or info."
        )
    else:
        access = "with" if settings.access_log else "without"
        yield fine("log", f"level {settings.log_level}, {access} a line for each request")


def slow_queries(settings: Settings) -> Iterator[Finding]:
    threshold = settings.slow_query_threshold_ms
    if not settings.monitor:
        yield warning("slow queries", "the query monitor is off", "STEINMETZ_MONITOR=on")
    elif threshold < 1:
        yield warning(
            "slow queries", f"nearly every query is slower than {threshold:g} ms", "Raise SLOW_QUERY_THRESHOLD_MS."
        )
    else:
        yield fine("slow queries", f"those above {threshold:g} ms are logged (SLOW_QUERY_THRESHOLD_MS)")


def web_page(settings: Settings) -> Iterator[Finding]:
    import steinmetz

    if (Path(steinmetz.__file__).parent / "static" / "index.html").exists():
        yield fine("web page", "built")
    else:
        yield fault("web page", "not built", "python3 dev.py run builds it; wheels carry it.")
