"""The walls of the house stand: every contract of ``.importlinter`` is kept."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "src" / "steinmetz" / "erp" / "modules"


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.application.use_cases import lint_imports
    from importlinter.cli import EXIT_STATUS_SUCCESS  # noqa: F401 - importing the command configures the library

    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / ".importlinter"), cache_dir=None), "run: lint-imports"


def imports_of(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def test_across_modules_only_the_service_is_imported() -> None:
    offences = []
    for file in MODULES.rglob("*.py"):
        own = file.relative_to(MODULES).parts[0]
        for name in imports_of(file):
            parts = name.split(".")
            is_foreign = parts[:3] == ["steinmetz", "erp", "modules"] and len(parts) > 4 and parts[3] != own
            if is_foreign and parts[4] != "service":
                offences.append(f"{file.relative_to(ROOT)} imports {name}")
    assert offences == []


def test_no_address_or_path_of_one_machine_is_in_the_locks() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
    assert '"resolved"' not in (ROOT / "web" / "package-lock.json").read_text()
    assert os.path.expanduser("~") + "/" not in (ROOT / "pyproject.toml").read_text()
