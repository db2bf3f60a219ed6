import type { PaymentRow } from '../../api/types';
import { useQuery } from '../../app/router';
import { useListing, type Listing } from '../../live/use_answer';
import { DataTable, type Column } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { Day, Moment } from '../../ui/day';
import { FilterBar, useFilters } from '../../ui/filter_bar';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import { Tabs } from '../../ui/tabs';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './finance.css';

type Kind = 'received' | 'refunds';

/** Money that came in, and money that went back. */
export default function PaymentsPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown: Kind = query.get('kind') === 'refunds' ? 'refunds' : 'received';
  const filters = useFilters('from', 'to');
  const { from, to } = filters.values;
  const asked = { query: { ...(from ? { from } : {}), ...(to ? { to } : {}) } };
  const payments = useListing('/api/payments', shown === 'received' ? asked : null);
  const refunds = useListing('/api/refunds', shown === 'refunds' ? asked : null);
  return (
    <div class="page">
      <PageHeader title={say('nav.payments')} />
      <Tabs<Kind>
        tabs={[
          { id: 'received', title: say('payments.tab.received') },
          { id: 'refunds', title: say('payments.tab.refunds') },
        ]}
        shown={shown}
        show={(kind) => setQuery({ kind: kind === 'received' ? null : kind })}
      >
        <div class="stack">
          <FilterBar filtered={filters}>
            <DateRange />
          </FilterBar>
          {shown === 'received' ? (
            <MoneyTable label={say('nav.payments')} list={payments} name="payments" empty={say('payments.empty')} filtered={filters} />
          ) : (
            <MoneyTable label={say('payments.tab.refunds')} list={refunds} name="refunds" empty={say('refunds.empty')} filtered={filters} />
          )}
        </div>
      </Tabs>
    </div>
  );
}

function MoneyTable({ label, list, name, empty, filtered }: { label: string; list: Listing<PaymentRow>; name: string; empty: string; filtered: { is: boolean; clear: () => void } }) {
  const { say } = useTongue();
  const columns: Column<PaymentRow>[] = [
    { id: 'invoice', title: say('invoice.number'), isMain: true, cell: (row) => <span class="number">{row.invoiceNumber}</span>, text: (row) => row.invoiceNumber },
    { id: 'day', title: say('payment.paidOn'), cell: (row) => <Day date={row.paidOn} />, text: (row) => row.paidOn },
    { id: 'customer', title: say('invoice.customer'), cell: (row) => row.customerName, text: (row) => row.customerName },
    { id: 'method', title: say('pay.method'), cell: (row) => say(`method.${row.method}`), text: (row) => say(`method.${row.method}`) },
    { id: 'reference', title: say('pay.reference'), isExtra: true, cell: (row) => row.reference, text: (row) => row.reference },
    { id: 'booked', title: say('payment.createdAt'), isExtra: true, cell: (row) => <Moment at={row.createdAt} />, text: (row) => row.createdAt },
    { id: 'amount', title: say('payment.amount'), align: 'end', cell: (row) => <Money cents={row.amountCents} />, text: (row) => row.amountCents / 100 },
  ];
  return <DataTable label={label} list={list} columns={columns} rowKey={(row) => row.id} href={(row) => `/invoices/${row.invoiceId}`} exportAs={name} empty={empty} filtered={filtered} />;
}
