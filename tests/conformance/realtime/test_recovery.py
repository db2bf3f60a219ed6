"""Connection state recovery with the stock client, torn away in every way; the judge is judged first.

With ``LONG_TESTS=1`` a thousand returns, else as many as fit into some seconds.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.conformance.realtime.cluster_chaos import ClusterChaos
from tests.conformance.realtime.recovery_chaos import Chaos
from tests.conformance.realtime.recovery_checker import Judge
from tests.conformance.realtime.test_stock_client import CLIENT
from tests.servers import missing, redis_server

IS_LONG = os.environ.get("LONG_TESTS") == "1"
STORY = ((1, 3), (2, 4), (3, 5), (4, 6), (5, 8))
"""What a client hears of its line: (number, order)."""


def told(heard: tuple[tuple[int, int], ...], *, torn_after: int, recovered: bool, said: int = 5) -> list[str]:
    """The judge's word on a client that heard ``heard`` and was torn away in between."""
    judge = Judge()
    judge.begins("/", "s1", False, {"all": 0})
    judge.connects("anna", "/", "s1", False)
    for place, (number, order) in enumerate(heard):
        if place == torn_after:
            judge.disconnects("anna", "/")
            if not recovered:
                judge.begins("/", "s2", False, {"all": number - 1})
            judge.connects("anna", "/", "s1" if recovered else "s2", recovered)
        judge.hears("anna", "/", "all", number, order)
    return judge.problems + judge.lacks({"/": {"all": said}})


class TestTheJudge:
    @pytest.mark.parametrize("torn_after", range(5))
    @pytest.mark.parametrize("recovered", [True, False])
    def test_has_nothing_against_a_whole_story(self, torn_after: int, recovered: bool) -> None:
        assert told(STORY, torn_after=torn_after, recovered=recovered) == []

    @pytest.mark.parametrize("gap", range(5))
    def test_sees_every_gap(self, gap: int) -> None:
        heard = STORY[:gap] + STORY[gap + 1 :]
        assert told(heard, torn_after=gap, recovered=True)
        assert told(heard, torn_after=gap, recovered=False) == [] or gap == 4

    @pytest.mark.parametrize("twice", range(5))
    def test_sees_what_is_heard_twice(self, twice: int) -> None:
        heard = (*STORY[: twice + 1], *STORY[twice:])
        assert any("twice" in problem for problem in told(heard, torn_after=twice + 1, recovered=True))

    @pytest.mark.parametrize("place", range(4))
    def test_sees_what_is_out_of_order(self, place: int) -> None:
        heard = list(STORY)
        heard[place], heard[place + 1] = heard[place + 1], heard[place]
        assert told(tuple(heard), torn_after=place, recovered=True)

    def test_sees_another_order_of_two_lines(self) -> None:
        judge = Judge()
        judge.begins("/", "s1", False, {"all": 0, "team:1": 0})
        judge.connects("anna", "/", "s1", False)
        judge.hears("anna", "/", "team:1", 1, 2)
        judge.hears("anna", "/", "all", 1, 1)
        assert judge.problems == ["anna in / hears all 1 out of order"]

    def test_sees_what_is_not_for_it(self) -> None:
        judge = Judge()
        judge.begins("/", "s1", False, {"all": 0})
        judge.connects("anna", "/", "s1", False)
        judge.hears("anna", "/", "user:ben", 1, 1)
        assert judge.problems

    def test_sees_that_the_end_is_lacking_or_that_nobody_is_there(self) -> None:
        assert told(STORY, torn_after=0, recovered=True, said=6) == ["anna in / lacks all 6 to 6"]
        judge = Judge()
        judge.begins("/", "s1", False, {})
        judge.connects("anna", "/", "s1", False)
        judge.disconnects("anna", "/")
        assert judge.lacks({"/": {}}) == ["anna is not in /"]

    def test_waits_for_the_word_of_the_server(self) -> None:
        judge = Judge()
        judge.connects("anna", "/", "s1", False)
        judge.hears("anna", "/", "all", 8, 1)
        assert judge.lacks({"/": {"all": 8}}) == ["anna is not in /"]
        judge.begins("/", "s1", False, {"all": 6})
        assert judge.problems == ["anna in / hears all 8, but not 7"]

    def test_sees_somebody_recovered_who_was_never_there(self) -> None:
        judge = Judge()
        judge.connects("anna", "/", "s1", True)
        assert judge.problems


@pytest.mark.timeout(400 if IS_LONG else 60)
def test_t30_nobody_who_is_told_that_he_is_recovered_lacks_anything_or_has_it_twice() -> None:
    if not CLIENT.exists():
        if os.environ.get("STEINMETZ_STRICT"):
            pytest.fail(f"{CLIENT} is missing: run `python3 dev.py test`, which installs it")
        pytest.skip("web/node_modules has no socket.io-client; `python3 dev.py test` installs it")
    chaos = Chaos(1_000, kills=5) if IS_LONG else Chaos(40, clients=8, kills=1)
    asyncio.run(chaos.run())
    assert chaos.judge.problems == []
    assert chaos.judge.recovered >= chaos.returns // 2
    assert chaos.judge.heard > chaos.returns


@pytest.mark.timeout(900 if IS_LONG else 60)
def test_t30_nor_does_anybody_who_comes_back_to_another_server_of_a_cluster() -> None:
    if not CLIENT.exists():
        missing(f"{CLIENT} is missing: `python3 dev.py test` installs socket.io-client")
    with redis_server() as redis:
        returns, kills = (1_000, 10) if IS_LONG else (16, 2)
        chaos = ClusterChaos(returns, clients=16 if IS_LONG else 4, kills=kills, redis=redis)
        asyncio.run(chaos.run())
    assert chaos.judge.problems == []
    assert chaos.judge.recovered > 0
    assert chaos.judge.heard > chaos.returns
    assert {chaos.ways["server killed"], chaos.ways["Redis restarted"]} == {kills // 2}
