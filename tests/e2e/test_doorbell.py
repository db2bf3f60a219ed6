"""Two processes on one database: what one commits, the other knows before anybody is told of the success."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.listeners import python_listener
from tests.e2e.server import running_server
from tests.e2e.test_main_job import OVERVIEW, pay, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

Company = tuple[Path, str | None]


def environment(company: Company) -> dict[str, str]:
    folder, database_url = company
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("STEINMETZ_")},
        "STEINMETZ_DATA_DIR": str(folder),
        "STEINMETZ_ARGON2_MEMORY_KIB": "8",
        "STEINMETZ_ARGON2_TIME_COST": "1",
        "STEINMETZ_LOG_LEVEL": "error",
        **({"STEINMETZ_DATABASE_URL": database_url} if database_url else {}),
    }


async def command(company: Company, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """Run it to its end beside this loop; its status, and what it said on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        env=environment(company),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, errors = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def create_user(company: Company, email: str) -> tuple[int, str]:
    create = ("-m", "steinmetz", "user", "create", "--email", email, "--name", "Neu", "--password-file", "-")
    return await command(company, *create, stdin="ein langes Wort\n")


WRITER = """
    import asyncio, os, signal, sys
    from sqlalchemy import text
    from steinmetz.cli.database import opened
    from steinmetz.erp.kit.announcements import announcement
    from steinmetz.erp.modules.notifications.schemas import NOTIFICATION, Notice
    from steinmetz.erp.settings import load_settings
    from steinmetz.sql.engine import hook

    async def write():
        async with opened(load_settings(), "test") as database:
            if len(sys.argv) > 1:
                def die(reached):
                    if reached == sys.argv[1]:
                        os.kill(os.getpid(), signal.SIGKILL)
                hook(database.engine).failpoint = die
            async with database.unit() as unit:
                await unit.session.execute(text("UPDATE invoices SET status = 'cancelled' WHERE status = 'sent'"))
                notice = Notice(id=1, level="info", title="Storno", message="", at=unit.now)
                unit.publish(announcement(NOTIFICATION, notice, ("dashboard-room",)))

    asyncio.run(write())
"""


@pytest.fixture
def writer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A command that cancels every sent invoice and says so; its argument is where it is killed."""
    script = tmp_path_factory.mktemp("writer") / "write.py"
    script.write_text(textwrap.dedent(WRITER))
    return str(script)


async def signed_in(http: httpx2.AsyncClient, role: str = "admin") -> str:
    token = await sign_in(http, role)
    http.headers["Authorization"] = f"Bearer {token}"
    return token


async def states(http: httpx2.AsyncClient, path: str = OVERVIEW, times: int = 2) -> list[str]:
    return [(await http.get(path)).headers["X-Cache"] for _ in range(times)]


@pytest.mark.both_databases
async def test_what_a_command_writes_is_read_and_heard_at_once(company: Company, writer: str) -> None:
    folder, database_url = company
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            token = await signed_in(http)
            assert await states(http) == ["MISS", "HIT"]
            before = (await http.get(OVERVIEW)).json()

            assert await create_user(company, "neu@example.com") == (0, "")
            latest = (await http.get("/api/cache/invalidations")).json()["invalidations"][0]
            assert latest["cause"].startswith("steinmetz user create")
            assert "main:users" in latest["relations"]

            async with (
                python_listener(server.url, token, "websocket", "dashboard:update") as screen,
                python_listener(server.url, token, "websocket", "system:notification") as listener,
            ):
                await screen.next("connect")
                await listener.next("connect")
                assert await command(company, writer) == (0, "")
                after = await http.get(OVERVIEW)
                assert after.headers["X-Cache"] == "MISS"
                assert after.json() != before
                assert (await screen.next("event"))["payload"] == after.json()["data"]
                assert (await listener.next("event"))["payload"]["title"] == "Storno"
                screen.assert_silent()


async def test_a_command_that_fills_or_migrates_drops_everything(company: Company) -> None:
    folder, _ = company
    with running_server(folder) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            assert await states(http) == ["MISS", "HIT"]
            status, errors = await command(company, "-m", "steinmetz", "seed")
            assert status == 2
            assert "holds data already" in errors
            # The embedded file was migrated first: nobody knows what that wrote.
            assert await states(http) == ["MISS", "HIT"]


@pytest.mark.parametrize(("point", "is_written"), [("marked", False), ("committed", True)])
async def test_a_writer_killed_between_mark_and_bump_strands_no_answer(
    company: Company, writer: str, point: str, is_written: bool
) -> None:
    folder, database_url = company
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            assert await states(http) == ["MISS", "HIT"]
            before = (await http.get(OVERVIEW)).json()
            status, _ = await command(company, writer, point)
            assert status == -signal.SIGKILL
            after = await http.get(OVERVIEW)
            assert after.headers["X-Cache"] == "MISS"
            assert (after.json() != before) is is_written
            assert "broke off" in server.log.read_text()


async def test_a_stopped_server_holds_a_command_up_for_two_seconds_and_then_knows(
    company: Company, writer: str
) -> None:
    folder, _ = company
    with running_server(folder) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            await signed_in(http)
            assert await states(http) == ["MISS", "HIT"]
            before = (await http.get(OVERVIEW)).json()
            os.kill(server.pid, signal.SIGSTOP)
            try:
                begun = time.monotonic()
                status, errors = await command(company, writer)
                took_s = time.monotonic() - begun
            finally:
                os.kill(server.pid, signal.SIGCONT)
            assert status == 0
            assert f"warning: The server of process {server.pid} does not answer" in errors
            assert len(errors.splitlines()) == 1
            assert took_s < 30  # two of them waiting, the rest is Python starting on a busy machine
            give_up = time.monotonic() + 30
            while (await http.get(OVERVIEW)).json() == before:
                assert time.monotonic() < give_up, "it never heard"


WRITES = 60


@pytest.mark.both_databases
async def test_two_servers_on_one_database_never_give_an_answer_older_than_an_acknowledged_write(
    company: Company,
) -> None:
    folder, database_url = company
    with (
        running_server(folder, database_url=database_url) as first,
        running_server(folder, database_url=database_url) as second,
    ):
        async with (
            httpx2.AsyncClient(base_url=first.url, timeout=60) as here,
            httpx2.AsyncClient(base_url=second.url, timeout=60) as there,
        ):
            for http in (here, there):
                token = await signed_in(http, "clerk")
            async with python_listener(second.url, token, "websocket", "dashboard:update") as screen:
                await screen.next("connect")
                sent = await here.get("/api/invoices", params={"status": "sent", "limit": 1})
                invoice = sent.json()["data"][0]
                owed = invoice["grossCents"] - invoice["paidCents"]
                paid = await pay(here, invoice, owed, version=invoice["version"])
                assert paid.status_code < 300, paid.text
                told, now = (await screen.next("event"))["payload"], (await here.get(OVERVIEW)).json()["data"]
                if told != now:
                    # The first answer was being computed while the payment was committed: said, then the next.
                    told = (await screen.next("event"))["payload"]
                assert told == now
                screen.assert_silent()
            servers = [here, there]
            customers = (await here.get("/api/customers", params={"limit": 4})).json()["data"]
            acknowledged: dict[int, int] = {each["id"]: each["version"] for each in customers}
            stale: list[Any] = []
            states: dict[str, int] = {}
            choice = random.Random(1)

            async def write(customer: dict[str, Any]) -> None:
                for number in range(WRITES // len(customers)):
                    answer = await choice.choice(servers).patch(
                        f"/api/customers/{customer['id']}",
                        json={"version": acknowledged[customer["id"]], "city": f"Stadt {number}"},
                    )
                    assert answer.status_code == 200, answer.text
                    acknowledged[customer["id"]] = answer.json()["data"]["version"]
                    for reader in (servers[0], servers[1], choice.choice(servers)):
                        await read(reader, customer["id"])

            async def read(http: httpx2.AsyncClient, customer: int) -> None:
                known = acknowledged[customer]
                answer = await http.get(f"/api/customers/{customer}")
                states[answer.headers["X-Cache"]] = states.get(answer.headers["X-Cache"], 0) + 1
                if answer.json()["data"]["version"] < known:
                    stale.append((customer, known, answer.json()["data"]["version"], answer.headers["X-Cache"]))

            async def keep_reading() -> None:
                while True:
                    await read(choice.choice(servers), choice.choice(customers)["id"])

            readers = [asyncio.create_task(keep_reading()) for _ in range(3)]
            await asyncio.gather(*(write(customer) for customer in customers))
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            assert stale == []
            assert states["HIT"] > WRITES
            assert states["MISS"] > WRITES / 4
