import { useMemo } from 'preact/hooks';
import type { InvoiceRow } from '../../api/types';
import type { Column } from '../../ui/data_table';
import { Day } from '../../ui/day';
import { Money } from '../../ui/money';
import '../../words/invoices';
import '../../words/invoice_status';
import type { Tongue } from '../../words/language';
import { useTongue } from '../../words/tongue';
import { DueDay } from './due_day';
import { StatusBadge } from './status_badge';

/** The columns of a list of invoices; that of one customer does not say whose they are. */
export function useInvoiceColumns({ withCustomer }: { withCustomer: boolean }): Column<InvoiceRow>[] {
  const { say } = useTongue();
  return useMemo(() => columnsOf(say, withCustomer), [say, withCustomer]);
}

function columnsOf(say: Tongue['say'], withCustomer: boolean): Column<InvoiceRow>[] {
  const columns: (Column<InvoiceRow> | false)[] = [
    {
      id: 'number',
      title: say('invoice.number'),
      isMain: true,
      sort: 'id',
      cell: (row) => <span class="number">{row.number ?? say('invoice.draft')}</span>,
      text: (row) => row.number,
    },
    withCustomer && { id: 'customer', title: say('invoice.customer'), cell: (row) => row.customerName, text: (row) => row.customerName },
    {
      id: 'status',
      title: say('invoice.status'),
      cell: (row) => <StatusBadge status={row.status} />,
      text: (row) => say(`invoice_status.${row.status}`),
    },
    { id: 'issued', title: say('invoice.issueDate'), sort: 'issueDate', cell: (row) => <Day date={row.issueDate} />, text: (row) => row.issueDate },
    { id: 'due', title: say('invoice.dueDate'), sort: 'dueDate', cell: (row) => <DueDay invoice={row} />, text: (row) => row.dueDate },
    {
      id: 'net',
      title: say('invoice.netCents'),
      align: 'end',
      isExtra: true,
      cell: (row) => <Money cents={row.netCents} currency={row.currency} />,
      text: (row) => row.netCents / 100,
    },
    {
      id: 'gross',
      title: say('invoice.grossCents'),
      align: 'end',
      sort: 'grossCents',
      cell: (row) => <Money cents={row.grossCents} currency={row.currency} />,
      text: (row) => row.grossCents / 100,
    },
    {
      id: 'open',
      title: say('invoice.openCents'),
      align: 'end',
      cell: (row) => <Money cents={row.openCents} currency={row.currency} />,
      text: (row) => row.openCents / 100,
    },
  ];
  return columns.filter((column) => column !== false);
}
