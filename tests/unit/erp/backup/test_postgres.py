from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from steinmetz.erp.backup.manifest import BackupError
from steinmetz.erp.backup.postgres import Block, environment, steps_of

DUMP = rb"""\restrict 8xWq
SET client_encoding = 'UTF8';
CREATE SCHEMA public;
-- Data for Name: users
COPY public.users (id, "from", name) FROM stdin;
1	\N	a\\.b
2	x	\\.
\.

COPY public."Odd ""name" (id) FROM stdin;
\.
SELECT pg_catalog.setval('public.users_id_seq', 2, true);
\unrestrict 8xWq
"""


async def taken_apart(dump: bytes, sizes: list[int]) -> list[str | tuple[str, list[str], bytes]]:
    pieces = []
    position = 0
    for size in [*sizes, len(dump)]:
        pieces.append(dump[position : position + size])
        position += size

    async def read() -> bytes:
        return pieces.pop(0) if pieces else b""

    found: list[str | tuple[str, list[str], bytes]] = []
    async for step in steps_of(read):
        if isinstance(step, Block):
            chunks = [chunk async for chunk in step.lines]
            assert all(chunk.endswith(b"\n") for chunk in chunks)
            found.append((step.table, step.columns, b"".join(chunks)))
        else:
            found.append(step)
    return found


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=12))
def test_a_dump_is_taken_apart_however_it_arrives(sizes: list[int]) -> None:
    assert asyncio.run(taken_apart(DUMP, sizes)) == [
        "SET client_encoding = 'UTF8';\n",
        "-- Data for Name: users\n",
        ("users", ["id", "from", "name"], b"1\t\\N\ta\\\\.b\n2\tx\t\\\\.\n"),
        "\n",
        ('Odd "name', ["id"], b""),
        "SELECT pg_catalog.setval('public.users_id_seq', 2, true);\n",
    ]


@pytest.mark.parametrize("length", [20, 130, 175])
def test_a_dump_that_ends_too_early_is_refused(length: int) -> None:
    with pytest.raises(BackupError, match="it ends within"):
        asyncio.run(taken_apart(DUMP[:length], []))


def test_no_password_is_in_a_command_line_and_the_server_is_found() -> None:
    told = environment(make_url("postgresql+asyncpg://u:geheim@/erp?host=/tmp/pg"))
    expected = {"PGHOST": "/tmp/pg", "PGPORT": "5432", "PGUSER": "u", "PGPASSWORD": "geheim", "PGDATABASE": "erp"}
    assert told.items() >= expected.items()
