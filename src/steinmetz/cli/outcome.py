"""How a command ends: well, or with one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

CANNOT_BEGIN = 2


def fail(message: str, status: int = CANNOT_BEGIN) -> NoReturn:
    """Say why, in one line on standard error, and end."""
    typer.echo(f"steinmetz: {' '.join(message.split())}", err=True)
    raise typer.Exit(status)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what settings, the database and services raise into one line; status 2.

    Messages of drivers are cut to their kind where they might repeat what was bound to a statement.
    """
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from steinmetz.erp.errors import Problem
    from steinmetz.erp.settings import SettingsError

    try:
        yield
    except typer.Exit:  # a RuntimeError itself; its line has been said
        raise
    except SettingsError as error:
        fail(str(error))
    except Problem as problem:
        fail(problem.detail)
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if error.orig is not None else type(error).__name__
        fail(f"the database refuses: {reason}. `steinmetz doctor` looks for the cause")
    except SQLAlchemyError as error:
        fail(f"the database cannot be used ({type(error).__name__}). `steinmetz doctor` looks for the cause")
    except OSError as error:
        fail(f"{error.strerror or error}. `steinmetz doctor` looks for the cause")
    except RuntimeError as error:
        fail(str(error))
