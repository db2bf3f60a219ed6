"""The acknowledgements of many to one event: who has been asked, who has answered, who cannot any more.

Decides only: it is told what happens, and says when nothing more can come. Nodes are the other servers of a
cluster; a process alone has none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any


class Gathering:
    """Bound: one entry a socket that was asked. ``settled`` is called once, as soon as nothing more can come.

    ``ack_id`` is the id that the packet carries to everybody. Whoever carries the broadcast out calls `expect`
    with the ids of the sockets that it asks; one that will only hear from other nodes whom they ask calls
    `await_nodes` first and `expect` with the node's name later. Answers come in the order of their arrival.
    """

    __slots__ = ("_expected", "_is_over", "_nodes", "_settled", "ack_id", "answers", "lost")

    def __init__(self, ack_id: int, settled: Callable[[], None]) -> None:
        self.ack_id = ack_id
        self.answers: list[Any] = []
        self.lost: dict[str, str] = {}
        """Who went away before they answered: id and disconnect reason."""
        self._expected: set[str] = set()
        self._nodes: set[str] = set()
        self._is_over = False
        self._settled: Callable[[], None] | None = settled

    @property
    def is_settled(self) -> bool:
        """Whether everybody has been asked and has answered or gone, or nobody wants to know any more."""
        return self._is_over or (not self._expected and not self._nodes)

    def is_waiting_for(self, sid: str) -> bool:
        """Whether ``sid`` has been asked, and is still to answer."""
        return sid in self._expected

    @property
    def missing(self) -> frozenset[str]:
        """The sockets that have not answered, those that went away included."""
        return frozenset(self._expected | self.lost.keys())

    @property
    def silent_nodes(self) -> frozenset[str]:
        """The nodes that have not said yet whom they ask."""
        return frozenset(self._nodes)

    def await_nodes(self, nodes: Collection[str]) -> None:
        """These nodes will say whom they ask."""
        self._nodes.update(nodes)

    def expect(self, sids: Collection[str], node: str | None = None) -> None:
        """These sockets are asked, by ``node`` if it is another one. To be followed by `check`."""
        self._expected.update(sids)
        if node is not None:
            self._nodes.discard(node)

    def answer(self, sid: str, answers: list[Any]) -> bool:
        """``sid`` has acknowledged; its first value counts. False if it was not asked, or has answered already."""
        if sid not in self._expected:
            return False
        self._expected.discard(sid)
        self.answers.append(answers[0] if answers else None)
        self.check()
        return True

    def lose(self, sid: str, reason: str) -> None:
        """``sid`` has gone away."""
        if sid in self._expected:
            self._expected.discard(sid)
            self.lost[sid] = reason
            self.check()

    def lose_node(self, node: str) -> None:
        """``node`` has gone before it said whom it asks: nobody knows who that was."""
        if node in self._nodes:
            self._nodes.discard(node)
            self.lost[f"node {node}"] = "server down"
            self.check()

    def give_up(self) -> None:
        """Nobody wants to know any more: the time is over, or whoever asked has gone."""
        self._is_over = True
        self._settled = None

    def check(self) -> None:
        """Say so if nothing more can come."""
        if self.is_settled and self._settled is not None:
            settled, self._settled = self._settled, None
            settled()
