import type uPlot from 'uplot';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { theme } from '../session/theme';
import { useTongue } from '../words/tongue';
import '../words/charts';
import './time_series.css';

export interface Line {
  title: string;
  /** One value for each instant; null where there is none. */
  values: readonly (number | null)[];
  /** Filled down to the axis. */
  isArea?: boolean;
  /** Which of the series' colours; its place in the list without it. */
  colour?: 1 | 2 | 3 | 4;
}

interface Props {
  title: string;
  /** Seconds since 1970, rising. */
  times: readonly number[];
  lines: readonly Line[];
  /** How a value is written. */
  write: (value: number) => string;
  height?: number;
  /** One sentence for those who do not see it, such as the newest values. */
  summary: string;
  /** The cursor is shared by all charts with the same name. */
  sync?: string;
}

/** Lines over time. uPlot draws them and is loaded with the first one; new values move them without a new drawing. */
export function TimeSeries({ title, times, lines, write, height = 200, summary, sync }: Props) {
  const tongue = useTongue();
  const caption = useId();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [scheme, setScheme] = useState(0);
  const now = useRef({ times, lines, write });
  now.current = { times, lines, write };
  const kinds = JSON.stringify([lines.map(({ title: name, isArea, colour }) => [name, isArea, colour]), height, sync]);

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => setScheme((count) => count + 1);
    dark.addEventListener('change', changed);
    return () => dark.removeEventListener('change', changed);
  }, []);

  useEffect(() => {
    let isGone = false;
    let watch: ResizeObserver | null = null;
    void import('uplot').then(({ default: UPlot }) => {
      const box = place.current;
      if (isGone || !box) return;
      const style = getComputedStyle(document.documentElement);
      const probe = document.createElement('span');
      box.append(probe);
      const ink = (name: string) => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
      };
      const axis = { stroke: ink('--quiet'), grid: { stroke: ink('--edge'), width: 1 }, ticks: { show: false }, font: `12px ${style.getPropertyValue('--font')}` };
      const timeOf = (at: number | undefined) => (at === undefined ? '' : tongue.time(new Date(at * 1000)));
      const colours = now.current.lines.map((line, index) => ink(`--series-${line.colour ?? (index % 4) + 1}`));
      const series: uPlot.Series[] = now.current.lines.map((line, index) => {
        const colour = colours[index] ?? '';
        return {
          label: line.title,
          stroke: colour,
          width: 1.75,
          points: { show: false },
          value: (plot, value, line, at) => {
            const shown = at === null ? plot.data[line]?.at(-1) : value;
            return shown === null || shown === undefined ? '–' : now.current.write(shown);
          },
          ...(line.isArea ? { fill: colour.replace('rgb(', 'rgba(').replace(')', ', 0.14)') } : {}),
        };
      });
      const options: uPlot.Options = {
        width: Math.max(120, box.clientWidth),
        height,
        cursor: { y: false, ...(sync ? { sync: { key: sync } } : {}) },
        padding: [8, 24, 0, 0],
        // While nobody points at an instant, the newest values.
        legend: { live: true, markers: { width: 0, fill: (_, line) => colours[line - 1] ?? 'transparent' } },
        scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? (high ?? 0) * 1.1 : 1] } },
        axes: [
          { ...axis, size: 32, values: (_, marks) => marks.map((mark) => tongue.time(new Date(mark * 1000)).replace(/^(\d+:\d+):00/, '$1')) },
          { ...axis, size: 64, values: (_, marks) => marks.map((mark) => now.current.write(mark)) },
        ],
        series: [{ label: tongue.say('chart.time'), value: (plot, at) => timeOf(at ?? plot.data[0].at(-1)) }, ...series],
      };
      probe.remove();
      chart.current = new UPlot(options, dataOf(now.current.times, now.current.lines), box);
      watch = new ResizeObserver(() => chart.current?.setSize({ width: Math.max(120, box.clientWidth), height }));
      watch.observe(box);
    });
    return () => {
      isGone = true;
      watch?.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [kinds, scheme, theme.value, tongue]);

  useEffect(() => chart.current?.setData(dataOf(times, lines)), [times, lines]);

  return (
    <figure class="time-series" aria-labelledby={caption}>
      <figcaption id={caption}>{title}</figcaption>
      <div class="plot" ref={place} role="img" aria-label={summary} style={{ minHeight: `${height + 28}px` }} />
    </figure>
  );
}

function dataOf(times: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [[...times], ...lines.map((line) => [...line.values])] as uPlot.AlignedData;
}
