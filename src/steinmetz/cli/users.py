"""``steinmetz user create`` and ``steinmetz token``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from steinmetz.cli.outcome import fail, plain_errors

if TYPE_CHECKING:
    from steinmetz.erp.modules.auth.doorkeeper import Doorkeeper

T = TypeVar("T")


def create_user_command(email: str, name: str, role: str, password_file: Path | None) -> None:
    with plain_errors():
        from pydantic import ValidationError

        from steinmetz.erp.kit.roles import SYSTEM
        from steinmetz.erp.modules.auth.schemas import NewUserInput

        try:
            new = NewUserInput.model_validate(
                {"email": email, "name": name, "role": role, "password": _password(password_file)}
            )
        except ValidationError as error:
            found = error.errors(include_input=False)[0]
            fail(f"--{found['loc'][0]}: {found['msg'].removeprefix('Value error, ')}")
        user = _with_doorkeeper("user create", lambda doorkeeper: doorkeeper.create_user(SYSTEM, new))
        typer.echo(f"Created {user.email} as {user.role.value}.")


def _password(file: Path | None) -> str:
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    if str(file) == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        fail(f"--password-file: {file}: {error.strerror}")


def token_command(email: str) -> None:
    with plain_errors():
        given = _with_doorkeeper("token", lambda doorkeeper: doorkeeper.vouch_for(email, "steinmetz token"))
        typer.echo(given.access_token)
        typer.echo(f"Lasts {given.access_s} s; send it as 'Authorization: Bearer <token>'.", err=True)


def _with_doorkeeper(command: str, work: Callable[[Doorkeeper], Awaitable[T]]) -> T:
    from steinmetz.cli.database import opened
    from steinmetz.erp.modules.auth.doorkeeper import Doorkeeper
    from steinmetz.erp.modules.auth.passwords import PasswordHasher
    from steinmetz.erp.modules.auth.throttle import LoginThrottle
    from steinmetz.erp.modules.auth.tokens import Tokens
    from steinmetz.erp.settings import load_settings

    settings = load_settings(log_level="error")

    async def run() -> T:
        tokens = Tokens(settings.token_secrets(), access_s=settings.access_token_s)
        async with opened(settings, command) as database:
            doorkeeper = Doorkeeper(
                database, PasswordHasher(settings), tokens, LoginThrottle(), session_s=settings.session_s
            )
            return await work(doorkeeper)

    return asyncio.run(run())
