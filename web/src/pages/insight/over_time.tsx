import { TimeSeries, type Line } from '../../charts/time_series';
import { useTongue } from '../../words/tongue';

interface Props {
  title: string;
  /** Seconds since 1970, rising. */
  times: readonly number[];
  lines: readonly Line[];
  write: (value: number) => string;
  sync?: string;
  height?: number;
}

const ROWS = 60;

/** A chart on a card, and the same figures as a table for whoever would rather read, or cannot see it. */
export function OverTime({ title, times, lines, write, sync, height = 180 }: Props) {
  const { say, time } = useTongue();
  const shown = (value: number | null | undefined) => (value === null || value === undefined ? '–' : write(value));
  const summary = say('insight.chart.summary', {
    title,
    figures: lines.map((line) => `${line.title} ${shown(line.values.at(-1))}`).join(', '),
  });
  if (times.length < 2) {
    return (
      <section class="card insight-chart">
        <h3>{title}</h3>
        <p class="quiet">{say('insight.chart.soon')}</p>
      </section>
    );
  }
  return (
    <section class="card insight-chart">
      <TimeSeries title={title} times={times} lines={lines} write={write} height={height} summary={summary} {...(sync ? { sync } : {})} />
      <details>
        <summary>{say('insight.chart.table')}</summary>
        <div class="insight-chart-table" tabIndex={0} role="region" aria-label={title}>
          <table class="plain-table small">
            <thead>
              <tr>
                <th scope="col">{say('insight.time')}</th>
                {lines.map((line) => (
                  <th scope="col" class="end" key={line.title}>
                    {line.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times
                .map((at, index) => (
                  <tr key={at}>
                    <td class="number">{time(new Date(at * 1000))}</td>
                    {lines.map((line) => (
                      <td class="end number" key={line.title}>
                        {shown(line.values[index])}
                      </td>
                    ))}
                  </tr>
                ))
                .slice(-ROWS)
                .reverse()}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
