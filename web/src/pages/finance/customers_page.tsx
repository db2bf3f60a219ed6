import { useMemo } from 'preact/hooks';
import type { CustomerView } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { Badge } from '../../ui/badge';
import { DataTable, type Column } from '../../ui/data_table';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { PageHeader } from '../../ui/page_header';
import { oneOf } from '../../ui/one_of';
import '../../words/customers';
import { useTongue } from '../../words/tongue';

const SORTS = ['name', '-name', 'number', '-number', 'city', '-city'] as const;

export default function CustomersPage() {
  const { say } = useTongue();
  const filters = useFilters('q', 'sort');
  const { q, sort } = filters.values;
  const list = useListing('/api/customers', {
    query: { ...(q ? { q } : {}), sort: oneOf(SORTS, sort, 'name') },
  });
  const filtered = { is: q !== undefined, clear: filters.clear };
  const columns = useMemo(
    (): Column<CustomerView>[] => [
      { id: 'number', title: say('customer.number'), sort: 'number', cell: (row) => <span class="number">{row.number}</span>, text: (row) => row.number },
      { id: 'name', title: say('customer.name'), sort: 'name', isMain: true, cell: (row) => row.name, text: (row) => row.name },
      { id: 'contact', title: say('customer.contact'), isExtra: true, cell: (row) => row.contact, text: (row) => row.contact },
      { id: 'city', title: say('customer.city'), sort: 'city', cell: (row) => row.city, text: (row) => row.city },
      { id: 'email', title: say('customer.email'), isExtra: true, cell: (row) => row.email, text: (row) => row.email },
      { id: 'days', title: say('customer.paymentDays'), align: 'end', isExtra: true, cell: (row) => row.paymentDays, text: (row) => row.paymentDays },
      {
        id: 'active',
        title: say('customer.isActive'),
        cell: (row) => (row.isActive ? <Badge tone="good">{say('customer.active')}</Badge> : <Badge>{say('customer.inactive')}</Badge>),
        text: (row) => say(row.isActive ? 'yes' : 'no'),
      },
    ],
    [say],
  );
  return (
    <div class="page">
      <PageHeader
        title={say('nav.customers')}
        actions={
          may('clerk') && (
            <a class="button primary" href="/customers/new">
              <Icon name="plus" />
              {say('customers.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filtered}>
        <SearchFilter hint={say('customers.search')} />
      </FilterBar>
      <DataTable
        label={say('nav.customers')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/customers/${row.id}`}
        defaultSort="name"
        exportAs="customers"
        empty={say('customers.empty')}
        filtered={filtered}
      />
    </div>
  );
}
