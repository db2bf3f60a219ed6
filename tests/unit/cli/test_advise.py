"""``steinmetz advise``: where the workload comes from, what is printed, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result
from typer.testing import CliRunner

from steinmetz.cli.main import app
from steinmetz.monitor.advisor.workload import Query, Workload
from steinmetz.monitor.advisor.workload_file import to_text
from steinmetz.sql.facts import Verb


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["advise", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def text() -> str:
    query = Query(
        "f", "orders of a customer", "SELECT * FROM orders WHERE customer_id = ?", Verb.SELECT,
        frozenset({"orders"}), 500, 500 * 10**6,
    )  # fmt: skip
    query.offer(10**6, (17,))
    return to_text(Workload([query]), "2026-03-02T09:00:00Z")


@pytest.fixture
def workload(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "seen.json"
    file.write_text(text)
    return file


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A database that is not the ERP's."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id, a, b, c, d)")
        rows = ((number % 500,) for number in range(4_000))
        connection.executemany("INSERT INTO orders (customer_id) VALUES (?)", rows)
    return f"sqlite:///{path}"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_PORT", "1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> Iterator[Callable[[int], list[str]]]:
    """A server that answers with a status and writes the workload if that is 200; what it was asked."""
    asked: list[str] = []
    status = 200

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization')}")
            if status == 200:
                (tmp_path / "data").mkdir(exist_ok=True)
                (tmp_path / "data" / "workload.json").write_text(text)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    running = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("STEINMETZ_PORT", str(running.server_port))

    def answering(wanted: int) -> list[str]:
        nonlocal status
        status = wanted
        return asked

    yield answering
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_advice_is_printed_with_its_ddl_gain_and_proof(workload: Path, shop: str) -> None:
    done = run("--workload", workload, "--database-url", shop, "--verify")
    assert (done.exit_code, "Traceback" in done.output) == (0, False), done.output
    assert "CREATE INDEX ix_orders_customer_id_" in done.stdout
    assert "orders of a customer" in done.stdout
    assert "Every statement was run before and after" in done.stdout


def test_without_verify_it_says_that_nothing_was_run(workload: Path, shop: str) -> None:
    done = run("--workload", workload, "--database-url", shop)
    assert done.exit_code == 0
    assert "Not verified. It was not asked for." in done.stdout


def test_as_json_it_is_what_the_server_would_answer(workload: Path, shop: str) -> None:
    done = run("--workload", workload, "--database-url", shop, "--json")
    told = json.loads(done.stdout)
    assert [each["columns"] for each in told["create"]] == [["customer_id"]]
    assert "17" not in json.dumps(told["create"][0]["helps"][0]["statement"])


def test_the_revision_is_written_into_a_new_file_only(workload: Path, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "0009_indexes.py"
    arguments = ("--workload", workload, "--database-url", shop, "--alembic", file)
    assert run(*arguments).exit_code == 0
    compile(file.read_text(), str(file), "exec")
    assert "CREATE INDEX ix_orders_customer_id_" in file.read_text()
    again = run(*arguments)
    assert again.exit_code == 2
    assert "is there already; name a new file" in again.stderr


def test_the_running_server_is_asked_for_its_workload(
    server: Callable[[int], list[str]], shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEINMETZ_METRICS_TOKEN", "of-the-metrics-and-long-enough")
    asked = server(200)
    done = run("--database-url", shop)
    assert done.exit_code == 0, done.output
    assert "CREATE INDEX" in done.stdout
    assert asked == ["/api/diagnostics/workload Bearer of-the-metrics-and-long-enough"]


def test_without_a_server_the_last_workload_is_taken_and_its_age_told(
    nobody: None, shop: str, tmp_path: Path, text: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "workload.json").write_text(text)
    done = run("--database-url", shop)
    assert done.exit_code == 0
    assert "no server answers at 127.0.0.1:1; taking the workload of 2026-03-02T09:00:00Z" in done.stderr


def test_without_any_workload_it_says_how_to_get_one(nobody: None, shop: str) -> None:
    done = run("--database-url", shop)
    assert done.exit_code == 2
    assert "there is no workload yet (no server answers at 127.0.0.1:1)" in done.stderr
    assert "start `steinmetz serve`" in done.stderr


def test_a_server_that_refuses_is_named_with_its_status(server: Callable[[int], list[str]], shop: str) -> None:
    server(403)
    done = run("--database-url", shop)
    assert done.exit_code == 2
    assert "refuses with status 403" in done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{}", "it is not a workload file"),
        ('{"schema": "steinmetz.workload", "version": 1, "queries": []}', "no statement was seen yet"),
        ("\x00", "it cannot be read"),
    ],
)
def test_a_file_that_is_no_workload_is_one_clear_line(
    tmp_path: Path, shop: str, content: str, reason: str
) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    done = run("--workload", file, "--database-url", shop)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_files_and_databases_that_are_not_there_are_named(workload: Path, tmp_path: Path, shop: str) -> None:
    assert "No such file" in run("--workload", tmp_path / "none.json", "--database-url", shop).stderr
    missing = run("--workload", workload, "--database-url", f"sqlite:///{tmp_path / 'none.db'}")
    assert missing.exit_code == 2
    assert "there is no database at" in missing.stderr
    assert not (tmp_path / "none.db").exists()
