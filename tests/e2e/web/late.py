"""Journeys on a network that is late, to find what only a quick one makes right.

``LATE`` names what comes late to every page: answers to ``writes``, answers to ``reads``, ``events`` of the socket
(each 700 ms), or all of them by ``chance``. Events keep their order, as they do on a socket. No test needs it; all
must pass with it.
"""

from __future__ import annotations

from typing import Literal, get_args

Late = Literal["writes", "reads", "events", "chance"]

_SCRIPT = """
(() => {
  const late = 'WHAT';
  const isChance = late === 'chance';
  const wait = () => new Promise((go) => setTimeout(go, isChance ? Math.random() * Math.random() * 1200 : 700));
  if (late !== 'events') {
    const fetch = window.fetch;
    window.fetch = async (asked, how) => {
      const answer = await fetch(asked, how);
      const isRead = (how?.method ?? asked.method ?? 'GET').toUpperCase() === 'GET';
      // The session comes in time: without it there is no journey.
      const isSession = String(asked.url ?? asked).includes('/api/auth/');
      if (!isSession && (isChance || isRead === (late === 'reads'))) await wait();
      return answer;
    };
  }
  if (late === 'events' || isChance) {
    const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
    Object.defineProperty(WebSocket.prototype, 'onmessage', {
      ...own,
      set(tell) {
        let before = Promise.resolve();
        own.set.call(this, (event) => {
          before = Promise.all([wait(), before]).then(() => tell.call(this, event));
        });
      },
    });
  }
})();
"""


def late_script(what: str) -> str:
    """What a page runs before its own code. Raises ``ValueError`` for what is not a ``Late``."""
    if what not in get_args(Late):
        raise ValueError(f"LATE={what}: it is one of {', '.join(get_args(Late))}")
    return _SCRIPT.replace("WHAT", what)
