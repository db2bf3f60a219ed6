"""One door to the project on a fresh machine: ``python3 dev.py run | test | check | types | bench``.

Needs Python 3.11+ and the package registries, nothing else. It makes ``.venv``, installs exactly what
``requirements.lock`` names (hashes checked), builds the web page with a Node that comes as a wheel, and goes.
A stamp makes the second start immediate. Standard library only: this file runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
STAMP = VENV / ".ready"
OLDER = ROOT / ".venv-sqlalchemy-2.0"
"""A second environment: everything as locked, but for SQLAlchemy."""
OLDER_SQLALCHEMY = "sqlalchemy==2.0.*"
STATIC = ROOT / "src" / "steinmetz" / "static"

Command = tuple[object, ...]

WORKERS = min((os.cpu_count() or 1) + 1, 4)
"""One more than cores: tests that wait for a server or a browser leave a core free."""
PARALLEL = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
"""How pytest runs all tests: those of one file in one worker, so that they share servers."""

MATRIX = (
    "tests/unit/sql", "tests/unit/monitor", "tests/contract/test_sql_*.py", "tests/contract/test_monitor_*.py",
)  # fmt: skip
"""What must hold on every SQLAlchemy that the hook knows."""

USAGE = """\
usage: python3 dev.py COMMAND [ARGUMENTS]

  run [OPTIONS]     start SteinmetZ at http://localhost:3000 on an embedded SQLite file,
                    created, migrated and seeded on the first start (OPTIONS as of `steinmetz serve`);
                    with --traffic a few simulated clerks work beside it, and every screen moves
  test [ARGS]       run all tests (ARGS go to pytest)
  test --matrix     the tests of sql and monitor, on the locked SQLAlchemy and on 2.0 in a second environment
  check             ruff, mypy --strict, import contracts, types and tests of the page, and whether `types`
                    would change anything
  types             write the page's types anew: of events (web/src/events.ts) and of HTTP (web/src/api/types.ts)
  bench [NAME]      run a benchmark, or list them  [--quick] [--json FILE] [--check]
  screenshots       take the README's pictures anew from the running product (docs/screenshots)
  lock              write requirements.lock anew from pyproject.toml
"""


def step(*command: object, quiet: bool = False) -> None:
    """Run one command in the project's root; end with its status if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, capture_output=quiet, text=True, check=False)
    if done.returncode:
        if quiet:
            sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(failed(done.returncode, words))


def failed(status: int, words: Sequence[str]) -> str:
    return f"dev.py: this step failed with status {status}: {' '.join(words)}"


def digest(*paths: Path) -> str:
    """SHA-256 over the bytes of the given files and of every file below the given folders."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "node_modules" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def make_venv() -> None:
    if PYTHON.exists():
        return
    print("dev.py: making .venv", flush=True)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            "dev.py: this Python cannot make a virtual environment with pip. "
            "On Debian and Ubuntu: apt-get install python3-venv"
        ) from error


def installer() -> list[object]:
    """uv where the registry has it (several times faster), else the environment's own pip."""
    found = subprocess.run([PYTHON, "-m", "uv", "--version"], capture_output=True, check=False)
    if found.returncode:
        got = subprocess.run([PYTHON, "-m", "pip", "install", "-q", "uv>=0.9"], capture_output=True, check=False)
        if got.returncode:
            return [PYTHON, "-m", "pip", "install", "-q"]
    return [PYTHON, "-m", "uv", "pip", "install", "-q", "-p", PYTHON]


def make_ready(*, page: bool = True) -> None:
    """Bring ``.venv`` and the built web page to what the tree asks for; nothing to do costs a few ms.

    Without ``page`` the page stays as it is: it may wait for what is about to be made.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever python3 is, it gets a sentence and no traceback
        raise SystemExit(f"dev.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    packages = digest(ROOT / "requirements.lock", ROOT / "pyproject.toml", ROOT / "hatch_build.py")
    web = digest(ROOT / "web")
    have = STAMP.read_text().split() if STAMP.exists() else []
    if have == [packages, web] and (STATIC / "index.html").exists():
        return
    if not page and have[:1] == [packages]:
        return
    make_venv()
    if not have or have[0] != packages:
        print("dev.py: installing the locked packages", flush=True)
        install = installer()
        step(*install, "--require-hashes", "-r", ROOT / "requirements.lock", quiet=True)
        print("dev.py: building the web page", flush=True)
        step(*install, "--no-deps", "--no-build-isolation", "-e", ".", quiet=True)
    else:
        print("dev.py: building the web page", flush=True)
        step(PYTHON, ROOT / "hatch_build.py", quiet=True)
    STAMP.write_text(f"{packages} {web}")


def without(package: str, lock: str) -> str:
    """The text of a lock file without one package and its hashes."""
    kept: list[str] = []
    inside = False
    for line in lock.splitlines():
        if not line.startswith((" ", "#")):
            inside = line.lower().startswith(f"{package}==")
        if not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


def make_older() -> Path:
    """The Python of the second environment, made if it is not there or the lock has changed."""
    python = OLDER / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp, wanted = OLDER / ".ready", digest(ROOT / "requirements.lock", ROOT / "pyproject.toml")
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"dev.py: making {OLDER.name}", flush=True)
    venv.create(OLDER, with_pip=True, clear=True)
    rest = OLDER / "requirements.lock"
    rest.write_text(without("sqlalchemy", (ROOT / "requirements.lock").read_text()))
    install = [word if word != PYTHON else python for word in installer()]
    if "uv" in install:
        install[0] = PYTHON  # uv itself is in the first environment
    # Without the dependencies of what is listed: they are all listed, and SQLAlchemy would come back by them.
    step(*install, "--no-deps", "--require-hashes", "-r", rest, quiet=True)
    step(*install, "--no-deps", OLDER_SQLALCHEMY, quiet=True)
    step(*install, "--no-deps", "--no-build-isolation", "-e", ".", quiet=True)
    stamp.write_text(wanted)
    return python


def matrix(arguments: list[str]) -> None:
    """Run `MATRIX` on each SQLAlchemy; ends with the first failure's status."""
    tests = sorted(str(path.relative_to(ROOT)) for pattern in MATRIX for path in ROOT.glob(pattern))
    for python in (PYTHON, make_older()):
        said = subprocess.run(
            [python, "-c", "import sqlalchemy; print(sqlalchemy.__version__)"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        print(f"dev.py: SQLAlchemy {said.stdout.strip()}", flush=True)
        step(python, "-m", "pytest", *(arguments or PARALLEL), *tests)


def keep_bytecode() -> None:
    """Without it each process compiles some thousand modules anew. Who wants none in the tree gets none there."""
    if sys.dont_write_bytecode:
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(VENV / "pycache")}


def execute(*command: object) -> None:
    """Become the given command, so that signals and the exit status are its own."""
    words = [str(word) for word in command]
    os.chdir(ROOT)
    if os.name == "nt":
        raise SystemExit(subprocess.run(words, check=False).returncode)
    os.execv(words[0], words)


def types(*options: str) -> tuple[Command, ...]:
    source = ROOT / "web" / "src"
    return (
        (PYTHON, "-m", "steinmetz.erp.event_types", source / "events.ts", *options),
        (PYTHON, "-m", "steinmetz.erp.api_types", source / "api" / "types.ts", *options),
    )


def check() -> None:
    """The type checker takes as long as all others together: they run beside it."""
    others: tuple[Command, ...] = (
        (BIN / "ruff", "check", "."),
        (BIN / "ruff", "format", "--check", "."),
        (BIN / "lint-imports",),
        *types("--check"),
        (PYTHON, ROOT / "hatch_build.py", "--check"),
    )
    together(((BIN / "mypy",),), others)


def together(*rows: tuple[Command, ...]) -> None:
    """Run rows of commands beside each other, those of one row after each other up to the first that fails.

    What each says comes when it is over, whole. Ends with what failed, when all rows are over.
    """
    said = threading.Lock()
    failures: list[str] = []

    def run(row: tuple[Command, ...]) -> None:
        for command in row:
            words = [str(word) for word in command]
            done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            with said:
                sys.stdout.buffer.write(done.stdout)
                sys.stdout.flush()
            if done.returncode:
                failures.append(failed(done.returncode, words))
                return

    threads = [threading.Thread(target=run, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit("\n".join(failures))


def lock() -> None:
    step(
        *(PYTHON, "-m", "uv", "pip", "compile", "--universal", "--generate-hashes", "--no-annotate"),
        *("--no-header", "-q", "--python-version", "3.11", "--all-extras", "--group", "dev"),
        *("pyproject.toml", "-o", "requirements.lock"),
    )


def main(arguments: list[str]) -> None:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(USAGE, end="")
        raise SystemExit(0 if arguments else 2)
    command, rest = arguments[0], arguments[1:]
    if command not in {"run", "test", "check", "types", "bench", "screenshots", "lock"}:
        raise SystemExit(f"dev.py: no command {command!r}\n\n{USAGE}")
    keep_bytecode()
    make_ready(page=command != "types")
    if command == "run":
        os.environ.setdefault("STEINMETZ_CACHE_WATCH", "on")
        execute(PYTHON, "-m", "steinmetz", "serve", *rest)
    elif command == "test" and rest[:1] == ["--matrix"]:
        matrix(rest[1:])
    elif command == "test":
        execute(PYTHON, "-m", "pytest", *(rest or PARALLEL))
    elif command == "check":
        check()
    elif command == "types":
        for words in types():
            step(*words)
    elif command == "lock":
        lock()
    elif command == "screenshots":
        execute(PYTHON, ROOT / "scripts" / "screenshots.py", *rest)
    else:
        execute(PYTHON, "-m", "benchmarks", *rest)


if __name__ == "__main__":
    main(sys.argv[1:])
