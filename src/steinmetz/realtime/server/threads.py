"""Handlers that block: a plain function runs on the event loop, and one that waits there would stop everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def run_in_thread(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Make a handler or middleware that blocks (a file, a query, a computation) run in a thread of its own.

    What it returns is the acknowledgement, and what it raises is treated as ever; the client's next event waits
    for it, and nobody else does. It may emit, join, leave and disconnect, and sees the context variables of the
    event. Threads come from the loop's default executor, which bounds them; a thread that has begun is not stopped
    by a shutdown. Raises `TypeError` for a coroutine function.

    >>> @io.on("report")
    ... @run_in_thread
    ... def report(socket, year):
    ...     return render(year)
    """
    if asyncio.iscoroutinefunction(function):
        raise TypeError("a coroutine function does not block: it needs no thread")

    @wraps(function)
    async def in_thread(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(function, *args, **kwargs)

    return in_thread
