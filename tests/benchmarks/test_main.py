from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import __main__ as command
from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_most


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """A benchmark ``pretended`` that breaks its promise; the options of each run."""
    asked: list[Options] = []

    def run(options: Options) -> Report:
        asked.append(options)
        return Report(targets=[at_most("cost", 2, 1, "ms")])

    module = ModuleType("benchmarks.pretended", "Does it hold?\n\nNo.")
    module.run = run  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, "benchmarks.pretended", module)
    monkeypatch.setattr(command, "names", lambda: ["pretended"])
    return asked


def test_every_benchmark_asks_one_question_and_can_be_run() -> None:
    assert command.names()
    for name in command.names():
        module = importlib.import_module(f"benchmarks.{name}")
        assert command.question(module).endswith("?"), name
        assert callable(module.run)


def test_without_a_name_they_are_listed(pretended: list[Options], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert "Does it hold?" in capsys.readouterr().out
    assert not pretended


def test_check_ends_in_status_1_only_if_a_target_does_not_hold(pretended: list[Options]) -> None:
    assert command.main(["pretended", "--quick"]) == 0
    assert command.main(["pretended", "--check"]) == 1
    assert [options.quick for options in pretended] == [True, False]


def test_the_figures_are_written_as_contracted(pretended: list[Options], tmp_path: Path) -> None:
    command.main(["pretended", "--json", str(tmp_path / "out.json")])
    document = json.loads((tmp_path / "out.json").read_text())
    assert sorted(document) == ["benchmark", "date", "machine", "rows", "targets"]
    assert document["targets"] == [{"name": "cost", "value": 2.0, "bound": "<= 1 ms", "holds": False}]


def test_an_unknown_name_is_refused_with_the_known_ones(
    pretended: list[Options], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["nonsense"]) == 2
    assert "pretended" in capsys.readouterr().out
