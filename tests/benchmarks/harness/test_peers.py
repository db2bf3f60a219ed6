from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness import peers
from benchmarks.harness.peers import InstallationError, Missing, debian_program, npm_packages, reason


def test_a_program_that_is_there_is_found() -> None:
    found = debian_program("sh", "dash", may_install=False)
    assert isinstance(found, Path)
    assert found.exists()


def test_a_program_that_is_not_there_is_named_missing_with_the_way_to_get_it() -> None:
    found = debian_program("no-such-program", "no-such-package", may_install=False)
    assert isinstance(found, Missing)
    assert "apt-get install no-such-package" in found.reason


def test_a_failed_installation_is_named_missing_and_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: object, cwd: Path) -> None:
        raise InstallationError("npm ended with status 1: no such version")

    monkeypatch.setattr(peers, "_run", refuse)
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    found = npm_packages("socket.io", ["socket.io@0.0.0-none"], tmp_path)
    assert found == Missing("socket.io", "npm ended with status 1: no such version")
    assert not [path for path in (tmp_path / "npm").iterdir() if path.suffix != ".part"]


def test_what_was_installed_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[object] = []
    monkeypatch.setattr(peers, "_run", lambda command, cwd: runs.append(command))
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    first = npm_packages("socket.io", ["socket.io@4.8.4"], tmp_path)
    assert npm_packages("socket.io", ["socket.io@4.8.4"], tmp_path) == first
    assert npm_packages("socket.io", ["socket.io@4.8.3"], tmp_path) != first
    assert len(runs) == 2


def test_the_reason_is_found_among_npms_advice() -> None:
    said = """\
npm error code ETARGET
npm error notarget No matching version found for socket.io@99.99.99.
npm error notarget a package version that doesn't exist.
npm error A complete log of this run can be found in: /home/ada/.npm/_logs/1-debug-0.log
"""
    assert reason(said) == "npm error notarget No matching version found for socket.io@99.99.99."
    assert reason("one\ntwo\n") == "two"
    assert reason("") == "no output"
