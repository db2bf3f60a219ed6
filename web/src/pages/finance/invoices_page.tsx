import type { InvoiceStatus } from '../../api/types';
import { useAnswer, useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { DataTable } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import '../../words/invoices';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';
import { CustomerFilter } from './customer_filter';
import { Figures } from './figures';
import { useInvoiceColumns } from './invoice_columns';

const SORTS = ['-id', 'id', 'issueDate', '-issueDate', 'dueDate', '-dueDate', 'grossCents', '-grossCents'] as const;
/** What may be chosen; `open` is what customers owe. */
const STATUSES: Record<string, InvoiceStatus[]> = {
  open: ['sent', 'overdue'],
  overdue: ['overdue'],
  sent: ['sent'],
  draft: ['draft'],
  paid: ['paid'],
  cancelled: ['cancelled'],
};

export default function InvoicesPage() {
  const { say, money, count } = useTongue();
  const filters = useFilters('q', 'status', 'customer', 'from', 'to');
  const { q, status, customer, from, to } = filters.values;
  const chosen = STATUSES[status ?? ''];
  const query = {
    ...(q ? { q } : {}),
    ...(chosen ? { status: chosen } : {}),
    ...(Number(customer) ? { customerId: Number(customer) } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  };
  const sort = useFilters('sort').values.sort;
  const list = useListing('/api/invoices', { query: { ...query, sort: oneOf(SORTS, sort, '-id') } });
  const sums = useAnswer('/api/invoices/sums', { query }).body?.data;
  const columns = useInvoiceColumns({ withCustomer: true });
  return (
    <div class="page">
      <PageHeader
        title={say('nav.invoices')}
        actions={
          may('clerk') && (
            <a class="button primary" href="/invoices/new">
              <Icon name="plus" />
              {say('invoices.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('invoices.search')} />
        <SelectFilter
          name="status"
          label={say('invoice.status')}
          options={Object.keys(STATUSES).map((value) => ({
            value,
            title: value === 'open' ? say('invoices.status.open') : say(`invoice_status.${value as InvoiceStatus}`),
          }))}
        />
        <CustomerFilter />
        <DateRange />
      </FilterBar>
      {sums && sums.count > 0 && (
        <Figures
          label={say('sums.label')}
          of={JSON.stringify(query)}
          figures={[
            { title: say('sums.gross'), cents: sums.grossCents, note: say('sums.net', { amount: money(sums.netCents, 'EUR') }) },
            {
              title: say('sums.paid'),
              cents: sums.paidCents,
              note: sums.creditedCents > 0 && say('sums.credited', { amount: money(sums.creditedCents, 'EUR') }),
            },
            {
              title: say('sums.open'),
              cents: sums.openCents,
              note: say('sums.invoices', { count: sums.openCount, number: count(sums.openCount) }),
            },
            {
              title: say('sums.overdue'),
              cents: sums.overdueCents,
              tone: 'late',
              note: say('sums.invoices', { count: sums.overdueCount, number: count(sums.overdueCount) }),
            },
            ...(sums.refundDueCents > 0 ? [{ title: say('sums.refund_due'), cents: sums.refundDueCents }] : []),
          ]}
        />
      )}
      <DataTable
        label={say('nav.invoices')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/invoices/${row.id}`}
        defaultSort="-id"
        exportAs="invoices"
        empty={say('invoices.empty')}
        filtered={filters}
      />
    </div>
  );
}
