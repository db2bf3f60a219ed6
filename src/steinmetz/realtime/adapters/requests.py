"""Questions to all other nodes, and who has answered: what is missing in the end is known by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MAX_OPEN = 10_000


@dataclass(slots=True)
class Answers:
    """``given``: what each node said; ``missing``: nodes that did not answer in time, or went down."""

    given: dict[bytes, Any] = field(default_factory=dict)
    missing: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _Open:
    waited_for: set[bytes]
    answers: Answers
    done: asyncio.Future[None]

    def end_if_complete(self) -> None:
        if not self.waited_for and not self.done.done():
            self.done.set_result(None)


class Requests:
    """The open questions of one node; at most `MAX_OPEN`."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, request: str, nodes: Iterable[bytes]) -> None:
        """Wait for ``nodes``. Raises `RuntimeError` when too many questions are open."""
        if len(self._open) >= MAX_OPEN:
            raise RuntimeError(f"{MAX_OPEN} questions to other nodes are open already")
        opened = _Open(set(nodes), Answers(), asyncio.get_running_loop().create_future())
        opened.end_if_complete()
        self._open[request] = opened

    async def end(self, request: str, timeout_s: float) -> Answers:
        """Wait until all have answered or are gone, at most ``timeout_s`` seconds."""
        opened = self._open[request]
        try:
            async with asyncio.timeout(timeout_s):
                await opened.done
        except TimeoutError:
            opened.answers.missing |= opened.waited_for
        finally:
            del self._open[request]
        return opened.answers

    def answered(self, request: str, node: bytes, answer: Any) -> bool:
        """False if nobody waits for it (any more)."""
        opened = self._open.get(request)
        if opened is None or node not in opened.waited_for:
            return False
        opened.waited_for.discard(node)
        opened.answers.given[node] = answer
        opened.end_if_complete()
        return True

    def gone(self, node: bytes) -> None:
        """Nobody need wait for ``node`` any more."""
        for opened in self._open.values():
            if node in opened.waited_for:
                opened.waited_for.discard(node)
                opened.answers.missing.add(node)
                opened.end_if_complete()
