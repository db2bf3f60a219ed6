"""Each part stands alone: it imports in an environment that has nothing but the base dependencies."""

from __future__ import annotations

import os
import subprocess
import tomllib
import venv
from importlib.metadata import files, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["sql", "monitor", "cache", "realtime", "live"]
ABSENT = ["fastapi", "starlette", "redis", "alembic", "argon2", "uvicorn", "jwt", "pydantic_settings"]


def base_distributions() -> set[str]:
    """What the base dependencies are, with all that they need themselves."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: set[str] = set()
    waiting = [Requirement(line) for line in project["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        if wanted.name in found and not wanted.extras:
            continue
        found.add(wanted.name)
        for line in requires(wanted.name) or ():
            needed = Requirement(line)
            extras = wanted.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return found


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of links to the base dependencies that this one has, and to nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    site = next((folder / "lib").glob("python*/site-packages"))
    for name in base_distributions():
        for file in files(name) or ():
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and not (site / top).exists():
                (site / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)
    (site / "steinmetz.pth").write_text(str(ROOT / "src"))
    return folder / "bin" / "python"


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With bytecode that goes with the environment."""
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(python.parents[1] / "pycache")}
    return subprocess.run([python, *arguments], capture_output=True, text=True, env=os.environ | bytecode)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_without_the_application_s_dependencies(bare_python: Path, part: str) -> None:
    code = (
        "import importlib, importlib.util as util, sys\n"
        f"assert not [name for name in {ABSENT} if util.find_spec(name)], 'the environment is not bare'\n"
        f"part = importlib.import_module('steinmetz.{part}')\n"
        "assert part.__all__ and all(hasattr(part, name) for name in part.__all__)\n"
    )
    done = run(bare_python, "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_to_install_when_the_application_is_not_there(bare_python: Path) -> None:
    done = run(bare_python, "-m", "steinmetz", "serve")
    assert done.returncode == 2
    assert "pip install 'steinmetz[erp]'" in done.stderr
    assert "Traceback" not in done.stderr
