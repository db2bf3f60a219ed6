"""Where doorbells hang: one socket a live server, in a folder that only its owner may enter."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from steinmetz.clock import Clock, SystemClock

SUFFIX = ".sock"
PATH_BYTES = 107
"""Of a Unix socket's address, without its closing zero."""
SETTLED_S = 2.0
"""A folder's time stamp is coarse: a listing younger than this after the last change may have missed another."""

_HANDLES = Path("/proc/self/fd")


class NoPlaceError(OSError):
    """There can be no doorbell here; the message says why and what to do."""


def name_of_database(url: URL) -> str | None:
    """What tells one database from another between the processes of one machine; None if it is in memory only.

    A file by its resolved path; a server by host, port and name, with all names of this machine taken for one.
    """
    backend = url.get_backend_name()
    if backend == "sqlite":
        if url.database in {None, "", ":memory:"}:
            return None
        path = os.fsencode(os.path.realpath(str(url.database)))
        return f"sqlite:{path.decode('utf-8', 'backslashreplace')}"
    given = url.query.get("host", url.host) or ""
    host = (given if isinstance(given, str) else given[0]).lower()
    if host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"}:
        host = "here"
    port = url.port or url.query.get("port") or {"postgresql": 5432, "mysql": 3306}.get(backend, 0)
    return f"{backend}:{host}:{port}/{url.database or ''}"


@dataclass(frozen=True, slots=True)
class Place:
    """``folder`` holds the sockets of all servers that share it; ``database`` tells whose writes concern them."""

    folder: Path
    database: str

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises `NoPlaceError`."""
        if not hasattr(socket, "AF_UNIX"):
            raise NoPlaceError("this system has no Unix sockets")
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            found = self.folder.stat()
            if found.st_uid != os.geteuid():
                raise NoPlaceError(f"{self.folder} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                self.folder.chmod(0o700)
        except NoPlaceError:
            raise
        except OSError as error:
            raise NoPlaceError(f"{self.folder} cannot be made: {error.strerror or error}") from None

    @contextmanager
    def address(self, name: str) -> Iterator[str]:
        """The address of the socket ``name``, good inside the block only. Raises `NoPlaceError`.

        A path too long for an address is reached through an open handle on its folder, where the system has them.
        """
        path = self.folder / name
        if len(os.fsencode(path)) <= PATH_BYTES:
            yield str(path)
            return
        if not _HANDLES.is_dir():
            raise NoPlaceError(f"{self.folder} is too long a path for a socket: choose a shorter data folder")
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield str(_HANDLES / str(handle) / name)
        finally:
            os.close(handle)

    def knock(self, name: str, timeout_s: float) -> socket.socket | None:
        """A connection to the socket ``name``; None if nobody is there, and then the dead socket is removed.

        Raises `OSError` if somebody is there who does not open, or who is not to be trusted.
        """
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(max(timeout_s, 0.001))
            with self.address(name) as address:
                line.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            # A socket gets its name when it listens already: one that refuses has been left behind.
            line.close()
            (self.folder / name).unlink(missing_ok=True)
            return None
        except BaseException:
            line.close()
            raise
        user = user_of(line)
        if user is not None and user not in {os.geteuid(), self.folder.stat().st_uid}:
            line.close()
            raise PermissionError(errno.EACCES, f"{name} is another user's")
        return line


class Listing:
    """Who has a doorbell in a folder, read again only when the folder has changed: 1 µs otherwise."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = str(folder)
        self._clock = clock or SystemClock()
        self._changed_ns = -1
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        """The names of the sockets. Raises `OSError` if the folder is there and cannot be read."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns
            if changed_ns != self._changed_ns:
                names = frozenset(name for name in os.listdir(self._folder) if _is_bell(name))
                is_settled = self._clock.now().timestamp() - changed_ns / 1e9 > SETTLED_S
                self._names, self._changed_ns = names, changed_ns if is_settled else -1
        except FileNotFoundError:
            self._names, self._changed_ns = frozenset(), -1
        return self._names


def _is_bell(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def user_of(line: socket.socket) -> int | None:
    """The user id of the process at the other end; None where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(user)
