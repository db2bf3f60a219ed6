/** One route or statement over time: how often, how fast. */

import { AnswerView } from '../../ui/answer_view';
import { useTongue } from '../../words/tongue';
import { latest, perSecond, seriesOf, sumsOf } from './figures';
import { OverTime } from './over_time';
import { useTicking } from './ticking';
import { Tile } from './tile';
import { useWindow } from './window_picker';
import { useWriting } from './writing';

export function Measured({ kind, of }: { kind: 'route' | 'statement'; of: string }) {
  const { say, count } = useTongue();
  const { rate, took } = useWriting();
  const window = useWindow();
  const answer = useTicking('/api/diagnostics/history', { query: { kind, key: [of], window } });
  return (
    <AnswerView answer={answer}>
      {({ data: history }) => {
        const series = seriesOf(history, of);
        const sums = sumsOf(history, series);
        const last = (values: readonly (number | null)[]) => {
          const value = latest(values);
          return value === null ? '–' : took(value);
        };
        return (
          <>
            <div class="insight-tiles">
              <Tile figure="runs" title={say('insight.count')} value={count(sums.count)} note={rate(sums.perSecond)} run={series.count} />
              <Tile title="p50" value={last(series.p50)} />
              <Tile title="p95" value={last(series.p95)} run={series.p95.filter((one) => one !== null)} />
              <Tile title="p99" value={last(series.p99)} />
              <Tile title={say('insight.slow')} value={count(sums.slow)} tone={sums.slow ? 'warn' : 'plain'} />
              <Tile title={say('insight.errors')} value={count(sums.errors)} tone={sums.errors ? 'late' : 'plain'} />
            </div>
            <div class="insight-charts">
              <OverTime title={say('insight.throughput')} times={history.times} lines={[{ title: say('insight.count'), values: perSecond(history, series), isArea: true }]} write={rate} sync="one" />
              <OverTime
                title={say('insight.percentiles')}
                times={history.times}
                lines={[
                  { title: 'p50', values: series.p50, colour: 1 },
                  { title: 'p95', values: series.p95, colour: 2 },
                  { title: 'p99', values: series.p99, colour: 4 },
                ]}
                write={took}
                sync="one"
              />
            </div>
          </>
        );
      }}
    </AnswerView>
  );
}
