import type { SlowQueryDocument } from '../../api/types';
import { AnswerView } from '../../ui/answer_view';
import { Moment } from '../../ui/day';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { useTongue } from '../../words/tongue';
import { matching } from './routes_panel';
import { useTicking } from './ticking';
import { useWriting } from './writing';

/** The statement that a slow run is about: its own, or the slowest inside of a tracked one. */
export function statementOf({ details }: SlowQueryDocument): string {
  return details.statement ?? details.slowest?.statement ?? details.statements?.[0]?.statement ?? '';
}

/** The newest runs above their threshold; `only` leaves those of one statement or route. */
export function SlowPanel({ only }: { only?: (query: SlowQueryDocument) => boolean }) {
  const { say } = useTongue();
  const { took } = useWriting();
  const filters = useFilters('q');
  const answer = useTicking('/api/diagnostics/slow-queries', { query: { limit: 200 } });
  const columns: FigureColumn<SlowQueryDocument>[] = [
    {
      id: 'name',
      title: say('insight.query'),
      isMain: true,
      cell: (row) => (
        <span class="insight-statement">
          <span>{row.name}</span>
          <span class="mono quiet small">{statementOf(row)}</span>
        </span>
      ),
      value: (row) => row.name,
    },
    { id: 'took', title: say('insight.took'), align: 'end', cell: (row) => took(row.executionTime), value: (row) => row.executionTime },
    { id: 'threshold', title: say('insight.threshold'), align: 'end', isExtra: true, cell: (row) => took(row.threshold), value: (row) => row.threshold },
    { id: 'site', title: say('insight.line'), isExtra: true, cell: (row) => <span class="mono small">{row.details.site ?? '–'}</span>, value: (row) => row.details.site },
    { id: 'at', title: say('insight.at'), cell: (row) => <Moment at={row.timestamp} />, value: (row) => row.timestamp },
  ];
  return (
    <div class="section">
      {!only && (
        <FilterBar filtered={filters}>
          <SearchFilter hint={say('insight.slow.search')} />
        </FilterBar>
      )}
      <AnswerView answer={answer}>
        {({ slowQueries }) => (
          <FiguresTable
            label={say('insight.tab.slow')}
            rows={only ? slowQueries.filter(only) : matching(slowQueries, filters.values.q, (row) => `${row.name} ${statementOf(row)} ${row.details.site ?? ''}`)}
            columns={columns}
            rowKey={(row) => row.details.id ?? row.timestamp}
            href={(row) => `/operations/queries/slow/${row.details.id}`}
            defaultSort="-at"
            sortName={only ? 'slow' : 'sort'}
            exportAs="slow-queries"
            empty={say('insight.no_slow')}
            isFiltered={filters.is && !only}
          />
        )}
      </AnswerView>
    </div>
  );
}
