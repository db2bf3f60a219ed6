"""Which line asked: through libraries, greenlets and frameworks."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import CodeType, ModuleType
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.capture import call_site as module
from steinmetz.monitor.capture.call_site import CallSites, Code, call_site, places

R = TypeVar("R")

HERE = "tests/unit/monitor/capture/test_call_site.py"


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def module_named(name: str, source: str, **names: Any) -> ModuleType:
    """A module whose code runs under ``name``, as if it were installed."""
    made = ModuleType(name)
    vars(made).update(names)
    exec(compile(source, f"{name.replace('.', '/')}.py", "exec"), vars(made))
    return made


def alone(act: Callable[..., R], *arguments: Any) -> R:
    """Call it with nothing of the test on the stack."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act, *arguments).result()


def observer(seen: list[Place | None]) -> Callable[[Any], None]:
    """It belongs to no application, as the monitor's own."""
    source = "def note(execution):\n    seen.append(call_site())"
    note: Callable[[Any], None] = module_named(
        "steinmetz.monitor.here", source, seen=seen, call_site=call_site
    ).note
    return note


def test_the_innermost_line_of_the_application() -> None:
    found, here = call_site(), line()
    assert found == Place(HERE, here, "test_the_innermost_line_of_the_application")


def test_a_trail_has_the_callers_innermost_first() -> None:
    sites = CallSites()

    def inner() -> list[Place]:
        return places(sites.trail(2))

    found, here = inner(), line()
    assert [place.function.rpartition(".")[2] for place in found] == [
        "inner",
        "test_a_trail_has_the_callers_innermost_first",
    ]
    assert found[1].line == here


def test_libraries_are_passed_over() -> None:
    sites = CallSites()
    library = module_named("sqlalchemy.engine", "def run(f):\n    return f()", f=None)
    (found,), here = library.run(lambda: places(sites.trail(1))), line()
    assert found.line == here


def test_a_layer_of_the_application_may_be_named_to_be_passed_over() -> None:
    source = "def load(f):\n    return f()"
    layer = module_named("myapp.db", source)
    assert places(layer.load(CallSites().trail))[0] == Place("myapp/db.py", 2, "load")
    skipping = CallSites(["myapp.db"])
    assert places(layer.load(skipping.trail))[0].file == HERE
    assert places(module_named("myapp.dbx", source).load(skipping.trail))[0].file == "myapp/dbx.py"


def test_a_framework_is_named_only_if_nothing_else_is_there() -> None:
    sites = CallSites()
    framework = module_named("fastapi.routing", "def serialize(f):\n    return f()")
    assert places(framework.serialize(sites.trail))[0].file == HERE
    assert places(alone(framework.serialize, sites.trail)) == [Place("fastapi/routing.py", 2, "serialize")]


def test_with_nothing_on_the_stack_there_is_no_place() -> None:
    assert alone(CallSites().call_site) is None


@pytest.mark.anyio
async def test_the_walk_goes_on_in_the_parent_greenlet() -> None:
    async def repository() -> Place | None:
        return await greenlet_spawn(call_site)

    found = await repository()
    assert found is not None
    assert found.function.endswith("repository")


@pytest.mark.anyio
async def test_an_asynchronous_statement_leads_to_the_line_that_awaits_it() -> None:
    from steinmetz.sql import hook

    engine = create_async_engine("sqlite+aiosqlite://")
    seen: list[Place | None] = []
    hook(engine).observe_executions(observer(seen))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        here = line() - 1
    await engine.dispose()
    assert seen[-1] == Place(HERE, here, "test_an_asynchronous_statement_leads_to_the_line_that_awaits_it")


def test_a_synchronous_statement_leads_to_its_line() -> None:
    from steinmetz.sql import hook

    engine: Engine = create_engine("sqlite://")
    seen: list[Place | None] = []
    hook(engine).observe_executions(observer(seen))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        here = line() - 1
    engine.dispose()
    assert seen[-1] == Place(HERE, here, "test_a_synchronous_statement_leads_to_its_line")


def test_the_walk_is_bounded() -> None:
    def deep(levels: int) -> Place | None:
        return deep(levels - 1) if levels else CallSites(["tests"]).call_site()

    assert deep(module.FRAMES_WALKED) is None


def test_the_memory_of_code_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CODES_REMEMBERED", 3)
    sites = CallSites()
    for number in range(20):
        made = module_named(f"generated_{number}", "def run(f):\n    return f()")
        assert places(made.run(sites.trail))[0].function == "run"
        assert len(sites._codes) <= 3 + len(inspect.stack())


def test_no_folder_of_the_machine_is_shown() -> None:
    def placed(file: str) -> str:
        code: CodeType = compile("pass", file, "exec")
        return places(((Code(code, 2), 1),))[0].file

    installed = next(path for path in sys.path if path.endswith("site-packages"))
    assert placed(f"{installed}/shop/cart.py") == "shop/cart.py"
    assert placed("/nowhere/known/cart.py") == "cart.py"
    assert placed("<template>") == "<template>"


def test_without_greenlet_the_walk_ends_at_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_current_greenlet", None)
    found = call_site()
    assert found is not None
    assert found.file == HERE
