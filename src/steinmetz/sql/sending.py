"""A COMMIT on its way whose caller is cancelled meanwhile: he still learns whether it came to pass (trap T7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy.util import greenlet_spawn

COMMIT_GRACE_S = 5.0
"""How long a cancelled task still waits for the fate of the COMMIT it has sent."""


class Abandoned(Exception):  # noqa: N818  it is a state of affairs, not an error
    """The caller was cancelled and the grace is over, but COMMIT is still on its way."""

    def __init__(self, commit: asyncio.Future[Any], cancelled: BaseException) -> None:
        self.commit = commit
        self.cancelled = cancelled


async def to_the_end(send: Callable[..., Any], *arguments: Any) -> BaseException | None:
    """Run ``send`` in a task of its own, so that a cancelled caller still learns whether it came to pass.

    Raises what ``send`` raised, or `Abandoned` if it did not end within `COMMIT_GRACE_S` of the cancellation.
    """
    commit = asyncio.ensure_future(greenlet_spawn(send, *arguments))
    try:
        await asyncio.shield(commit)
    except asyncio.CancelledError as error:
        if commit.cancelled():
            raise
        cancelled = error
    else:
        return None
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + COMMIT_GRACE_S
    while not commit.done():
        try:
            await asyncio.wait({commit}, timeout=deadline_s - loop.time())
        except asyncio.CancelledError as error:
            cancelled = error
        if not commit.done() and loop.time() >= deadline_s:
            raise Abandoned(commit, cancelled)
    commit.result()
    return cancelled
