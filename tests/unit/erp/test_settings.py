from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from steinmetz.erp.settings import SettingsError, load_settings, unknown_variables, variable, weakness
from steinmetz.gcra import Rate

STRONG = "q8Zk3vX0pLw6Rt1yUe9sBn4mHc7jDf2A"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in os.environ:
        if name.startswith("STEINMETZ_") or name == "SLOW_QUERY_THRESHOLD_MS":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_are_an_embedded_database_on_port_3000_for_this_machine() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 3000, 1)
    assert settings.database_address == "sqlite+aiosqlite:///data/steinmetz.db"
    assert settings.is_embedded
    assert settings.slow_query_threshold_ms == 100
    assert settings.cors_origins == ()
    assert settings.cache
    assert settings.monitor
    assert settings.live


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "STEINMETZ_PORT": "8080",
        "STEINMETZ_CACHE": "off",
        "STEINMETZ_CORS_ORIGINS": "https://A.example, http://localhost:5173",
        "STEINMETZ_LOG_LEVEL": "WARNING",
        "STEINMETZ_REDIS_URL": "",
        "SLOW_QUERY_THRESHOLD_MS": "250",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.port == 8080
    assert settings.cache is False
    assert settings.cors_origins == ("https://a.example", "http://localhost:5173")
    assert settings.log_level == "warning"
    assert settings.redis_url is None
    assert settings.slow_query_threshold_ms == 250


def test_what_the_command_line_says_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEINMETZ_PORT", "8080")
    assert load_settings(port=9090, host=None).port == 9090


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://a:b@h/n", "postgresql+asyncpg://a:b@h/n"),
        ("postgres://a:b@h/n", "postgresql+asyncpg://a:b@h/n"),
        ("postgresql+psycopg2://a:b@h/n", "postgresql+asyncpg://a:b@h/n"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    ],
)
def test_database_addresses_get_the_driver_of_the_application(url: str, address: str) -> None:
    assert load_settings(database_url=url).database_address == address


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://a:geheim@h:x/n", "mysql://a:geheim@h/n"]
)
def test_a_database_that_cannot_be_used_is_refused_by_name_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^STEINMETZ_DATABASE_URL") as refused:
        load_settings(database_url=url)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("port", "x", "STEINMETZ_PORT"),
        ("port", "70000", "STEINMETZ_PORT"),
        ("cors_origins", "*", "STEINMETZ_CORS_ORIGINS"),
        ("cors_origins", "https://a.example/path", "STEINMETZ_CORS_ORIGINS"),
        ("trusted_proxies", "nobody", "STEINMETZ_TRUSTED_PROXIES"),
        ("log_level", "loud", "STEINMETZ_LOG_LEVEL"),
        ("slow_query_threshold_ms", "-1", "SLOW_QUERY_THRESHOLD_MS"),
        ("slow_query_thresholds", "finance=5", "STEINMETZ_SLOW_QUERY_THRESHOLDS"),
        ("slow_query_thresholds", "[1]", "STEINMETZ_SLOW_QUERY_THRESHOLDS"),
        ("slow_query_thresholds", '{"a": -1}', "STEINMETZ_SLOW_QUERY_THRESHOLDS"),
        ("explain", "always", "STEINMETZ_EXPLAIN"),
        ("database_url", "mysql://u:geheim@h/n", "STEINMETZ_DATABASE_URL"),
        ("database_url", "geheim", "STEINMETZ_DATABASE_URL"),
    ],
)
def test_an_unusable_setting_is_one_line_that_names_it_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str, names: str
) -> None:
    monkeypatch.setenv(variable(field), value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    message = str(refused.value)
    assert names in message
    assert "\n" not in message
    assert "geheim" not in message


def test_secrets_do_not_appear_when_settings_are_shown() -> None:
    settings = load_settings(jwt_secret=STRONG, database_url="postgresql://u:geheim@h/n", metrics_token="geheim")
    assert STRONG not in repr(settings)
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.model_dump())


class TestTokenSecrets:
    def test_are_made_on_the_first_start_and_kept(self, tmp_path: Path) -> None:
        settings = load_settings(data_dir=tmp_path / "new" / "data")
        (secret,) = settings.token_secrets()
        assert weakness(secret) is None
        assert settings.token_secrets() == (secret,)
        assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700

    def test_may_be_two_for_rotation(self) -> None:
        older = STRONG[::-1]
        assert load_settings(jwt_secret=STRONG, jwt_secret_previous=older).token_secrets() == (STRONG, older)

    def test_of_the_file_go_before_the_older_setting(self, tmp_path: Path) -> None:
        kept, older = load_settings(data_dir=tmp_path, jwt_secret_previous=STRONG).token_secrets()
        assert (kept != STRONG, older) == (True, STRONG)

    @pytest.mark.parametrize("field", ["jwt_secret", "jwt_secret_previous"])
    @pytest.mark.parametrize(
        "secret", ["klein", "a" * 40, "abcdefgh" * 5, "your-256-bit-secret-your-256-bit-secret", "changeme" * 5]
    )
    def test_that_are_weak_are_refused_outside_development(self, field: str, secret: str) -> None:
        given: dict[str, Any] = {"jwt_secret": STRONG, field: secret}
        with pytest.raises(SettingsError, match=variable(field)) as refused:
            load_settings(**given).token_secrets()
        assert secret not in str(refused.value)
        assert secret in load_settings(environment="development", **given).token_secrets()

    def test_cannot_be_kept_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(SettingsError, match="STEINMETZ_DATA_DIR"):
            load_settings(data_dir=tmp_path / "file" / "data").token_secrets()


def test_misspelt_variables_are_found() -> None:
    environment = {"STEINMETZ_PROT": "1", "STEINMETZ_PORT": "1", "PATH": "", "SLOW_QUERY_THRESHOLD_MS": "1"}
    assert unknown_variables(environment) == ["STEINMETZ_PROT"]


def test_a_rate_is_requests_and_seconds_or_off() -> None:
    settings = load_settings(rate_limit_user="600/60", rate_limit_address="off")
    assert settings.rate_of_user == Rate(burst=600, period_s=0.1)
    assert settings.rate_of_address is None
    assert load_settings(rate_limit_user="0").rate_of_user is None


@pytest.mark.parametrize("text", ["600", "600/0", "0/60", "9/60", "-1/60", "six/60", "600/60/1", "1e9/60", ""])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"STEINMETZ_RATE_LIMIT_USER: .*600/60"):
        load_settings(rate_limit_user=text)
