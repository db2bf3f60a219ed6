"""Load clients in C, compiled when first needed and again when their source changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from benchmarks.harness.options import CACHE

FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-std=c11")


class CompilerError(RuntimeError):
    """There is no C compiler, or it refused the source."""


def compiled(source: Path, cache: Path = CACHE) -> Path:
    """The program made from one C file.

    Raises `CompilerError` with what to do.
    """
    digest = hashlib.sha256(source.read_bytes() + " ".join(FLAGS).encode()).hexdigest()[:12]
    program = cache / "bin" / f"{source.stem}-{digest}"
    if program.exists():
        return program
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CompilerError("the load client is written in C: install a compiler (apt-get install gcc libc6-dev)")
    program.parent.mkdir(parents=True, exist_ok=True)
    half = program.with_suffix(".part")
    done = subprocess.run(
        [compiler, *FLAGS, "-o", str(half), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CompilerError(f"{compiler} refused {source.name}:\n{done.stderr[-2000:]}")
    half.rename(program)
    return program
