/** What charts and tiles make of a history. Pure. */

import type { HistoryView, SeriesView } from '../../api/types';

const NOTHING: SeriesView = { key: null, count: [], errors: [], slow: [], avgTime: [], p50: [], p95: [], p99: [] };

export function seriesOf(history: HistoryView | undefined, key: string | null = null): SeriesView {
  return history?.series.find((one) => one.key === key) ?? NOTHING;
}

/** Runs a second in each stretch. */
export function perSecond(history: HistoryView | undefined, series: SeriesView): number[] {
  return series.count.map((count, at) => count / (history?.seconds[at] ?? 60));
}

export interface Sums {
  count: number;
  errors: number;
  slow: number;
  /** Over all stretches. */
  perSecond: number;
}

export function sumsOf(history: HistoryView | undefined, series: SeriesView): Sums {
  const add = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0);
  const seconds = add(history?.seconds ?? []);
  return { count: add(series.count), errors: add(series.errors), slow: add(series.slow), perSecond: seconds ? add(series.count) / seconds : 0 };
}

/** The last value that there is. */
export function latest(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}
