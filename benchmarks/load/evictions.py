"""Traces of requests and the peers that run through them: started by ``benchmarks.eviction`` in a Python of its
own that has the peers and nothing of ours.

``python evictions.py PEER TRACE COUNT`` prints one JSON line. A trace is a list of key numbers; every key weighs
the same, so that caches which count entries and those which count bytes have the same room.
"""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from itertools import accumulate
from random import Random
from time import process_time_ns
from typing import Any

SEED = 20260302
KEYS = 50_000
ROOM = 2_500
"""Entries that fit: a twentieth of the keys, as in research/caching.md, 4."""
DRIFT = 12
LOOP = 3_000
"""Addresses that a poller goes round; a few more than fit."""

Get = Callable[[bytes], Any]
Put = Callable[[bytes, int], Any]


def zipf(random: Random, count: int, keys: int = KEYS, exponent: float = 0.9) -> list[int]:
    weights = list(accumulate(1 / rank**exponent for rank in range(1, keys + 1)))
    return random.choices(range(keys), cum_weights=weights, k=count)


def scans(random: Random, count: int) -> list[int]:
    """Two in five are asked for once and never again."""
    usual, fresh = zipf(random, count), iter(range(KEYS, KEYS + count))
    return [next(fresh) if random.random() < 0.4 else number for number in usual]


def drifting(random: Random, count: int, drift: int = DRIFT) -> list[int]:
    """What is popular moves on: the newest key is asked for most, and each ``drift`` requests bring a new one."""
    return [
        (number - at // drift) % KEYS for at, number in enumerate(zipf(random, count, keys=10_000, exponent=1.0))
    ]


def racing(random: Random, count: int) -> list[int]:
    """Drifting six times as fast: hardly any key lives long enough to be told from one that is asked for once."""
    return drifting(random, count, DRIFT // 6)


def polling(random: Random, count: int) -> list[int]:
    """Every second request is a poller on its round through more addresses than fit."""
    usual = zipf(random, count)
    return [KEYS + at // 2 % LOOP if at % 2 else number for at, number in enumerate(usual)]


FAST = "drifting fast"
TRACES: dict[str, Callable[[Random, int], list[int]]] = {
    "zipf 0.9": zipf,
    "zipf + 40 % one-hit scans": scans,
    "drifting": drifting,
    FAST: racing,
    "poll loop + zipf": polling,
    "zipf 0.9, skewed costs": zipf,
}
SKEWED = "zipf 0.9, skewed costs"


def cost_ns(trace: str, number: int) -> int:
    """What it costs to compute the key: 5 ms each, or in the skewed trace 0.1 ms to 10 s, most of them cheap."""
    if trace != SKEWED:
        return 5_000_000
    return round(1_000_000 * Random(SEED ^ number).lognormvariate(0, 2))


def trace_of(name: str, count: int) -> tuple[list[bytes], list[int]]:
    """The keys asked for, and what each costs to compute."""
    numbers = TRACES[name](Random(SEED), count)
    costs = {number: cost_ns(name, number) for number in set(numbers)}
    return [b"/api/invoices/%d" % number for number in numbers], [costs[number] for number in numbers]


def run(keys: list[bytes], costs: list[int], get: Get, put: Put) -> dict[str, float]:
    """Ask for each key and put what is not there; the loop's own time is in ``ns``."""
    hits, saved_ns = 0, 0
    began = process_time_ns()
    for key, cost in zip(keys, costs, strict=True):
        if get(key) is None:
            put(key, cost)
        else:
            hits += 1
            saved_ns += cost
    spent_ns = process_time_ns() - began
    return {
        "hit_percent": 100 * hits / len(keys),
        "saved_percent": 100 * saved_ns / sum(costs),
        "ns": spent_ns / len(keys),
    }


def _lru() -> tuple[Get, Put]:
    kept: OrderedDict[bytes, bytes] = OrderedDict()

    def get(key: bytes) -> bytes | None:
        found = kept.get(key)
        if found is not None:
            kept.move_to_end(key)
        return found

    def put(key: bytes, cost: int) -> None:
        kept[key] = key
        if len(kept) > ROOM:
            kept.popitem(last=False)

    return get, put


def _mapping(cache: Any) -> tuple[Get, Put]:
    def put(key: bytes, cost: int) -> None:
        cache[key] = key

    return cache.get, put


def _cachebox_lru() -> tuple[Get, Put]:
    return _mapping(import_module("cachebox").LRUCache(ROOM))


def _cachebox_lfu() -> tuple[Get, Put]:
    return _mapping(import_module("cachebox").LFUCache(ROOM))


def _cachetools_lru() -> tuple[Get, Put]:
    return _mapping(import_module("cachetools").LRUCache(ROOM))


def _theine() -> tuple[Get, Put]:
    cache = import_module("theine").Cache(ROOM)

    def get(key: bytes) -> Any:
        found = cache.get(key)
        return found[0] if isinstance(found, tuple) and found[1] else None

    return get, lambda key, cost: cache.set(key, key)


PEERS: dict[str, Callable[[], tuple[Get, Put]]] = {
    "LRU (OrderedDict)": _lru,
    "cachetools LRU": _cachetools_lru,
    "cachebox LRU": _cachebox_lru,
    "cachebox LFU": _cachebox_lfu,
    "theine W-TinyLFU": _theine,
}


if __name__ == "__main__":
    peer, trace, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    print(json.dumps(run(*trace_of(trace, count), *PEERS[peer]())))
