"""The page about testing is a test itself: its blocks are run as they stand, one after the other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "test-realtime.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
WORLD: dict[str, Any] = {}
for _block in BLOCKS:
    exec(compile(_block, PAGE.name, "exec"), WORLD)
TESTS: list[Callable[[], Any]] = [each for name, each in WORLD.items() if name.startswith("test_")]


def test_there_are_such_tests() -> None:
    assert len(TESTS) >= 9
    assert all(inspect.iscoroutinefunction(test) for test in TESTS)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
async def test_of_the_page(test: Callable[[], Any]) -> None:
    await test()
