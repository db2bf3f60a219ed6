/** How often each of several routes or statements ran, minute by minute, as lines in a table. */

import { Sparkline } from '../../charts/sparkline';
import { useTongue } from '../../words/tongue';
import { useTicking } from './ticking';

const SEVERAL_MS = 30_000;

export type Runs = ReadonlyMap<string, readonly number[]>;

export function useRuns(kind: 'route' | 'statement', keys: readonly string[]): Runs {
  const key = keys.filter((one) => one !== '(other)').sort();
  const { body } = useTicking('/api/diagnostics/history', key.length ? { query: { kind, key, window: '30m' } } : null, SEVERAL_MS);
  return new Map(body?.data.series.map((series) => [series.key ?? '', series.count]));
}

export function Run({ runs, of }: { runs: Runs; of: string }) {
  const { say } = useTongue();
  const values = runs.get(of);
  if (!values || values.length < 2) return <span class="quiet">–</span>;
  return (
    <span title={say('insight.run.title')}>
      <Sparkline values={values} width={88} height={20} />
      <span class="unseen">{values.slice(-5).join(', ')}</span>
    </span>
  );
}
