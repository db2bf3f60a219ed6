import type { EntryRow } from '../../api/types';
import { useListing } from '../../live/use_answer';
import { may } from '../../session/current';
import { Badge } from '../../ui/badge';
import { DataTable, type Column } from '../../ui/data_table';
import { DateRange } from '../../ui/date_range';
import { Day, Moment } from '../../ui/day';
import { FilterBar, SearchFilter, SelectFilter, useFilters } from '../../ui/filter_bar';
import { Icon } from '../../ui/icon';
import { Money } from '../../ui/money';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import '../../words/books';
import { useTongue } from '../../words/tongue';
import { Source, SOURCES } from './source';

const SORTS = ['-date', 'date', 'id', '-id'] as const;

export default function JournalPage() {
  const { say } = useTongue();
  const filters = useFilters('source', 'account', 'from', 'to');
  const { source, account, from, to } = filters.values;
  const { sort } = useFilters('sort').values;
  const number = /^\d{1,8}$/.test(account ?? '') ? account : undefined;
  const list = useListing('/api/journal-entries', {
    query: {
      ...(source ? { source } : {}),
      ...(number ? { account: number } : {}),
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
      sort: oneOf(SORTS, sort, '-date'),
    },
  });
  const columns: Column<EntryRow>[] = [
    { id: 'id', title: say('entry.number'), sort: 'id', align: 'end', cell: (row) => <span class="number">{row.id}</span>, text: (row) => row.id },
    { id: 'date', title: say('entry.date'), sort: 'date', cell: (row) => <Day date={row.date} />, text: (row) => row.date },
    { id: 'text', title: say('entry.description'), isMain: true, cell: (row) => row.description, text: (row) => row.description },
    { id: 'source', title: say('journal.source'), cell: (row) => <Source source={row.source} />, text: (row) => row.source },
    { id: 'state', title: '', isExtra: true, cell: (row) => row.reversedById !== null && <Badge>{say('entry.reversed')}</Badge> },
    { id: 'created', title: say('entry.createdAt'), isExtra: true, cell: (row) => <Moment at={row.createdAt} />, text: (row) => row.createdAt },
    { id: 'amount', title: say('entry.amount'), align: 'end', cell: (row) => <Money cents={row.amountCents} />, text: (row) => row.amountCents / 100 },
  ];
  return (
    <div class="page">
      <PageHeader
        title={say('nav.journal')}
        actions={
          may('manager') && (
            <a class="button primary" href="/journal/new">
              <Icon name="plus" />
              {say('journal.new')}
            </a>
          )
        }
      />
      <FilterBar filtered={filters}>
        <SearchFilter name="account" hint={say('journal.account.hint')} />
        <SelectFilter name="source" label={say('journal.source')} options={SOURCES.map((value) => ({ value, title: say(`source.${value}`) }))} />
        <DateRange />
      </FilterBar>
      <DataTable
        label={say('nav.journal')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/journal/${row.id}`}
        defaultSort="-date"
        exportAs="journal"
        empty={say('journal.empty')}
        filtered={filters}
      />
    </div>
  );
}
