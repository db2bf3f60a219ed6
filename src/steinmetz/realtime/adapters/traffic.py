"""What one node has said and heard so far: plain counters, for whoever shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Traffic:
    said: int = 0
    """Messages of ours to other nodes, the volatile ones among them."""
    said_again: int = 0
    """... to nodes that had missed them."""
    heard: int = 0
    heard_late: int = 0
    """... because they had been missed the first time."""
    gaps: int = 0
    """Times that something was missing which had been said while the bus was there."""
    losses: int = 0
    """Times that what was missing could not be had any more: clients were made to reconnect."""
    unsayable: int = 0
    """Times that another node asked for something that our journal did not hold any more."""
    outages: Counter[str] = field(default_factory=Counter)
    """Times that the bus went out of reach, by reason: ``deaf`` (we did not hear ourselves any more), ``full`` (it
    took too little), or the name of an error."""
    failed: int = 0
    """Messages that raised an error here; it is in the log."""
    too_large: int = 0
    """Messages that were not passed on for their size."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Messages that did nothing, by reason: ``signature``, ``version``, ``shape``, ``heard before``, ``stranger``,
    ``asked for`` (it comes again, in order), ``too many nodes``."""
