from __future__ import annotations

from benchmarks.harness.rounds import interleaved


def test_peers_take_turns_and_nobody_always_goes_first() -> None:
    order: list[str] = []

    def peer(name: str) -> int:
        order.append(name)
        return len(order)

    results = interleaved(3, {"a": lambda: peer("a"), "b": lambda: peer("b")}, lambda line: None)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert results == {"a": [1, 4, 5], "b": [2, 3, 6]}
