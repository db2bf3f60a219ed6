import './insight.css';
import type { SlowQueryDocument } from '../../api/types';
import type { PageProps } from '../../app/pages';
import { useQuery } from '../../app/router';
import { Badge } from '../../ui/badge';
import { CopyButton } from '../../ui/copy_button';
import { Empty } from '../../ui/empty';
import { PageHeader } from '../../ui/page_header';
import { ProblemNote } from '../../ui/problem_note';
import { Skeleton } from '../../ui/skeleton';
import '../../words/insight';
import { useTongue } from '../../words/tongue';
import { Measured } from './measured';
import { PatternsPanel } from './patterns_panel';
import { PlanOnDemand } from './plans';
import { SlowPanel } from './slow_panel';
import { Sql } from './sql';
import { useTicking } from './ticking';
import { PauseButton, WindowPicker } from './window_picker';

/** One statement: its text, how it does, where it comes from, how it is carried out, its slow runs. */
export default function StatementPage({ params }: PageProps) {
  const { say } = useTongue();
  const [query] = useQuery();
  const fingerprint = params['fingerprint'] ?? '';
  // The list has the text; a window of a day holds whatever is still counted.
  const list = useTicking('/api/diagnostics/statements', { query: { limit: 500 } }, 60_000);
  const found = list.body?.data.find((row) => row.fingerprint === fingerprint);
  const back = query.get('window') ? `?tab=statements&window=${query.get('window')}` : '?tab=statements';
  return (
    <div class="page">
      <PageHeader
        back={{ to: `/operations/queries${back}`, title: say('nav.queries') }}
        title={found?.name ?? say('nav.query')}
        note={<span class="mono">{fingerprint}</span>}
        badge={found && found.slow > 0 && <Badge tone="warn">{say('insight.slow')}</Badge>}
        actions={
          <>
            <WindowPicker />
            <PauseButton />
          </>
        }
      />
      {list.problem && list.phase !== 'offline' && <ProblemNote problem={list.problem} retry={list.refresh} />}
      {!list.body && !list.problem && <Skeleton />}
      {list.body && !found && <Empty icon="search" text={say('insight.statement.gone')} />}
      {found && (
        <>
          <section class="card insight-pattern">
            <div class="insight-head">
              <h2>SQL</h2>
              <CopyButton text={found.statement} />
            </div>
            <Sql text={found.statement} />
          </section>
          <Measured kind="statement" of={fingerprint} />
        </>
      )}
      <PlanOnDemand key={fingerprint} fingerprint={fingerprint} />
      <section class="section">
        <h2>{say('insight.sites')}</h2>
        <Sites of={(slow) => isOf(slow, fingerprint, found?.name)} />
        <PatternsPanel only={(pattern) => pattern.fingerprint === fingerprint} />
      </section>
      <section class="section">
        <h2>{say('insight.slow_runs')}</h2>
        <SlowPanel only={(slow) => isOf(slow, fingerprint, found?.name)} />
      </section>
    </div>
  );
}

/** The lines of the application that ran it, as far as its slow runs tell them. */
function Sites({ of }: { of: (query: SlowQueryDocument) => boolean }) {
  const { say } = useTongue();
  const { body } = useTicking('/api/diagnostics/slow-queries', { query: { limit: 200 } });
  const runs = new Map<string, number>();
  for (const slow of body?.slowQueries ?? []) {
    const site = of(slow) ? (slow.details.site ?? slow.details.slowest?.site) : null;
    if (site) runs.set(site, (runs.get(site) ?? 0) + 1);
  }
  if (runs.size === 0) return null;
  return (
    <ul class="card insight-list insight-plain">
      {[...runs].map(([site, count]) => (
        <li key={site} class="insight-line">
          <code>{site}</code>
          <span class="quiet small">{say('insight.slow_times', { count })}</span>
          <CopyButton text={site.split(' in ')[0] ?? site} />
        </li>
      ))}
    </ul>
  );
}

/** Whether a slow run is of this statement: by its fingerprint, or by that of the slowest inside of a tracked run. */
function isOf({ name, details }: SlowQueryDocument, fingerprint: string, own: string | undefined): boolean {
  return details.fingerprint === fingerprint || details.slowest?.fingerprint === fingerprint || name === own;
}
