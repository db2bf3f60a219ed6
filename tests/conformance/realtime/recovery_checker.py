"""The judge of what clients heard: nobody who was told that he is recovered may lack a number, or have one twice.

Every line of numbers ("all", a team, a person) counts 1, 2, 3 ...; the order of all lines is numbered, too. A
client that begins anew begins where the lines stand at that moment (the server says where), and from then on it
must hear the next number of each of its lines, however often it is torn away and recovered, until it begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field


@dataclass
class _Listener:
    """One client in one namespace, since it began."""

    sid: str
    stand: dict[str, int] | None = None
    """The newest number of each of its lines; None until the server has told of it."""
    order: int = 0
    is_here: bool = True
    waiting: list[tuple[str, int, int]] = field(default_factory=list)
    """What it has heard before the server's word on it was read here."""


@dataclass
class Judge:
    """``problems``: what no client may ever see. ``recovered`` and ``anew``: how the returns ended."""

    problems: list[str] = field(default_factory=list)
    recovered: int = 0
    anew: int = 0
    heard: int = 0
    silent_returns: int = 0
    """Recoveries of clients that had heard nothing before."""
    _begun: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    _listeners: dict[tuple[str, str], _Listener] = field(default_factory=dict)

    def begins(self, namespace: str, sid: str, recovered: bool, stand: Mapping[str, int]) -> None:
        """The server has admitted a socket; where its lines stand."""
        if recovered:
            return
        self._begun[namespace, sid] = dict(stand)
        for (name, of), listener in self._listeners.items():
            if of == namespace and listener.sid == sid and listener.stand is None:
                listener.stand = dict(stand)
                waiting, listener.waiting = listener.waiting, []
                for heard in waiting:
                    self._judge(name, namespace, listener, *heard)

    def connects(self, name: str, namespace: str, sid: str, recovered: bool) -> None:
        listener = self._listeners.get((name, namespace))
        if recovered:
            self.recovered += 1
            if listener is None:
                self._problem(name, namespace, "is recovered, but was never there")
                return
            listener.is_here = True
            self.silent_returns += listener.order == 0 and not listener.waiting
            return
        self.anew += listener is not None
        stand = self._begun.get((namespace, sid))
        self._listeners[name, namespace] = _Listener(sid, None if stand is None else dict(stand))

    def copies(self, name: str, namespace: str, of: str) -> None:
        """The new client ``name`` shows the pid of ``of``. If it gets away with that, it goes on from there."""
        self._listeners[name, namespace] = deepcopy(self._listeners[of, namespace])

    def disconnects(self, name: str, namespace: str) -> None:
        if (name, namespace) in self._listeners:
            self._listeners[name, namespace].is_here = False

    def hears(self, name: str, namespace: str, line: str, number: int, order: int) -> None:
        self.heard += 1
        listener = self._listeners.get((name, namespace))
        if listener is None:
            self._problem(name, namespace, f"hears {line} {number}, but is not there")
        elif listener.stand is None:
            listener.waiting.append((line, number, order))
        else:
            self._judge(name, namespace, listener, line, number, order)

    def _judge(self, name: str, namespace: str, listener: _Listener, line: str, number: int, order: int) -> None:
        assert listener.stand is not None
        if line not in listener.stand:
            self._problem(name, namespace, f"hears {line} {number}, which is not for it")
            return
        expected = listener.stand[line] + 1
        if number < expected:
            self._problem(name, namespace, f"hears {line} {number} twice")
        elif number > expected:
            self._problem(name, namespace, f"hears {line} {number}, but not {expected}")
        if order <= listener.order:
            self._problem(name, namespace, f"hears {line} {number} out of order")
        listener.stand[line] = max(number, listener.stand[line])
        listener.order = max(order, listener.order)

    def leaves(self, name: str) -> None:
        for known in [known for known in self._listeners if known[0] == name]:
            del self._listeners[known]

    def lacks(self, said: Mapping[str, Mapping[str, int]]) -> list[str]:
        """What those who are there have not heard (yet) of all that was ``said``."""
        lacking: list[str] = []
        for (name, namespace), listener in self._listeners.items():
            if listener.stand is None or not listener.is_here:
                lacking.append(f"{name} is not in {namespace}")
            for line, number in (listener.stand or {}).items():
                newest = said[namespace].get(line, 0)
                if number < newest:
                    lacking.append(f"{name} in {namespace} lacks {line} {number + 1} to {newest}")
        return lacking

    def _problem(self, name: str, namespace: str, what: str) -> None:
        self.problems.append(f"{name} in {namespace} {what}")
