"""One place in memory for the database pages of all connections to SQLite in this process.

Each commit makes void what the other connections keep, so that blocks of 4 KiB come and go in the heap all day,
between answers that stay: holes, which nothing larger fits into. A pool outside the heap leaves none, and the
connections share it: who reads much takes the pages of who has read nothing for long
(``SQLITE_CONFIG_PAGECACHE``: sqlite.org/c3ref/c_config_covering_index_scan.html, sqlite.org/malloc.html).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sys
from typing import Any

PAGE_BYTES = 4_096
"""SQLite's own choice, and that of every database it has made since 2016; larger ones use the heap."""
PAGES = 2_048
"""Of 4,360 bytes each: as many as 18 connections may keep (`steinmetz.erp.db.PAGES_KIB`)."""
_OK, _CONFIG_PAGECACHE, _CONFIG_PCACHE_HDRSZ, _STATUS_MEMORY_USED = 0, 7, 24, 0
"""``sqlite3.h``."""


def share_pages() -> bool:
    """Give SQLite the pool, before its first connection; False where that cannot be: it uses the heap then.

    The pool is never given back, for SQLite may touch it until the process ends.
    """
    if sys.platform != "linux":
        return False  # functions of any number of arguments are called in another way elsewhere
    # Through the driver one comes to the very library that it uses; built into the interpreter, it has no file.
    sqlite: Any = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    if not hasattr(sqlite, "sqlite3_config") or _is_in_use(sqlite):
        return False
    # It is configured before it is initialised or after it was shut down, and the driver's import initialises it.
    sqlite.sqlite3_shutdown()
    header_bytes = ctypes.c_int()
    sqlite.sqlite3_config(_CONFIG_PCACHE_HDRSZ, ctypes.byref(header_bytes))
    slot_bytes = (PAGE_BYTES + header_bytes.value + 7) & ~7
    allocate = ctypes.CDLL(None).malloc
    allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    pool = ctypes.c_void_p(allocate(PAGES * slot_bytes))
    given = sqlite.sqlite3_config(_CONFIG_PAGECACHE, pool, ctypes.c_int(slot_bytes), ctypes.c_int(PAGES))
    return bool(given == _OK) & bool(sqlite.sqlite3_initialize() == _OK)


def _is_in_use(sqlite: Any) -> bool:
    """Whether there is a connection, which a shutdown would pull the ground from under."""
    used, most = ctypes.c_int(), ctypes.c_int()
    sqlite.sqlite3_status(_STATUS_MEMORY_USED, ctypes.byref(used), ctypes.byref(most), 0)
    return used.value > 0
