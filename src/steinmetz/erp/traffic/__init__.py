"""The workload: clerks of the company who read, write and listen, decided from a seed.

`model` decides what is asked, `ledger` what must be answered, `report` sums it up; `client` carries it over real
HTTP and sockets. ``steinmetz traffic``, the benchmarks and the soak all use it. Importing this package needs no
client library; importing `client` needs aiohttp (``pip install steinmetz[traffic]``).
"""

from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Company, Desk, Role, desks
from steinmetz.erp.traffic.ledger import Finding, Ledger
from steinmetz.erp.traffic.model import OVERVIEW, REQUESTS_PER_WRITE, day, pause_s
from steinmetz.erp.traffic.report import Oracle, Tally

__all__ = [
    # .model
    "OVERVIEW",
    "REQUESTS_PER_WRITE",
    # .calls
    "Call",
    # .company
    "Company",
    "Desk",
    # .ledger
    "Finding",
    "Ledger",
    # .report
    "Oracle",
    # .calls
    "Reply",
    # .company
    "Role",
    # .report
    "Tally",
    # .model
    "day",
    # .company
    "desks",
    # .model
    "pause_s",
]
