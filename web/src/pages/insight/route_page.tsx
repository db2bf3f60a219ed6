import './insight.css';
import { useQuery } from '../../app/router';
import { Details } from '../../ui/details';
import { PageHeader } from '../../ui/page_header';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { Measured } from './measured';
import { PatternsPanel } from './patterns_panel';
import { SlowPanel } from './slow_panel';
import { useTicking } from './ticking';
import { PauseButton, WindowPicker } from './window_picker';
import { useWriting } from './writing';

/** One route, job or event: its times, what it asks of the database, its habits and slow queries. */
export default function RoutePage() {
  const { say, count, percent } = useTongue();
  const { took } = useWriting();
  const [query] = useQuery();
  const name = query.get('name') ?? '';
  const list = useTicking('/api/diagnostics/routes', { query: { limit: 500 } }, 60_000);
  const found = list.body?.data.find((row) => row.route === name);
  return (
    <div class="page">
      <PageHeader
        back={{ to: '/operations/queries', title: say('nav.queries') }}
        title={name || say('nav.route')}
        actions={
          <>
            <WindowPicker />
            <PauseButton />
          </>
        }
      />
      <Measured kind="route" of={name} />
      {found && (
        <div class="columns">
          <Details
            title={say('insight.asks_database')}
            rows={[
              [say('insight.per_run'), count(Math.round(found.statementsPerRun * 10) / 10)],
              [say('insight.most_in_one'), count(found.mostStatements)],
              [say('insight.database_time'), took(found.databaseTime)],
              [say('insight.database_share'), percent(found.totalTime ? Math.min(1, found.databaseTime / found.totalTime) : 0)],
            ]}
          />
          <Details
            title={say('insight.since_start')}
            rows={[
              [say('insight.count'), count(found.count)],
              [say('insight.total_time'), took(found.totalTime)],
              [say('insight.average'), took(found.avgTime)],
              [say('insight.max'), took(found.maxTime)],
              [say('insight.errors'), count(found.errors)],
            ]}
          />
        </div>
      )}
      <section class="section">
        <h2>{say('insight.tab.patterns')}</h2>
        <PatternsPanel only={(pattern) => pattern.routes.includes(name)} />
      </section>
      <section class="section">
        <h2>{say('insight.slow_runs')}</h2>
        <SlowPanel only={({ details }) => [details.scope, details.slowest?.scope].some((scope) => scope?.endsWith(` ${name}`) || scope === name)} />
      </section>
    </div>
  );
}
