"""Backup beside a running server, restore, and the server tells what it told then."""

from __future__ import annotations

import os
import signal
import textwrap
from pathlib import Path

import httpx2
import pytest

from tests.e2e.server import running_server
from tests.e2e.test_doorbell import Company, command, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

CUSTOMERS = "/api/customers?limit=500"


async def steinmetz(company: Company, *arguments: str) -> tuple[int, str]:
    return await command(company, "-m", "steinmetz", *arguments)


async def rename_a_customer(http: httpx2.AsyncClient) -> None:
    customer = (await http.get(CUSTOMERS)).json()["data"][0]
    change = {"version": customer["version"], "name": "Umbenannt GmbH"}
    answer = await http.patch(f"/api/customers/{customer['id']}", json=change)
    assert answer.status_code == 200, answer.text


@pytest.mark.both_databases
async def test_what_was_backed_up_beside_a_running_server_is_back_after_a_restore(
    company: Company, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, database_url = company
    file = str(tmp_path_factory.mktemp("backups") / "a.backup")
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            before = (await http.get(CUSTOMERS)).json()
            status, errors = await steinmetz(company, "backup", file)
            assert status == 0, errors
            await rename_a_customer(http)
            changed = (await http.get(CUSTOMERS)).json()
            assert changed != before

            status, errors = await steinmetz(company, "restore", file, "--replace")
            assert status == 2
            assert f"a server uses the database (process {server.pid})" in errors
            assert (await http.get(CUSTOMERS)).json() == changed

            # Told to, it restores beside the running server, which knows at once.
            assert (await http.get(CUSTOMERS)).headers["X-Cache"] == "HIT"
            status, errors = await steinmetz(company, "restore", file, "--replace", "--even-in-use")
            assert status == 0, errors
            again = await http.get(CUSTOMERS)
            assert (again.headers["X-Cache"], again.json()) == ("MISS", before)
            await rename_a_customer(http)

    status, errors = await steinmetz(company, "restore", file, "--replace")
    assert status == 0, errors
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            assert (await http.get(CUSTOMERS)).json() == before


RESTORER = """
    import asyncio, os, signal, sys
    from contextlib import nullcontext
    from pathlib import Path
    from steinmetz.erp.backup import Archive, postgres, sqlite
    from steinmetz.erp.settings import load_settings

    def die(reached):
        if reached == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    def silent(label, done, total):
        pass

    settings = load_settings()
    with Archive(Path(sys.argv[1])) as archive:
        copy = Path(sys.argv[1] + ".copy")
        archive.extract(copy, silent)
        if settings.is_embedded:
            sqlite.put_in_place(copy, Path(settings.url.database), die)
        else:
            asyncio.run(postgres.restore(
                settings.url, copy, archive.manifest.contents, silent,
                replace=True, even_in_use=False, around_commit=nullcontext, failpoint=die,
            ))
"""


@pytest.mark.both_databases
async def test_a_restore_that_is_killed_leaves_the_database_as_it_was(
    company: Company, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, database_url = company
    backups = tmp_path_factory.mktemp("backups")
    file, restorer = str(backups / "a.backup"), backups / "restore.py"
    restorer.write_text(textwrap.dedent(RESTORER))
    assert (await steinmetz(company, "backup", file))[0] == 0
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            await rename_a_customer(http)
            changed = (await http.get(CUSTOMERS)).json()
    point = "restored" if database_url else "cleared"
    assert await command(company, str(restorer), file, point) == (-signal.SIGKILL, "")
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            assert (await http.get(CUSTOMERS)).json() == changed


async def test_a_backup_holds_no_secret_of_the_data_folder(
    company: Company, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, _ = company
    file: Path = tmp_path_factory.mktemp("backups") / "a.backup"
    with running_server(folder):
        secret = (folder / "jwt-secret").read_bytes().strip()
        assert (await steinmetz(company, "backup", str(file)))[0] == 0
    import zipfile

    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["database.sqlite3", "manifest.json"]
        assert all(secret not in archive.read(name) for name in archive.namelist())
    assert os.stat(file).st_mode & 0o077 == 0
