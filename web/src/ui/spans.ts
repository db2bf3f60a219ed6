/** Periods by month, quarter, year or at will, and the steps from one to the next. Pure. */

import type { Period } from './periods';

export type SpanKind = 'month' | 'quarter' | 'year' | 'free';
export const SPAN_KINDS: readonly SpanKind[] = ['month', 'quarter', 'year', 'free'];

const MONTHS: Record<Exclude<SpanKind, 'free'>, number> = { month: 1, quarter: 3, year: 12 };
const DAY_MS = 86_400_000;

const dayOf = (year: number, month: number, date: number) => new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10);
const yearOf = (day: string) => Number(day.slice(0, 4));
const monthOf = (day: string) => Number(day.slice(5, 7)) - 1;

/** The whole month, quarter or year in which `day` lies. */
export function spanAt(kind: Exclude<SpanKind, 'free'>, day: string): Period {
  const months = MONTHS[kind];
  const first = monthOf(day) - (monthOf(day) % months);
  return { from: dayOf(yearOf(day), first, 1), to: dayOf(yearOf(day), first + months, 0) };
}

/** What kind of period this is: the shortest that fits. */
export function kindOf({ from, to }: Period): SpanKind {
  const fits = (['month', 'quarter', 'year'] as const).find((kind) => {
    const span = spanAt(kind, from);
    return span.from === from && span.to === to;
  });
  return fits ?? 'free';
}

/** The period `by` steps later, of the same kind; a free one moves by as many days as it has. */
export function stepped(period: Period, by: number): Period {
  const kind = kindOf(period);
  if (kind !== 'free') {
    const months = MONTHS[kind];
    return spanAt(kind, dayOf(yearOf(period.from), monthOf(period.from) + by * months, 1));
  }
  const days = Math.round((Date.parse(period.to) - Date.parse(period.from)) / DAY_MS) + 1;
  const moved = (day: string) => new Date(Date.parse(day) + by * days * DAY_MS).toISOString().slice(0, 10);
  return { from: moved(period.from), to: moved(period.to) };
}

/** Whether both are days and in order; an address may say anything. */
export function isPeriod(from: string | undefined, to: string | undefined): boolean {
  const isDay = (text: string | undefined) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? '') && !Number.isNaN(Date.parse(text ?? ''));
  return isDay(from) && isDay(to) && (from ?? '') <= (to ?? '');
}
