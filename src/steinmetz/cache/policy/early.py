"""When a fresh answer is computed anew before its time, so that nobody ever waits for it (XFetch).

"Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti, Lowenstein, VLDB 2015): recompute as soon
as ``now - delta * beta * ln(rand()) >= expiry``, where delta is what computing takes. The more often an answer is
asked for and the longer it takes to compute, the earlier somebody draws the lot; where nobody asks, nobody draws.
"""

from __future__ import annotations

from math import log

from steinmetz.cache.policy.entry import Entry


def is_due(entry: Entry, now_s: float, draw: float) -> bool:
    """Whether the request that drew ``draw`` (evenly from 0 to 1, 0 left out) begins the refresh of ``entry``."""
    early = entry.terms.early
    return early > 0 and now_s - entry.cost_ns / 1e9 * early * log(draw) >= entry.expires_s
