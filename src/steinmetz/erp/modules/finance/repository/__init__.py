"""What finance asks of the database, alike on SQLite and PostgreSQL; decides nothing.

Who means to change an invoice takes its row's lock first (`invoice_to_change`) and a number series' after it: one
order, so that two writers wait for each other and never for ever.
"""

from steinmetz.erp.modules.finance.repository import (
    company,
    credit_notes,
    customers,
    extracts,
    figures,
    invoices,
    numbers,
    payments,
)

__all__ = [
    "company",
    "credit_notes",
    "customers",
    "extracts",
    "figures",
    "invoices",
    "numbers",
    "payments",
]
