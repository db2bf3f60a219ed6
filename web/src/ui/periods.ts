/** Periods that one asks for often, as business dates. Pure. */

export interface Period {
  from: string;
  to: string;
}

export type Preset = 'month' | 'last_month' | 'quarter' | 'year';
export const PRESETS: readonly Preset[] = ['month', 'last_month', 'quarter', 'year'];

function day(year: number, month: number, date: number): string {
  return new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10);
}

/** The whole `preset` in which `today` (such as `2026-03-14`) lies. */
export function periodOf(preset: Preset, today: string): Period {
  const year = Number(today.slice(0, 4));
  const month = Number(today.slice(5, 7)) - 1;
  const quarter = month - (month % 3);
  switch (preset) {
    case 'month':
      return { from: day(year, month, 1), to: day(year, month + 1, 0) };
    case 'last_month':
      return { from: day(year, month - 1, 1), to: day(year, month, 0) };
    case 'quarter':
      return { from: day(year, quarter, 1), to: day(year, quarter + 3, 0) };
    case 'year':
      return { from: day(year, 0, 1), to: day(year, 12, 0) };
  }
}

/** Made once: each row of a list may ask for today, and to make it takes longer than to draw the row. */
const companyDay = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' });

/** Today by the company's clock (Europe/Berlin), whatever the visitor's says. */
export function companyToday(now: Date = new Date()): string {
  return companyDay.format(now);
}
