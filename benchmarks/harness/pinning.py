"""Which core the server has and which the load, so that neither slows the other down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """``apart`` is False on a machine with one core only: server and load then share it, and figures say so."""

    server: frozenset[int]
    load: frozenset[int]

    @property
    def apart(self) -> bool:
        return self.server.isdisjoint(self.load)

    @classmethod
    def of_this_machine(cls) -> Cores:
        """The first usable core for the server, the second for the load."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(frozenset(usable[:1]), frozenset(usable[1:2] or usable[:1]))


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Run this thread, and every process started meanwhile, on ``cores``."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def stand_back() -> None:
    """Let this thread run only while nobody else wants its core, where there is SCHED_IDLE (sched(7)).

    For whoever looks on while others are timed: an ordinary thread that wakes up takes the core for milliseconds.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
