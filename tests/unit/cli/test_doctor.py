from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from steinmetz.cli import doctor
from steinmetz.cli.finding import Finding, Verdict
from steinmetz.cli.main import app
from steinmetz.erp.settings import Settings, load_settings

SECRET = "q8Zk3vX0pLw6Rt1yUe9sBn4mHc7jDf2A"


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_PORT", "0")


def verdicts(check: Callable[[Settings], Iterator[Finding]], **settings: Any) -> list[Verdict]:
    found = list(check(load_settings(**settings)))
    for finding in found:
        assert bool(finding.mend) is (finding.verdict is not Verdict.FINE), "a finding says how to mend it"
        assert SECRET not in finding.message + finding.mend
    return [finding.verdict for finding in found]


FINE, WARNING, FAULT = [Verdict.FINE], [Verdict.WARNING], [Verdict.FAULT]


def test_a_fresh_installation_is_healthy() -> None:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    report = json.loads(done.stdout)
    assert report["healthy"] is True, report
    assert done.exit_code == 0
    checked = {finding["check"] for finding in report["findings"]}
    assert checked >= {"settings", "data folder", "secret", "database", "redis", "port", "log", "slow queries"}
    assert not Path("data").exists(), "the doctor changes nothing"


def test_a_fault_is_status_1_and_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_DATABASE_URL", f"postgresql://u:{SECRET}@127.0.0.1:1/n")
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "does not answer" in done.stdout
    assert "STEINMETZ_DATABASE_URL" in done.stdout
    assert SECRET not in done.output


def test_unusable_settings_are_a_fault_and_misspelt_ones_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_PROT", "1")
    assert next(doctor.examine()).verdict is Verdict.WARNING
    monkeypatch.setenv("STEINMETZ_PORT", "x")
    assert [finding.verdict for finding in doctor.examine()] == FAULT


def test_the_data_folder_is_the_owners(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    assert verdicts(doctor.data_folder, data_dir=folder) == FINE
    folder.mkdir(0o755)
    assert verdicts(doctor.data_folder, data_dir=folder) == WARNING
    folder.chmod(0o700)
    assert verdicts(doctor.data_folder, data_dir=folder) == FINE
    (tmp_path / "file").touch()
    assert verdicts(doctor.data_folder, data_dir=tmp_path / "file") == FAULT


def test_the_secret_is_strong_and_nobody_elses(tmp_path: Path) -> None:
    assert verdicts(doctor.secret, data_dir=tmp_path) == FINE
    load_settings(data_dir=tmp_path).token_secrets()
    assert verdicts(doctor.secret, data_dir=tmp_path) == FINE
    (tmp_path / "jwt-secret").chmod(0o644)
    assert verdicts(doctor.secret, data_dir=tmp_path) == FAULT
    assert verdicts(doctor.secret, jwt_secret=SECRET) == FINE
    assert verdicts(doctor.secret, jwt_secret="weak") == FAULT
    assert verdicts(doctor.secret, jwt_secret="weak", environment="development") == WARNING
    assert verdicts(doctor.secret, jwt_secret=SECRET, jwt_secret_previous="weak") == [Verdict.FINE, Verdict.FAULT]


def test_the_database_is_as_new_as_the_release(postgres_url: str) -> None:
    assert verdicts(doctor.database) == FINE
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    assert verdicts(doctor.database) == [Verdict.FINE] * 4
    assert verdicts(doctor.database, database_url=postgres_url) == [Verdict.FINE, Verdict.FAULT]


def test_logs_that_can_be_changed_are_a_fault() -> None:
    from steinmetz.erp.migrations.transaction import in_transaction

    CliRunner().invoke(app, ["migrate"])
    url = load_settings().url
    in_transaction(url, lambda connection: connection.exec_driver_sql("DROP TRIGGER audit_entries_no_update"))
    found = {finding.check: finding for finding in doctor.database(load_settings())}
    assert found["audit"].verdict is Verdict.FAULT
    assert "audit_entries_no_update" in found["audit"].message


def test_maintenance_without_an_end_to_come_is_a_warning() -> None:
    def verdict() -> Verdict:
        return {finding.check: finding.verdict for finding in doctor.database(load_settings())}["maintenance"]

    CliRunner().invoke(app, ["migrate"])
    assert CliRunner().invoke(app, ["maintenance", "on", "--until", "2999-01-01T00:00"]).exit_code == 0
    assert verdict() is Verdict.FINE
    assert CliRunner().invoke(app, ["maintenance", "on"]).exit_code == 0
    assert verdict() is Verdict.WARNING
    assert CliRunner().invoke(app, ["maintenance", "off"]).exit_code == 0
    assert verdict() is Verdict.FINE


def test_a_disk_that_is_nearly_full_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts(doctor.disk) == FINE
    monkeypatch.setattr(doctor, "LOW_DISK_MB", 10**12)
    assert verdicts(doctor.disk) == WARNING
    monkeypatch.setattr(doctor, "FULL_DISK_MB", 10**12)
    assert verdicts(doctor.disk) == FAULT


def test_redis_answers_if_it_is_used(redis_url: str) -> None:
    assert verdicts(doctor.redis) == FINE
    assert verdicts(doctor.redis, redis_url=redis_url) == FINE
    assert verdicts(doctor.redis, redis_url=f"redis://:{SECRET}@127.0.0.1:1/0") == FAULT
    assert verdicts(doctor.redis, redis_url=SECRET) == FAULT


def test_a_port_that_somebody_else_has_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert verdicts(doctor.port, port=taken.getsockname()[1], host="127.0.0.1") == FAULT
    assert verdicts(doctor.port) == FINE


def test_demo_passwords_are_a_fault_where_others_can_reach_us() -> None:
    from steinmetz.erp.seed import LOGINS, PASSWORD

    CliRunner().invoke(app, ["migrate"])
    create = [
        "user",
        "create",
        "--name",
        "A",
        "--role",
        "admin",
        "--password-file",
        "-",
        "--email",
        LOGINS[0].email,
    ]
    assert CliRunner().invoke(app, create, input=PASSWORD + "\n").exit_code == 0
    assert verdicts(doctor.demo_passwords) == []
    assert verdicts(doctor.demo_passwords, host="0.0.0.0") == FAULT


@pytest.mark.parametrize(
    ("check", "settings", "expected"),
    [
        (doctor.workers, {"workers": 2}, FAULT),
        (doctor.workers, {}, []),
        (doctor.clients, {}, FINE),
        (doctor.clients, {"cors_origins": "https://a.example,http://localhost:5173"}, FINE),
        (doctor.clients, {"cors_origins": "http://a.example"}, WARNING),
        (doctor.clients, {"host": "0.0.0.0"}, [Verdict.FINE, Verdict.WARNING]),
        (doctor.clients, {"host": "0.0.0.0", "trusted_proxies": "10.0.0.0/8"}, FINE),
        (doctor.logs, {}, FINE),
        (doctor.logs, {"log_level": "error"}, WARNING),
        (doctor.retention, {}, FINE),
        (doctor.retention, {"retention_audit_days": 0}, FINE),
        (doctor.retention, {"retention_audit_days": 365}, WARNING),
        (doctor.retention, {"retention_sign_ins_days": 0}, [Verdict.FINE, Verdict.WARNING]),
        (doctor.slow_queries, {}, FINE),
        (doctor.slow_queries, {"slow_query_threshold_ms": 0}, WARNING),
        (doctor.slow_queries, {"monitor": False}, WARNING),
    ],
)
def test_settings_that_are_odd_together_are_named(
    check: Callable[[Settings], Iterator[Finding]], settings: dict[str, Any], expected: list[Verdict]
) -> None:
    assert verdicts(check, **settings) == expected
