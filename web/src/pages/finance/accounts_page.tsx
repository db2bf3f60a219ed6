import type { AccountKind, AccountView } from '../../api/types';
import { useQuery } from '../../app/router';
import { useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { Badge } from '../../ui/badge';
import { DataTable, type Column } from '../../ui/data_table';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { Money } from '../../ui/money';
import { PageHeader } from '../../ui/page_header';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { KINDS } from './account_kinds';

export default function AccountsPage() {
  const { say } = useTongue();
  const filters = useFilters('q', 'kind', 'at');
  const { q, kind: told, at } = filters.values;
  const kind: AccountKind | undefined = KINDS.find((one) => one === told);
  const list = useListing('/api/accounts', { query: { ...(q ? { q } : {}), ...(kind ? { kind } : {}), ...(at ? { at } : {}), limit: 200 } });
  const until = at ? `?to=${at}` : '';
  const columns: Column<AccountView>[] = [
    { id: 'number', title: say('account.number'), cell: (row) => <span class="number">{row.number}</span>, text: (row) => row.number },
    {
      id: 'name',
      title: say('account.name'),
      isMain: true,
      cell: (row) => row.name,
      text: (row) => row.name,
    },
    { id: 'kind', title: say('account.kind'), cell: (row) => say(`account.kind.${row.kind}`), text: (row) => say(`account.kind.${row.kind}`) },
    { id: 'state', title: '', isExtra: true, cell: (row) => !row.isActive && <Badge>{say('account.closed')}</Badge> },
    { id: 'balance', title: say('account.balance'), align: 'end', cell: (row) => <Money cents={row.balanceCents} />, text: (row) => row.balanceCents / 100 },
  ];
  return (
    <div class="page">
      <PageHeader
        title={say('nav.accounts')}
        actions={
          may('manager') && (
            <a class="button primary" href="/accounts/new">
              <Icon name="plus" />
              {say('accounts.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('accounts.search')} />
        <SelectFilter name="kind" label={say('account.kind')} options={KINDS.map((value) => ({ value, title: say(`account.kind.${value}`) }))} />
        <DayFilter />
      </FilterBar>
      <DataTable
        label={say('nav.accounts')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/accounts/${row.id}${until}`}
        exportAs={at ? `accounts-${at}` : 'accounts'}
        empty={say('accounts.empty')}
        filtered={filters}
      />
    </div>
  );
}

/** The day at whose end the balances stand. */
function DayFilter() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  return (
    <span class="date-range">
      <label>
        <span>{say('accounts.at')}</span>
        <input type="date" value={query.get('at') ?? ''} onChange={(event) => setQuery({ at: event.currentTarget.value || null })} />
      </label>
    </span>
  );
}
