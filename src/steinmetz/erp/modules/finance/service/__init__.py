"""What can be done with customers and invoices, and the figures that other modules ask for.

Every act on an invoice goes the same way: lock it, compare the version, ask `rules.TRANSITIONS`, change it, post
its journal entry, write the audit log. All of that is one commit.
"""

from steinmetz.erp.modules.finance.service import (
    company,
    credit_notes,
    customers,
    drafts,
    extracts,
    figures,
    invoices,
    payments,
)

__all__ = [
    "company",
    "credit_notes",
    "customers",
    "drafts",
    "extracts",
    "figures",
    "invoices",
    "payments",
]
