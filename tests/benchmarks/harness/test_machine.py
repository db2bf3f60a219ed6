from __future__ import annotations

from benchmarks.harness.machine import Machine, Reading, Spin, Ticks, parse_ticks


def machine(before: Reading, after: Reading, *, apart: bool = True) -> Machine:
    return Machine("CPU", 2, 24.0, "Linux 6", "3.11.7", apart, before, after)


def test_guest_time_is_not_counted_twice() -> None:
    assert parse_ticks("cpu  100 1 20 800 4 2 3 70 50 0\ncpu0 1 1 1\n") == Ticks(stolen=70, total=1000)


def test_steal_is_a_share_of_the_time_between_the_readings() -> None:
    calm = Spin(10.0, 10.0)
    found = machine(Reading(calm, Ticks(10, 1000)), Reading(calm, Ticks(60, 2000)))
    assert found.steal_percent == 5.0


def test_noise_compares_the_slowest_turn_with_the_fastest_before_and_after() -> None:
    ticks = Ticks(0, 0)
    found = machine(Reading(Spin(10.0, 11.0), ticks), Reading(Spin(12.0, 15.0), ticks))
    assert round(found.noise_percent) == 50
    assert found.steal_percent == 0.0


def test_a_noisy_machine_is_told() -> None:
    ticks = Ticks(0, 0)
    calm, noisy = Reading(Spin(10.0, 11.0), ticks), Reading(Spin(10.0, 20.0), ticks)
    assert any("others worked" in line for line in machine(calm, noisy).as_lines())
    assert not any("others worked" in line for line in machine(calm, calm).as_lines())


def test_one_core_only_is_told() -> None:
    reading = Reading(Spin(1.0, 1.0), Ticks(0, 1))
    assert any("one core only" in line for line in machine(reading, reading, apart=False).as_lines())
    assert not any("one core only" in line for line in machine(reading, reading).as_lines())
