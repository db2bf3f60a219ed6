from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from steinmetz.erp.db import Database
from steinmetz.erp.errors import problem_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("where", ["localhost:1/none", "/none?host={folder}"])
@pytest.mark.parametrize("writes", [True, False])
async def test_a_server_that_is_not_there_is_told_as_unavailable(tmp_path: Path, where: str, writes: bool) -> None:
    database = Database(f"postgresql+asyncpg://nobody@{where.format(folder=tmp_path)}")
    with pytest.raises(OperationalError) as refused:
        async with database.unit(writes=writes) as unit:
            await unit.session.execute(text("SELECT 1"))
    assert problem_of(refused.value).status == 503
    await database.close()


async def test_an_error_does_not_tell_what_was_bound_to_its_statement(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    with pytest.raises(DBAPIError) as refused:
        async with database.unit() as unit:
            await unit.session.execute(text("SELECT :word FROM nowhere"), {"word": "a secret word"})
    assert "a secret word" not in f"{refused.value} {refused.value!r}"
    await database.close()
