"""What glibc's malloc is told by a process that has many threads and lives for weeks.

Each thread that allocates gets an arena of its own, up to eight for each processor, and what one has freed no
other can use; each connection to SQLite has a thread. And the first block of a size that is freed makes malloc
keep all later ones up to that size: the 19 MiB that Argon2 takes for a password then stay with the thread that
checked it (mallopt(3): ``M_ARENA_MAX``, ``M_MMAP_THRESHOLD``, "dynamic mmap threshold").
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""``malloc.h``."""
ARENAS = 1
"""What one thread has freed all others can use. They wait for the interpreter's lock far longer than for this."""
MAPPED_FROM_BYTES = 8 << 20
"""Such a block goes back to the system when it is freed."""
KEPT_BYTES = 16 << 20
"""So much free memory at an arena's end is not given back: it is wanted again soon."""


def is_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


def trim() -> None:
    """Give the free pages of all arenas back to the system: 3 ms for 150 MB, 9 if 25 of them are free."""
    if is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def settle() -> bool:
    """Tell malloc, before there are threads; False where it is not glibc's, which needs to be told nothing."""
    if not is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_M_ARENA_MAX, ARENAS), (_M_MMAP_THRESHOLD, MAPPED_FROM_BYTES), (_M_TRIM_THRESHOLD, KEPT_BYTES))
    return all(mallopt(name, value) == 1 for name, value in settings)
