from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from steinmetz.erp.kit.secret_file import SecretFileError, read_or_make


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = read_or_make(path)
    assert len(secret) >= 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make(path) == secret
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_who_starts_at_the_same_time_gets_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: read_or_make(tmp_path / "secret"), range(32)))
    assert len(made) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    secret = read_or_make(path)
    path.chmod(mode)
    with pytest.raises(SecretFileError, match="chmod 600") as refused:
        read_or_make(path)
    assert secret not in str(refused.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    with pytest.raises(SecretFileError, match="is empty"):
        read_or_make(path)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match="cannot be used"):
        read_or_make(tmp_path / "no" / "secret")
