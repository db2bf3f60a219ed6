"""``steinmetz serve``: bring the database to where it must be, then answer."""

from __future__ import annotations

import asyncio
import errno
import gc
import importlib
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import typer

from steinmetz.cli import allocator, page_pool
from steinmetz.cli.database import progress_bar, revision, ringing
from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.settings import Settings

ANSWERS_S = 8
"""How long a stopping server waits for answers that have begun, once its sockets have been sent elsewhere."""
LOOK_EVERY_S = 0.1
BACKLOG = 2048


def serve_command(
    *, host: str | None, port: int | None, workers: int | None, no_seed: bool, traffic: bool = False
) -> None:
    allocator.settle()
    with plain_errors():
        from steinmetz.erp.logging import configure_logging
        from steinmetz.erp.settings import load_settings

        settings = load_settings(host=host, port=port, workers=workers)
        _refuse_workers(settings)
        configure_logging(settings.log_level, settings.log_format)
        if settings.is_embedded:
            page_pool.share_pages()
        door = listen(settings.host, settings.port)
        with door:
            load()
            prepare(settings, no_seed=no_seed)
            _serve(settings, door, traffic=traffic)


def load() -> None:
    """Import the application. Nearly all of what that makes stays: looking for garbage in it again and again would
    be a fifth of the start."""
    gc.disable()
    try:
        for module in ("uvicorn", "steinmetz.erp.main"):
            importlib.import_module(module)
    finally:
        gc.enable()


def _refuse_workers(settings: Settings) -> None:
    if settings.workers == 1:
        return
    if settings.redis_url is None:
        fail(
            f"{settings.workers} workers need STEINMETZ_REDIS_URL: without it one worker would not hear of "
            "another's writes and would give stale answers"
        )
    fail(
        "more than one worker is not supported yet: the requests of one polling client would come to any of them. "
        "Start several servers, each on its own port, behind a balancer that keeps a client at one of them"
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; ends the command with one line if the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        door = socket.socket(family, kind, protocol)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen(BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fail(f"port {port} of {host} is in use; choose another with --port or STEINMETZ_PORT")
        fail(f"cannot listen on {host}:{port}: {error.strerror or error}")
    return door


def prepare(settings: Settings, *, no_seed: bool) -> None:
    """An embedded database is made, migrated and filled; any other must be ready."""
    from steinmetz.erp import migrations
    from steinmetz.erp.neighbours import around_commit

    if settings.is_embedded:
        settings.make_data_dir()
    stands = revision(settings)
    if stands != migrations.head():
        if not settings.is_embedded:
            fail(
                f"the database is at schema {stands or 'nothing'}, this release needs {migrations.head()}: "
                "run `steinmetz migrate` first"
            )
        with ringing(settings, "serve") as ringer, progress_bar() as advance:
            migrations.upgrade(settings.database_address, advance, around_commit=around_commit(ringer))
    if settings.is_embedded and not no_seed:
        _fill_if_empty(settings)


def _fill_if_empty(settings: Settings) -> None:
    from steinmetz.clock import SystemClock
    from steinmetz.erp.kit.days import company_date
    from steinmetz.erp.migrations.transaction import in_transaction
    from steinmetz.erp.modules.auth.passwords import PasswordHasher
    from steinmetz.erp.neighbours import around_commit
    from steinmetz.erp.seed import DEMO, is_empty, seed

    if not in_transaction(settings.url, is_empty):
        return
    with ringing(settings, "serve") as ringer, progress_bar() as advance:
        seed(
            settings.database_address,
            scale=DEMO,
            today=company_date(SystemClock().now()),
            progress=advance,
            password_hasher=PasswordHasher(settings).hash_now,
            around_commit=around_commit(ringer),
        )


def demo_logins(settings: Settings) -> list[str]:
    """The e-mail addresses that still have the published demo password."""
    from sqlalchemy import text

    from steinmetz.erp.migrations.transaction import in_transaction
    from steinmetz.erp.seed import LOGINS

    query = text("SELECT email FROM users WHERE auth_version = 1 AND is_active AND password_hash IS NOT NULL")
    found = set(in_transaction(settings.url, lambda connection: connection.scalars(query).all()))
    return [login.email for login in LOGINS if login.email in found]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def announce(settings: Settings, port: int) -> None:
    """Say where the server is and who may sign in. The database is asked on a thread: on SQLite a write under way
    may have to end first, and its end needs the loop."""
    await asyncio.to_thread(_greet, settings, port)


def _greet(settings: Settings, port: int) -> None:
    from steinmetz.erp.seed import PASSWORD

    host = settings.host if not is_loopback(settings.host) else "localhost"
    typer.echo(f"SteinmetZ answers at http://{host}:{port}", err=True)
    if logins := demo_logins(settings):
        typer.echo(f"Demo logins: {', '.join(logins)}; password {PASSWORD}", err=True)
        if not is_loopback(settings.host):
            typer.echo(
                "Warning: others can reach this server and the demo password is published; change it.", err=True
            )


def _serve(settings: Settings, door: socket.socket, *, traffic: bool = False) -> None:
    import uvicorn

    from steinmetz.cli.clerks import Clerks
    from steinmetz.erp.main import create_app
    from steinmetz.realtime import Collector

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                collector.start()
                await announce(settings, port)
                if traffic:
                    await clerks.come(f"http://127.0.0.1:{port}")

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """First the sockets leave while requests are answered as ever; a second Ctrl-C is in a hurry."""
            await clerks.go_home()
            leaving = asyncio.ensure_future(application.drain())
            while not leaving.done() and not self.force_exit:
                await self.on_tick(0)  # keeps the Date header right
                await asyncio.wait([leaving], timeout=LOOK_EVERY_S)
            leaving.cancel()
            await super().shutdown(sockets)
            await collector.stop()

    clerks, port = Clerks(), door.getsockname()[1]
    options: dict[str, Any] = {}
    if settings.trusted_proxies:
        options = {"proxy_headers": True, "forwarded_allow_ips": list(settings.trusted_proxies)}
    application = create_app(settings)
    assert application.state.io is not None
    collector = Collector(application.state.io.statistics, afterwards=allocator.trim)
    server = Announcing(
        uvicorn.Config(
            application,
            http=application.http_protocol,  # a class, or the word "auto"
            lifespan="on",
            log_config=None,
            access_log=False,  # the edge writes its own, for hits too
            server_header=False,
            timeout_graceful_shutdown=ANSWERS_S,
            **(options or {"proxy_headers": False}),
        )
    )
    server.run(sockets=[door])
    if not server.started:
        fail("the server could not start; the lines above say why", 1)
