"""What a process keeps of the memory that its threads have used and freed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from steinmetz.cli import allocator

PROGRAM = """
import sys
from threading import Barrier, Thread
from argon2 import PasswordHasher
from steinmetz.cli import allocator

def resident_mib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

def signs_in_twice(hasher, done):
    hasher.hash("x")
    hasher.hash("x")
    done.wait()
    done.wait()

if "settled" in sys.argv:
    assert allocator.settle()
done = Barrier(4)
threads = [Thread(target=signs_in_twice, args=(PasswordHasher(1, 19_456, 1), done)) for _ in range(3)]
before = resident_mib()
for thread in threads:
    thread.start()
done.wait()
print(resident_mib() - before)
done.wait()
"""
HOLES = """
from steinmetz.cli import allocator
assert allocator.settle()

def resident_mib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

blocks = [bytes(20_000) for _ in range(3_000)]
before = resident_mib()
blocks[::2] = [None] * 1_500
with_holes = resident_mib()
allocator.trim()
print(before - with_holes, with_holes - resident_mib())
"""


def kept_mib(*arguments: str) -> int:
    """What stays resident when each of three threads, who live on, has checked two passwords."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


@pytest.mark.skipif(not allocator.is_glibc(), reason="the C library is not glibc: there is nothing to settle")
def test_what_a_password_takes_does_not_stay_with_the_thread_that_checked_it() -> None:
    assert kept_mib("settled") < 10
    assert kept_mib() > 15, "malloc has become wiser: it needs to be told nothing any more"


@pytest.mark.skipif(not allocator.is_glibc(), reason="the C library is not glibc: there is nothing to trim")
def test_free_pages_between_others_go_back_only_when_trimmed() -> None:
    program = subprocess.run([sys.executable, "-c", HOLES], check=True, capture_output=True, timeout=60)
    by_itself_mib, trimmed_mib = map(int, program.stdout.split())
    assert by_itself_mib < 2
    assert trimmed_mib > 10
