"""Every kind of job that this release runs."""

from __future__ import annotations

from typing import Any

from steinmetz.erp.modules.batch.kinds.customers_import import CUSTOMERS_IMPORT
from steinmetz.erp.modules.batch.kinds.export import EXPORT
from steinmetz.erp.modules.batch.kinds.invoices_recalculate import INVOICES_RECALCULATE
from steinmetz.erp.modules.batch.kinds.month_end import MONTH_END
from steinmetz.erp.modules.batch.kinds.port import Kind

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind for kind in (CUSTOMERS_IMPORT, EXPORT, INVOICES_RECALCULATE, MONTH_END)
}
