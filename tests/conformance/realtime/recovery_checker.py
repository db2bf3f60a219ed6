"""The judge of what clients heard: nobody who was told that he is recovered may lack a number, or have one twice.

Every line of numbers ("all", a team, a person) counts 1, 2, 3 ...; the order of all lines is numbered, too. A
client that begins anew begins where the lines stand at that moment (the server says where), and from then on it
must hear the next number of each of its lines, however often it is torn away and recovered, until it begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class _Listener:
    """One client in one namespace, since it began."""

    stand: dict[str, int] | None = None
    order: int = 0
    is_here: bool = False


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
        if not recovered:
            self._begun[namespace, sid] = dict(stand)

    def has_begun(self, namespace: str, sid: str) -> bool:
        """Whether the server has told of the socket ``sid`` yet."""
        return (namespace, sid) in self._begun

    def connects(self, name: str, namespace: str, sid: str, recovered: bool) -> None:
        is_first = (name, namespace) not in self._listeners
        listener = self._listeners.setdefault((name, namespace), _Listener())
        listener.is_here = True
        if recovered:
            self.recovered += 1
            if listener.stand is None:
                self._problem(name, namespace, "is recovered, but was never there")
                listener.stand = {}
            elif listener.order == 0:
                self.silent_returns += 1
            return
        self.anew += not is_first
        listener.order = 0
        # One that the server has not told of was killed with it: it may hear nothing at all.
        listener.stand = dict(self._begun.get((namespace, sid), {}))

    def copies(self, name: str, namespace: str, of: str) -> None:
        """The new client ``name`` shows the pid of ``of``. If it gets away with that, it goes on from there."""
        listener = self._listeners[of, namespace]
        self._listeners[name, namespace] = _Listener(dict(listener.stand or {}), listener.order)

    def disconnects(self, name: str, namespace: str) -> None:
        self._listeners[name, namespace].is_here = False

    def hears(self, name: str, namespace: str, line: str, number: int, order: int) -> None:
        self.heard += 1
        listener = self._listeners.get((name, namespace))
        if listener is None or listener.stand is None or line not in listener.stand:
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
            if not listener.is_here:
                lacking.append(f"{name} is not in {namespace}")
            for line, number in (listener.stand or {}).items():
                newest = said[namespace].get(line, 0)
                if number < newest:
                    lacking.append(f"{name} in {namespace} lacks {line} {number + 1} to {newest}")
        return lacking

    def _problem(self, name: str, namespace: str, what: str) -> None:
        self.problems.append(f"{name} in {namespace} {what}")
