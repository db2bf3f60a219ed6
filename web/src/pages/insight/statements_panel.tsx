import type { StatementView } from '../../api/types';
import { AnswerView } from '../../ui/answer_view';
import { FiguresTable, type FigureColumn } from '../../ui/figures_table';
import { FilterBar, SearchFilter, useFilters } from '../../ui/filter_bar';
import { useTongue } from '../../words/tongue';
import { matching } from './routes_panel';
import { Run, useRuns } from './runs';
import { useTicking } from './ticking';
import { useWriting } from './writing';
import { useWindow } from './window_picker';

export const statementHref = (fingerprint: string) => `/operations/queries/statement/${fingerprint}`;

/** Statements by their shape, those with the most time first. */
export function StatementsPanel() {
  const { say, count } = useTongue();
  const { took } = useWriting();
  const window = useWindow();
  const filters = useFilters('q');
  const answer = useTicking('/api/diagnostics/statements', { query: { window, limit: 200 } }, 10_000);
  const runs = useRuns('statement', answer.body?.data.slice(0, 25).map((row) => row.fingerprint) ?? []);
  const all = answer.body?.data.reduce((sum, row) => sum + row.totalTime, 0) ?? 0;
  const columns: FigureColumn<StatementView>[] = [
    {
      id: 'name',
      title: say('insight.statement'),
      isMain: true,
      cell: (row) => (
        <span class="insight-statement">
          <span>{row.name}</span>
          <span class="mono quiet small">{row.statement}</span>
        </span>
      ),
      value: (row) => row.name,
    },
    { id: 'run', title: say('insight.run'), isExtra: true, cell: (row) => <Run runs={runs} of={row.fingerprint} /> },
    { id: 'count', title: say('insight.count'), align: 'end', cell: (row) => count(row.count), value: (row) => row.count },
    { id: 'p50', title: 'p50', align: 'end', isExtra: true, cell: (row) => took(row.p50), value: (row) => row.p50 },
    { id: 'p95', title: 'p95', align: 'end', cell: (row) => took(row.p95), value: (row) => row.p95 },
    { id: 'p99', title: 'p99', align: 'end', isExtra: true, cell: (row) => took(row.p99), value: (row) => row.p99 },
    { id: 'max', title: say('insight.max'), align: 'end', isExtra: true, cell: (row) => took(row.maxTime), value: (row) => row.maxTime },
    {
      id: 'total',
      title: say('insight.total_time'),
      align: 'end',
      cell: (row) => (
        <span class="insight-share">
          <span>{took(row.totalTime)}</span>
          <progress aria-hidden="true" max={1} value={all ? row.totalTime / all : 0} />
        </span>
      ),
      value: (row) => row.totalTime,
    },
    { id: 'slow', title: say('insight.slow'), align: 'end', cell: (row) => (row.slow ? <span class="late">{count(row.slow)}</span> : '0'), value: (row) => row.slow },
    { id: 'errors', title: say('insight.errors'), align: 'end', isExtra: true, cell: (row) => (row.errors ? <span class="late">{count(row.errors)}</span> : '0'), value: (row) => row.errors },
  ];
  return (
    <div class="section">
      <FilterBar filtered={filters}>
        <SearchFilter hint={say('insight.statement.search')} />
      </FilterBar>
      <AnswerView answer={answer}>
        {({ data }) => (
          <FiguresTable
            label={say('insight.tab.statements')}
            rows={matching(data, filters.values.q, (row) => `${row.name} ${row.statement}`)}
            columns={columns}
            rowKey={(row) => row.fingerprint}
            href={(row) => statementHref(row.fingerprint)}
            defaultSort="-total"
            exportAs={`queries-${window}`}
            empty={say('insight.nothing_ran')}
            isFiltered={filters.is}
          />
        )}
      </AnswerView>
    </div>
  );
}
