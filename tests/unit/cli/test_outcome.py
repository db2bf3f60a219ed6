from __future__ import annotations

import pytest
import typer
from sqlalchemy.exc import OperationalError

from steinmetz.cli.outcome import plain_errors
from steinmetz.erp.errors import Conflict
from steinmetz.erp.settings import SettingsError


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SettingsError("STEINMETZ_PORT: no"), "STEINMETZ_PORT: no"),
        (Conflict("is taken"), "is taken"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (
            OperationalError("SELECT 'geheim'", {"x": "geheim"}, Exception("no such table\ngeheim")),
            "no such table",
        ),
        (RuntimeError("the database is newer"), "the database is newer"),
    ],
)
def test_every_error_is_one_line_and_status_2(
    error: Exception, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end, plain_errors():
        raise error
    written = capsys.readouterr().err
    assert end.value.exit_code == 2
    assert says in written
    assert len(written.splitlines()) == 1
    assert "geheim" not in written


def test_a_programming_error_is_not_hidden() -> None:
    with pytest.raises(KeyError), plain_errors():
        raise KeyError("x")
