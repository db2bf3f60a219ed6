"""Peers, had on demand from the npm registry, PyPI or Debian; one that is not to be had is named as missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.options import CACHE

INSTALL_WITHIN_S = 600


@dataclass(frozen=True, slots=True)
class Missing:
    """A peer that is not to be had here, and why."""

    name: str
    reason: str


def npm_packages(name: str, packages: Sequence[str], cache: Path = CACHE) -> Path | Missing:
    """The folder whose ``node_modules`` holds ``packages`` (exact versions, e.g. ``socket.io@4.8.4``)."""
    npm = shutil.which("npm")
    if npm is None:
        return Missing(name, "no npm on this machine")
    folder = cache / "npm" / f"{name}-{_digest(packages)}"

    def fill(target: Path) -> None:
        target.mkdir(parents=True)
        (target / "package.json").write_text('{"private": true}\n')
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error")
        _run([npm, "install", *quiet, *packages], cwd=target)

    return _filled(name, folder, fill)


def python_packages(name: str, requirements: Sequence[str], cache: Path = CACHE) -> Path | Missing:
    """The Python of a virtual environment that holds ``requirements``."""
    folder = cache / "venv" / f"{name}-{_digest([*requirements, sys.version])}"

    def fill(target: Path) -> None:
        venv.create(target, with_pip=True)
        # A console script would name the folder it was made in; `python -m` does not, so the folder may be moved.
        _run([str(target / "bin" / "python"), "-m", "pip", "install", "-q", *requirements], cwd=target)

    found = _filled(name, folder, fill)
    return found if isinstance(found, Missing) else found / "bin" / "python"


def debian_program(program: str, package: str, *, may_install: bool) -> Path | Missing:
    """A program on the PATH, installed from Debian only when told and by root."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None and may_install and os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], cwd=Path("/"))
        except InstallationError as error:
            return Missing(program, str(error))
        found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        return Missing(program, f"not installed: apt-get install {package}, or --install as root")
    return Path(found)


class InstallationError(RuntimeError):
    """A package client ended with an error; its own reason is the message."""


def _filled(name: str, folder: Path, fill: Callable[[Path], None]) -> Path | Missing:
    """``folder``, filled first if it is not there; a half-filled one never bears the final name."""
    if folder.exists():
        return folder
    half = folder.with_name(folder.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    try:
        fill(half)
    except (InstallationError, OSError) as error:
        return Missing(name, str(error))
    half.rename(folder)
    return folder


def _run(command: Sequence[str], cwd: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=INSTALL_WITHIN_S
        )
    except subprocess.TimeoutExpired as error:
        raise InstallationError(f"{command[0]} took more than {INSTALL_WITHIN_S} s") from error
    if done.returncode:
        said = reason(done.stderr.strip() or done.stdout.strip())
        raise InstallationError(f"{Path(command[0]).name} ended with status {done.returncode}: {said}")


def reason(output: str) -> str:
    """The one line of a package client's complaint that says why; npm hides it above advice and a log's name."""
    lines = [line for line in output.splitlines() if line.strip() and "complete log of this run" not in line]
    return next((line for line in lines if "No matching" in line), lines[-1] if lines else "no output")


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
