import './insight.css';
import { useQuery } from '../../app/router';
import { AnswerView } from '../../ui/answer_view';
import { oneOf } from '../../ui/one_of';
import { PageHeader } from '../../ui/page_header';
import { Tabs } from '../../ui/tabs';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { AlertsPanel, useAlerts } from './alerts_panel';
import { latest, perSecond, seriesOf, sumsOf } from './figures';
import { OverTime } from './over_time';
import { PatternsPanel } from './patterns_panel';
import { RoutesPanel } from './routes_panel';
import { SlowPanel } from './slow_panel';
import { StatementsPanel } from './statements_panel';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { useWriting } from './writing';
import { PauseButton, useWindow, WindowPicker } from './window_picker';

const TABS = ['routes', 'statements', 'slow', 'patterns', 'alerts'] as const;

/** Requests and queries: how many, how fast, by name; what was slow, what asks too often, what to look at. */
export default function QueriesPage() {
  const { say } = useTongue();
  const [query, setQuery] = useQuery();
  const shown = oneOf(TABS, query.get('tab') ?? undefined, 'routes');
  const alerts = useAlerts('active');
  const active = alerts.body?.data.length;
  return (
    <div class="page">
      <PageHeader
        title={say('nav.queries')}
        note={say('insight.queries.note')}
        actions={
          <>
            <WindowPicker />
            <PauseButton />
          </>
        }
      />
      <Charts />
      <Tabs
        tabs={TABS.map((id) => ({ id, title: say(`insight.tab.${id}`), ...(id === 'alerts' && active !== undefined ? { count: active } : {}) }))}
        shown={shown}
        show={(id) => setQuery({ tab: id === 'routes' ? null : id, sort: null, q: null, kind: null, state: null })}
        label={say('nav.queries')}
      >
        {shown === 'routes' && <RoutesPanel />}
        {shown === 'statements' && <StatementsPanel />}
        {shown === 'slow' && <SlowPanel />}
        {shown === 'patterns' && <PatternsPanel />}
        {shown === 'alerts' && <AlertsPanel />}
      </Tabs>
    </div>
  );
}

function Charts() {
  const { say, count, percent } = useTongue();
  const { rate, took } = useWriting();
  const window = useWindow();
  const requests = useTicking('/api/diagnostics/history', { query: { kind: 'route', window } });
  const queries = useTicking('/api/diagnostics/history', { query: { kind: 'statement', window } });
  return (
    <AnswerView answer={requests}>
      {({ data: history }) => {
        const asked = queries.body?.data;
        const ofRequests = seriesOf(history);
        const ofQueries = seriesOf(asked);
        const sums = sumsOf(history, ofRequests);
        const querySums = sumsOf(asked, ofQueries);
        const times = (value: number | null) => (value === null ? '–' : took(value));
        const latency = (series: typeof ofRequests) => [
          { title: 'p50', values: series.p50, colour: 1 as const },
          { title: 'p95', values: series.p95, colour: 2 as const },
          { title: 'p99', values: series.p99, colour: 4 as const },
        ];
        return (
          <>
            <div class="insight-tiles">
              <Tile figure="requests" title={say('insight.requests')} value={rate(sums.perSecond)} run={perSecond(history, ofRequests)} note={say('insight.in_all', { number: count(sums.count) })} />
              <Tile figure="request-p95" title={say('insight.requests.p95')} value={times(latest(ofRequests.p95))} run={ofRequests.p95.filter((one) => one !== null)} note={`p99 ${times(latest(ofRequests.p99))}`} />
              <Tile
                figure="errors"
                title={say('insight.errors')}
                value={percent(sums.count ? sums.errors / sums.count : 0)}
                tone={sums.errors > 0 ? 'late' : 'plain'}
                note={say('insight.in_all', { number: count(sums.errors) })}
              />
              <Tile figure="queries" title={say('insight.queries')} value={rate(querySums.perSecond)} run={perSecond(asked, ofQueries)} note={say('insight.in_all', { number: count(querySums.count) })} />
              <Tile figure="query-p95" title={say('insight.queries.p95')} value={times(latest(ofQueries.p95))} run={ofQueries.p95.filter((one) => one !== null)} note={`p99 ${times(latest(ofQueries.p99))}`} />
              <Tile
                figure="slow"
                title={say('insight.slow')}
                value={percent(querySums.count ? querySums.slow / querySums.count : 0)}
                tone={querySums.slow > 0 ? 'warn' : 'plain'}
                note={say('insight.in_all', { number: count(querySums.slow) })}
              />
            </div>
            <div class="insight-charts">
              <OverTime
                title={say('insight.throughput')}
                times={history.times}
                lines={[
                  { title: say('insight.requests'), values: perSecond(history, ofRequests), isArea: true },
                  { title: say('insight.queries'), values: asked ? aligned(history.times, asked.times, perSecond(asked, ofQueries)) : [], colour: 3 },
                ]}
                write={rate}
                sync="queries"
              />
              <OverTime title={say('insight.requests.latency')} times={history.times} lines={latency(ofRequests)} write={took} sync="queries" />
              <OverTime title={say('insight.queries.latency')} times={asked?.times ?? []} lines={latency(ofQueries)} write={took} sync="queries" />
            </div>
          </>
        );
      }}
    </AnswerView>
  );
}

/** The values of one axis upon another: two answers of two moments may differ by a minute. */
function aligned(onto: readonly number[], times: readonly number[], values: readonly number[]): (number | null)[] {
  const known = new Map(times.map((at, index) => [at, values[index] ?? null]));
  return onto.map((at) => known.get(at) ?? null);
}
