"""Interleaved rounds: peers take turns, so that a slow minute of the machine hits all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Result = TypeVar("Result")


def interleaved(
    rounds: int, peers: Mapping[str, Callable[[], Result]], say: Callable[[str], None]
) -> dict[str, list[Result]]:
    """Run each peer once a round; every other round in reverse, so that nobody always goes first."""
    results: dict[str, list[Result]] = {name: [] for name in peers}
    for turn in range(rounds):
        names = list(peers)[:: 1 if turn % 2 == 0 else -1]
        for name in names:
            say(f"round {turn + 1} of {rounds}: {name}")
            results[name].append(peers[name]())
    return results
