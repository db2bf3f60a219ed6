import type { CreditNoteRow } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { DataTable, type Column } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { Day } from '../../ui/day';
import { FilterBar, useFilters } from '../../ui/filter_bar';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import { CustomerFilter } from './customer_filter';

export default function CreditNotesPage() {
  const { say } = useTongue();
  const filters = useFilters('customer', 'from', 'to');
  const { customer, from, to } = filters.values;
  const list = useListing('/api/credit-notes', {
    query: { ...(Number(customer) ? { customerId: Number(customer) } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) },
  });
  const columns: Column<CreditNoteRow>[] = [
    { id: 'number', title: say('credit_note.number'), isMain: true, cell: (row) => <span class="number">{row.number}</span>, text: (row) => row.number },
    { id: 'day', title: say('invoice.issueDate'), cell: (row) => <Day date={row.issueDate} />, text: (row) => row.issueDate },
    { id: 'customer', title: say('invoice.customer'), cell: (row) => row.customerName, text: (row) => row.customerName },
    {
      id: 'invoice',
      title: say('credit_note.corrects'),
      cell: (row) => (
        <a class="number" href={`/invoices/${row.invoiceId}`}>
          {row.invoiceNumber}
        </a>
      ),
      text: (row) => row.invoiceNumber,
    },
    { id: 'reason', title: say('credit.reason'), isExtra: true, cell: (row) => row.reason, text: (row) => row.reason },
    { id: 'gross', title: say('invoice.grossCents'), align: 'end', cell: (row) => <Money cents={row.grossCents} currency={row.currency} />, text: (row) => row.grossCents / 100 },
  ];
  return (
    <div class="page">
      <PageHeader title={say('nav.credit_notes')} />
      <FilterBar filtered={filters}>
        <CustomerFilter />
        <DateRange />
      </FilterBar>
      <DataTable
        label={say('nav.credit_notes')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/credit-notes/${row.id}`}
        exportAs="credit-notes"
        empty={say('credit_notes.empty')}
        filtered={filters}
      />
    </div>
  );
}
