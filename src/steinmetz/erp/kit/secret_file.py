"""A secret that is made once and kept in a file which only its owner can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


class SecretFileError(Exception):
    """The file cannot be trusted or used; the message says how to mend it."""


def read_or_make(path: Path, *, size: int = 48) -> str:
    """The secret in ``path``; made from ``size`` random bytes, with mode 0600, if there is no such file.

    Two processes that start at once end up with the same secret. Raises `SecretFileError`.
    """
    try:
        try:
            return read(path)
        except FileNotFoundError:
            return _make(path, secrets.token_urlsafe(size))
    except OSError as error:
        raise SecretFileError(f"{path} cannot be used: {error.strerror or error}") from None


def read(path: Path) -> str:
    """The secret in ``path``. Raises `SecretFileError` if others can read it, or `FileNotFoundError`."""
    with path.open(encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise SecretFileError(
                f"{path} can be read by others (mode {mode:04o}): run `chmod 600 {path}` "
                "and, if somebody may have read it, delete it so that a new one is made"
            )
        secret = file.read(10_000).strip()
    if not secret:
        raise SecretFileError(f"{path} is empty: delete it so that a new one is made")
    return secret


def _make(path: Path, secret: str) -> str:
    # Written beside and linked into place: whoever loses the race reads a whole file, never half of one.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return read(path)
        return secret
    finally:
        draft.unlink()
