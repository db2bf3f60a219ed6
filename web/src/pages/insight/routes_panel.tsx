import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { AnswerView } from '../../ui/answer_view';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import type { RouteView } from '../../api/types';
import { useTongue } from '../../words/tongue';
import { Run, useRuns } from './runs';
import { useTicking } from './ticking';
import { useWriting } from './writing';
import { useWindow } from './window_picker';

export const routeHref = (route: string) => `/operations/queries/route?name=${encodeURIComponent(route)}`;

/** Requests, jobs and events: their times, and what they ask of the database. */
export function RoutesPanel() {
  const { say, count, percent } = useTongue();
  const { took } = useWriting();
  const window = useWindow();
  const filters = useFilters('q');
  const answer = useTicking('/api/diagnostics/routes', { query: { window, limit: 200 } }, 10_000);
  const runs = useRuns('route', answer.body?.data.slice(0, 25).map((row) => row.route) ?? []);
  const columns: FigureColumn<RouteView>[] = [
    { id: 'route', title: say('insight.route'), isMain: true, cell: (row) => <span class="mono">{row.route}</span>, value: (row) => row.route },
    { id: 'run', title: say('insight.run'), isExtra: true, cell: (row) => <Run runs={runs} of={row.route} /> },
    { id: 'count', title: say('insight.count'), align: 'end', cell: (row) => count(row.count), value: (row) => row.count },
    { id: 'p50', title: 'p50', align: 'end', isExtra: true, cell: (row) => took(row.p50), value: (row) => row.p50 },
    { id: 'p95', title: 'p95', align: 'end', cell: (row) => took(row.p95), value: (row) => row.p95 },
    { id: 'p99', title: 'p99', align: 'end', isExtra: true, cell: (row) => took(row.p99), value: (row) => row.p99 },
    { id: 'total', title: say('insight.total_time'), align: 'end', cell: (row) => took(row.totalTime), value: (row) => row.totalTime },
    { id: 'statements', title: say('insight.per_run'), align: 'end', cell: (row) => count(Math.round(row.statementsPerRun * 10) / 10), value: (row) => row.statementsPerRun },
    { id: 'most', title: say('insight.most'), align: 'end', isExtra: true, cell: (row) => count(row.mostStatements), value: (row) => row.mostStatements },
    {
      id: 'database',
      title: say('insight.database_share'),
      align: 'end',
      isExtra: true,
      cell: (row) => percent(row.totalTime ? Math.min(1, row.databaseTime / row.totalTime) : 0),
      value: (row) => (row.totalTime ? Math.round((row.databaseTime / row.totalTime) * 1000) / 1000 : 0),
    },
    { id: 'errors', title: say('insight.errors'), align: 'end', cell: (row) => (row.errors ? <span class="late">{count(row.errors)}</span> : '0'), value: (row) => row.errors },
  ];
  return (
    <div class="section">
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.route.search')} />
      </FilterBar>
      <AnswerView answer={answer}>
        {({ data }) => (
          <FiguresTable
            label={say('insight.tab.routes')}
            rows={matching(data, filters.values.q, (row) => row.route)}
            columns={columns}
            rowKey={(row) => row.route}
            href={(row) => routeHref(row.route)}
            defaultSort="-total"
            exportAs={`requests-${window}`}
            empty={say('insight.nothing_ran')}
            isFiltered={filters.is}
          />
        )}
      </AnswerView>
    </div>
  );
}

/** The rows in whose text all words of `q` occur. Pure. */
export function matching<Row>(rows: readonly Row[], q: string | undefined, textOf: (row: Row) => string): Row[] {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
