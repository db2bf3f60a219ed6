"""One server of several on the same database: ``python -m benchmarks.stale.server --port ... --url ...``."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn
from sqlalchemy import make_url

from benchmarks.stale.cluster import cluster_at
from benchmarks.stale.shop import Callers, Shop
from steinmetz.cache import CacheConfig, ResponseCache
from steinmetz.cache.policy.epochs import DEFAULT_LEASE_S
from steinmetz.live import Place, name_of_database


def nobody(role: str | None) -> None:
    """Public answers are renewed in nobody's name, others not at all."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--place", type=Path)
    parser.add_argument("--redis")
    parser.add_argument("--prefix", default="stale")
    parser.add_argument("--consistency", default="session")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chance", type=float, default=0.1)
    parser.add_argument("--longest", type=float, default=0.003, help="of a pause, in seconds")
    parser.add_argument("--lease", type=float, default=DEFAULT_LEASE_S, help="of a mark, in seconds")
    asked = parser.parse_args()

    def cache(callers: Callers) -> ResponseCache:
        cluster = None if asked.redis is None else cluster_at(asked.redis, asked.prefix)
        return ResponseCache(
            CacheConfig(mark_lease_s=asked.lease), authenticator=callers, cluster=cluster, renew_as=nobody
        )

    name = name_of_database(make_url(asked.url))
    place = Place(asked.place, name) if asked.place is not None and name is not None else None
    shop = Shop(
        asked.url,
        seed=asked.seed,
        chance=asked.chance,
        longest_s=asked.longest,
        place=place,
        consistency=asked.consistency,
        cache=cache,
    )
    uvicorn.run(shop.app, host="127.0.0.1", port=asked.port, log_level="warning", lifespan="on")


if __name__ == "__main__":
    main()
