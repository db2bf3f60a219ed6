/** One sum for each month, as bars (what came in a month) or as an area (what there was at its end). */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import '../words/charts';
import { useTongue } from '../words/tongue';
import './month_chart.css';
import { ticks } from './scale';

export interface MonthSum {
  /** Such as `2026-03`. */
  month: string;
  cents: number;
}

interface Props {
  /** Names it for tests and styles. */
  figure: string;
  title: string;
  note: string;
  /** What a sum is called in the table. */
  sum: string;
  /** Said when every sum is 0. */
  empty: string;
  kind: 'bars' | 'area';
  /** By month; the last one is the current month, to date. */
  months: readonly MonthSum[];
  currency: string;
  changed: boolean;
}

const LEAST_HEIGHT = 220;
const TOP = 10;
const FOOT = 26;
const MOST_TICKS = 4;
/** No character of a label is wider, at its size of 12 px, in any common face. */
const LABEL_PX = 8;

export function MonthChart({ figure, title, note, sum, empty, kind, months, currency, changed }: Props) {
  const { say, money, month } = useTongue();
  const caption = useId();
  const [seen, setSeen] = useState<number | null>(null);
  const last = months.length - 1;
  const shown = months[seen ?? last];
  const highest = months.reduce<MonthSum | undefined>((best, one) => (best && best.cents >= one.cents ? best : one), undefined);
  const any = months.some((one) => one.cents !== 0);
  return (
    <figure class="card chart" data-figure={figure} data-changed={changed ? '' : undefined} aria-labelledby={caption}>
      <figcaption>
        <h2 id={caption}>{title}</h2>
        <span class="quiet small">{note}</span>
        {any && shown && (
          <p class="readout" aria-hidden="true">
            <span class="quiet">
              {shown === months[last] ? say('chart.to_date', { month: month(shown.month, 'long') }) : month(shown.month, 'long')}
            </span>{' '}
            <span class="number">{money(shown.cents, currency)}</span>
          </p>
        )}
      </figcaption>
      {any && highest ? (
        <>
          <Plot
            kind={kind}
            months={months}
            currency={currency}
            seen={seen}
            see={setSeen}
            summary={say(kind === 'bars' ? 'chart.summary' : 'chart.area_summary', {
              count: months.length,
              month: month(highest.month, 'long'),
              amount: money(highest.cents, currency),
            })}
          />
          <details>
            <summary>{say('chart.table')}</summary>
            <table>
              <thead>
                <tr>
                  <th scope="col">{say('chart.month')}</th>
                  <th scope="col">{sum}</th>
                </tr>
              </thead>
              <tbody>
                {[...months].reverse().map((one) => (
                  <tr key={one.month}>
                    <th scope="row">{month(one.month, 'long')}</th>
                    <td class="number">{money(one.cents, currency)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      ) : (
        <p class="quiet empty">{empty}</p>
      )}
    </figure>
  );
}

interface PlotProps {
  kind: 'bars' | 'area';
  months: readonly MonthSum[];
  currency: string;
  summary: string;
  seen: number | null;
  see: (index: number | null) => void;
}

/** Drawn at the size there is, so that its words are never scaled. */
function Plot({ kind, months, currency, summary, seen, see }: PlotProps) {
  const { moneyShort, month } = useTongue();
  const frame = useRef<HTMLDivElement>(null);
  const [{ width, height }, setSize] = useState({ width: 0, height: LEAST_HEIGHT });
  useEffect(() => {
    if (!frame.current) return;
    const watch = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      setSize({ width: Math.floor(width), height: Math.max(LEAST_HEIGHT, Math.floor(height)) });
    });
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);

  const values = months.map((one) => one.cents);
  const levels = ticks(Math.min(...values), Math.max(...values), MOST_TICKS);
  const low = levels[0] ?? 0;
  const high = levels.at(-1) ?? 1;
  const y = (cents: number) => TOP + ((high - cents) / (high - low || 1)) * (height - TOP - FOOT);
  const labels = levels.map((level) => moneyShort(level, currency));
  const left = 14 + LABEL_PX * Math.max(...labels.map((label) => label.length));
  const slot = Math.max(0, width - left) / months.length;
  const bar = Math.min(46, slot * 0.66);
  const tops = months.map((one, index) => `${left + slot * (index + 0.5)},${y(one.cents)}`);
  return (
    <div class="bars" ref={frame} onPointerLeave={() => see(null)}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={summary}>
          {levels.map((level, index) => (
            <g key={level}>
              <line class={level === 0 ? 'axis' : 'grid'} x1={left} x2={width} y1={y(level)} y2={y(level)} />
              <text class="tick" x={left - 8} y={y(level) + 4} text-anchor="end">
                {labels[index]}
              </text>
            </g>
          ))}
          {kind === 'area' && (
            <>
              <polygon class="area" points={`${left + slot / 2},${y(0)} ${tops.join(' ')} ${width - slot / 2},${y(0)}`} />
              <polyline class="line" points={tops.join(' ')} />
            </>
          )}
          {months.map((one, index) => {
            const x = left + slot * index;
            const top = Math.min(y(one.cents), y(0));
            const tall = Math.abs(y(one.cents) - y(0));
            const isNow = index === months.length - 1;
            return (
              <g key={one.month} class={seen === index ? 'seen' : ''} onPointerEnter={() => see(index)}>
                <rect class="column" x={x} y={0} width={slot} height={height} />
                {kind === 'bars' ? (
                  <rect class={isNow ? 'bar now' : 'bar'} x={x + (slot - bar) / 2} y={top} width={bar} height={tall} rx={Math.min(3, tall / 2)} />
                ) : (
                  (isNow || seen === index) && <circle class="point" cx={x + slot / 2} cy={y(one.cents)} r={4} />
                )}
                {(slot >= 30 || (months.length - 1 - index) % 2 === 0) && (
                  // The last one of narrow months would reach over the edge.
                  <text class="tick" x={isNow && slot < 30 ? width : x + slot / 2} y={height - 7} text-anchor={isNow && slot < 30 ? 'end' : 'middle'}>
                    {month(one.month, 'short')}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
