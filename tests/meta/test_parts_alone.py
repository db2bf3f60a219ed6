"""Each part stands alone: it imports in an environment that has nothing but the base dependencies."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["sql", "monitor", "cache", "realtime", "live"]
ABSENT = ["fastapi", "starlette", "redis", "alembic", "argon2", "uvicorn", "jwt", "pydantic_settings"]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    has_uv = subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True).returncode == 0
    install = (
        ["uv", "pip", "install", "-q", "-p", str(python)]
        if has_uv
        else ["pip", "--python", str(python), "install"]
    )
    subprocess.run([sys.executable, "-m", *install, *project["dependencies"]], check=True, capture_output=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "steinmetz.pth").write_text(str(ROOT / "src"))
    return python


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_without_the_application_s_dependencies(bare_python: Path, part: str) -> None:
    code = (
        "import importlib, importlib.util as util, sys\n"
        f"assert not [name for name in {ABSENT} if util.find_spec(name)], 'the environment is not bare'\n"
        f"part = importlib.import_module('steinmetz.{part}')\n"
        "assert part.__all__ and all(hasattr(part, name) for name in part.__all__)\n"
    )
    done = subprocess.run([bare_python, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_to_install_when_the_application_is_not_there(bare_python: Path) -> None:
    done = subprocess.run([bare_python, "-m", "steinmetz", "serve"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'steinmetz[erp]'" in done.stderr
    assert "Traceback" not in done.stderr
