"""What requests leave to the collector of cycles: nothing that we have made ourselves.

A busy process collects seldom, and each time everybody waits; between two times such garbage is memory that is
used for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from tests.garbage import collecting_by_hand, left

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]

READ = (
    "/api/dashboard/overview",
    "/api/customers?q=a",
    "/api/functions/search?q=buch",
    "/api/functions",
    "/api/invoices",
    "/api/customers/999999",
    "/api/customers?limit=nonsense",
)


async def test_a_request_leaves_nothing_of_ours_in_cycles(sign_in: SignIn) -> None:
    client = await sign_in("manager")
    answers = Counter[int]()
    with collecting_by_hand():
        for _ in range(2):
            left()  # what is made once for all was made in the first round
            for path in READ:
                answers[(await client.get(path)).status_code] += 1
            made = await client.post("/api/customers", json={"name": "Beispiel GmbH"})
            answers[made.status_code] += 1
        found = left()
    assert answers == {200: 2 * (len(READ) - 2), 404: 2, 422: 2, 201: 2}
    assert {name: count for name, count in found.items() if name.startswith("steinmetz.")} == {}
